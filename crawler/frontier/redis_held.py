"""Which partitions does this worker hold, and what do they come to?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from crawler.fleet.partitions import partition_of
from crawler.frontier.redis_ids import is_of_a_lease, partition_of_id
from crawler.frontier.redis_partition import Partition
from crawler.frontier.redis_queues import Places
from crawler.models import Counts, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.fleet.models import Lease
    from crawler.models import HostKey

_ORDER = tuple(Outcome)


class Held:
    """Those that are held, by number.

    Args:
        partitions: How many the crawl has.
    """

    def __init__(self, partitions: int) -> None:
        self.total = partitions
        self.places = Places()
        self._partitions: dict[int, Partition] = {}
        #: one that is held, or None
        self.get = self._partitions.get
        self._epochs: Counter[int] = Counter()
        self._outcomes: Counter[Outcome] = Counter()
        #: URLs of those that are held, stored or not
        self.admitted = 0
        #: ends that this worker gave to `commit`, whatever became of them
        self.ended = 0

    def __iter__(self) -> Iterator[Partition]:
        return iter(list(self._partitions.values()))

    def __len__(self) -> int:
        return len(self._partitions)

    def __contains__(self, index: int) -> bool:
        return index in self._partitions

    def index(self, host_key: HostKey) -> int:
        """The partition of a host."""
        return partition_of(host_key, self.total)

    def of(self, host_key: HostKey) -> Partition | None:
        """The partition of a host, if it is held."""
        return self.get(partition_of(host_key, self.total))

    def of_id(self, request_id: int) -> Partition | None:
        """The partition of an id that is out; None where it is of a lease that has been lost, or of none."""
        partition = self.get(partition_of_id(request_id))
        return partition if partition is not None and partition.has(request_id) else None

    def is_stale(self, request_id: int) -> bool:
        """Whether an id was given under a lease that this worker has no more."""
        partition = self.get(partition_of_id(request_id))
        is_of_this = partition is not None and request_id >> 32 == partition.base >> 32
        return is_of_a_lease(request_id) and not is_of_this

    def new(self, lease: Lease) -> Partition:
        """What is to become one that is held."""
        self._epochs[lease.partition] += 1
        return Partition(lease, self._epochs[lease.partition], self.places)

    def add(self, partition: Partition) -> None:
        """It is held from now on."""
        self._partitions[partition.index] = partition
        self.admitted += partition.last
        self._outcomes.update(partition.outcomes)

    def drop(self, partition: Partition) -> None:
        """It is no more."""
        del self._partitions[partition.index]
        partition.is_gone = True
        partition.queues.hide()
        self.admitted -= partition.last
        self._outcomes.subtract(partition.outcomes)

    def book(self, partition: Partition, outcomes: Counter[Outcome]) -> None:
        """So many ends of it are stored."""
        self.ended += outcomes.total()
        if not partition.is_gone:
            partition.outcomes.update(outcomes)
            self._outcomes.update(outcomes)

    def take_back(self, partition: Partition, outcome: Outcome) -> None:
        """One that had ended so is pending again."""
        partition.outcomes[outcome] -= 1
        self._outcomes[outcome] -= 1

    def counts(self) -> Counts:
        """Of all that are held."""
        outcomes = {outcome: self._outcomes[outcome] for outcome in _ORDER}
        ended = sum(outcomes.values())
        return Counts(
            admitted=self.admitted, pending=self.admitted - ended, outcomes=outcomes, brought=ended - self.ended
        )
