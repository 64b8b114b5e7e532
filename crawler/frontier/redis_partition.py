"""What does a worker keep in memory of a partition that it holds?

Theory of operation. A URL's number is its place in the partition's order of discovery, from 1, as in Redis. A number is
*admitted* in memory, its request being in `draft`; *cut*, its request being in `committing`, while a commit stores it;
and *stored*. What is stored can be read back by the block it is in. What was handed out and has not ended is `out`.
A partition that is *leaving* hands nothing out and admits nothing; one that is *gone* means nothing any more.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING

from crawler.frontier.redis_ids import first_id, number_of_id
from crawler.frontier.redis_queues import HostQueues
from crawler.frontier.redis_seen import PartitionSeen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.fleet.models import Lease
    from crawler.frontier.redis_queues import Places
    from crawler.models import HostKey, Outcome, Request


class Partition:
    """One that is held.

    Args:
        lease: What Redis says of it.
        epoch: Which of its leases this is to this worker, from 1.
        places: Of hosts in rounds.
    """

    __slots__ = (
        "base",
        "block_firsts",
        "block_ids",
        "commit",
        "committing",
        "committing_is_shared",
        "draft",
        "draft_is_shared",
        "fence",
        "inbox_cut",
        "inbox_read",
        "inbox_trimmed",
        "index",
        "is_gone",
        "is_leaving",
        "last",
        "later",
        "out",
        "outcomes",
        "queues",
        "robots",
        "seen",
        "states",
        "stored",
    )

    def __init__(self, lease: Lease, epoch: int, places: Places) -> None:
        self.index = lease.partition
        self.fence = lease.fence
        #: number of its last commit
        self.commit = lease.commit
        #: what is added to numbers for ids
        self.base = first_id(lease.partition, epoch)
        #: the last number given out, and the last one that is stored
        self.last = self.stored = lease.urls
        self.draft: list[Request] = []
        self.committing: list[Request] = []
        #: whether some of these came from pages of other partitions, whose ends must not be stored before
        self.draft_is_shared = self.committing_is_shared = False
        self.outcomes: Counter[Outcome] = Counter(lease.ended)
        self.queues = HostQueues(lease.partition, places)
        self.seen = PartitionSeen(lease.urls)
        #: numbers handed out that have not ended
        self.out: set[int] = set()
        #: of those that are stored as snoozed, which attempt is next
        self.later: dict[int, int] = {}
        self.states: dict[HostKey, bytes] = {}
        self.robots: dict[str, bytes] = {}
        #: first numbers of its blocks, and what they are called
        self.block_firsts = array("I")
        self.block_ids: list[str] = []
        #: the inbox up to which all has been admitted; up to which that is being stored; and is
        self.inbox_read = self.inbox_cut = self.inbox_trimmed = ""
        self.is_leaving = self.is_gone = False

    def fresh(self, number: int) -> Request | None:
        """What was admitted under a number that is not stored yet; None if it is."""
        place = number - self.stored - 1
        if place < 0:
            return None
        if place < len(self.committing):
            return self.committing[place]
        return self.draft[place - len(self.committing)]

    def block_of(self, number: int) -> str:
        """What the block is called that a stored number is in."""
        return self.block_ids[bisect_right(self.block_firsts, number) - 1]

    def add_block(self, block_id: str, first: int) -> None:
        """Numbers from `first` on are in this block, which is the last one."""
        self.block_firsts.append(first)
        self.block_ids.append(block_id)

    def has(self, request_id: int) -> bool:
        """Whether an id is of this lease, and out."""
        number = number_of_id(request_id)
        return request_id - number == self.base and number in self.out

    def cut(self) -> None:
        """What was admitted so far is for the next commit."""
        self.committing += self.draft
        self.draft = []
        self.committing_is_shared |= self.draft_is_shared
        self.draft_is_shared = False
        self.inbox_cut = self.inbox_read

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it is out and all that was done to it is stored."""
        return not (self.out or self.draft or self.committing or self.inbox_read != self.inbox_trimmed)

    @property
    def pending(self) -> int:
        """URLs that have no end that is stored."""
        return self.last - sum(self.outcomes.values())

    def unsaved(self) -> Sequence[Request]:
        """What was admitted since the last cut, taken away: it is for somebody else to admit."""
        unsaved, self.draft = self.draft, []
        return unsaved
