"""Which partitions does this worker hold, and until when may it act on that?

A lease is good for Redis until its time to live is over there; for its worker a while less, counted from before it was
asked to be renewed: so that whatever a reply's way takes, and however far two clocks drift apart, the worker stops
first. Past that deadline `holds` is false at once, in a process that was frozen as in one that cannot reach Redis, for
it is compared with a clock that goes on while the machine sleeps.
"""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING

from crawler.fleet.partitions import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from crawler.fleet.models import Lease
    from crawler.models import HostKey

MARGIN = 0.1
"""The part of a lease in which its worker does not act on it any more: far more than clocks drift apart."""

REMEMBERED_S = 300.0
"""For so long after a worker died, what it may have asked of hosts last is unknown: longer than any is paced."""


def _wakeful_clock() -> Callable[[], float]:
    """Seconds since an arbitrary start, those included for which the machine was suspended.

    `time.monotonic` leaves them out on Linux (CLOCK_MONOTONIC) and on macOS (mach_absolute_time): a lease would seem
    good after a night's sleep. CLOCK_BOOTTIME counts them on Linux, CLOCK_MONOTONIC does on macOS.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return lambda: time.clock_gettime(clock)


wakeful = _wakeful_clock()


class Leases:
    """The leases of one worker.

    Args:
        partitions: How many the crawl has.
        lease_s: For how long each is granted or renewed.
        now: A clock that goes on while the machine is suspended.
        monotonic: The clock by which hosts are paced.
    """

    def __init__(
        self,
        partitions: int,
        lease_s: float,
        *,
        now: Callable[[], float] = wakeful,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._partitions = partitions
        self._good_s = lease_s * (1 - MARGIN)
        self._now = now
        self._monotonic = monotonic
        self._until: dict[int, float] = {}
        self._asked: dict[int, float] = {}
        #: partition -> fence
        self.fences: dict[int, int] = {}
        #: called where `holds` finds a lease that has lapsed and was not lost: it should be renewed
        self.lapsed: Callable[[], None] = lambda: None

    def holds(self, host_key: HostKey) -> bool:
        """Whether a request may be sent to a host now."""
        until = self._until.get(partition_of(host_key, self._partitions))
        if until is None:
            return False
        if self._now() < until:
            return True
        self.lapsed()
        return False

    def owns(self, host_key: HostKey) -> bool:
        """Whether its partition is this worker's as far as it knows, its lease lapsed or not."""
        return partition_of(host_key, self._partitions) in self.fences

    def asked_at(self, host_key: HostKey) -> float:
        """The monotonic time at which the worker before may last have asked a host, if it did not give it back; else
        minus infinity."""
        return self._asked.get(partition_of(host_key, self._partitions), -inf)

    def is_clean(self, partition: int) -> bool:
        """Whether nobody may have asked a host of it lately without our knowing."""
        return self._monotonic() - self._asked.get(partition, -inf) > REMEMBERED_S

    @property
    def are_good(self) -> bool:
        """Whether none has lapsed."""
        now = self._now()
        return all(until > now for until in self._until.values())

    def now(self) -> float:
        """To be noted before asking for leases, or for their renewal."""
        return self._now()

    def granted(self, leases: Iterable[Lease], since: float) -> None:
        """These were asked for at `since`."""
        until = since + self._good_s
        for lease in leases:
            self._until[lease.partition] = until
            self.fences[lease.partition] = lease.fence
            if lease.is_clean:
                self._asked.pop(lease.partition, None)
            else:
                self._asked[lease.partition] = self._monotonic()

    def renewed(self, partitions: Iterable[int], since: float) -> None:
        """As `granted`, of those held already; what was lost meanwhile stays lost."""
        until = since + self._good_s
        for partition in partitions:
            if partition in self.fences:
                self._until[partition] = until

    def dropped(self, partitions: Collection[int]) -> None:
        """These are not ours any more."""
        for partition in partitions:
            self._until.pop(partition, None)
            self.fences.pop(partition, None)
            self._asked.pop(partition, None)
