"""Which partitions does a worker take, crawl, give back, or lose?

It takes those that it is to have (`wanted`) and that nobody holds, loads them a few at a time, and gives back those
that it is not to have any more. Between taking and loading, and between its last request and giving back, a partition
is leased and nothing is asked of it. The crawl does one of these things at a time; what is lost, it is told at once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from crawler.fleet.cue import Cue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set

    from crawler.fleet.holder import Holder
    from crawler.fleet.leases import Leases
    from crawler.fleet.models import Lease, Refused

log = logging.getLogger(__name__)

LOADED_AT_ONCE = 64
"""Partitions in which something is stored; those loaded first are crawled while the others are."""

_AT_ONCE_S = 0.001
_HAIR_S = 0.005  # after the exact time, which Redis tells in milliseconds


class Lessor(Protocol):
    """Who grants leases (`store.PartitionStore`)."""

    async def acquire(
        self, partitions: Sequence[int], worker: int, ttl_s: float
    ) -> tuple[Sequence[Lease], Sequence[Refused]]:
        """Lease those that nobody holds."""
        ...

    async def renew(self, fences: Mapping[int, int], worker: int, ttl_s: float) -> Collection[int]:
        """Hold these for longer, also if they have lapsed; those that are another's now."""
        ...

    async def release(self, fences: Mapping[int, int], worker: int) -> None:
        """Give these back, with all that has happened stored."""
        ...


class Hands:
    """The partitions of one worker.

    Args:
        worker: Its id.
        released: Tells others that there is something to be had.
        alive: Whether a worker is there, as far as is known: one that is will tell when it gives something back.
    """

    def __init__(
        self,
        worker: int,
        *,
        store: Lessor,
        holder: Holder,
        leases: Leases,
        lease_s: float,
        monotonic: Callable[[], float],
        released: Callable[[], Awaitable[None]],
        alive: Callable[[int], bool],
    ) -> None:
        self._worker = worker
        self._store = store
        self._holder = holder
        self._leases = leases
        self._lease_s = lease_s
        self._monotonic = monotonic
        self._released = released
        self._alive = alive
        self._posted: set[int] = set()
        self._one = asyncio.Lock()
        self._leasing = asyncio.Lock()  # a renewal would bring back what is being released
        #: partitions that the crawl has loaded
        self.loaded: set[int] = set()
        #: those it is to have; None while nobody has said
        self.wanted: Set[int] | None = None
        self._is_leaving = False
        #: set after `leave`, once nothing is held
        self.empty = asyncio.Event()
        self.take, self.give, self.receive = Cue(monotonic), Cue(monotonic), Cue(monotonic)

    @property
    def is_settled(self) -> bool:
        """Whether it has all that it is to have, loaded."""
        return self.wanted is not None and self.wanted <= self.loaded and len(self._leases.fences) <= len(self.loaded)

    def want(self, partitions: Set[int]) -> None:
        """Have these from now on."""
        if not self._is_leaving:
            self.wanted = partitions
            self.take()
            self.give()

    def leave(self) -> None:
        """Give everything back, and have nothing more."""
        self.want(frozenset())
        self._is_leaving = True

    def post(self, partitions: Iterable[int] | None = None) -> None:
        """There may be something in these inboxes; None: in all."""
        self._posted |= self.loaded if partitions is None else self.loaded.intersection(partitions)
        self.receive()

    async def renew(self) -> None:
        """Hold what is held for longer."""
        async with self._leasing:
            fences = dict(self._leases.fences)
            since = self._leases.now()
            lost = set(await self._store.renew(fences, self._worker, self._lease_s)) if fences else set()
            still = [partition for partition, fence in fences.items() if self._leases.fences.get(partition) == fence]
            self._leases.renewed([partition for partition in still if partition not in lost], since)
        self.lost(lost.intersection(still))

    def lost(self, partitions: Collection[int]) -> None:
        """These are others'."""
        mine = [partition for partition in partitions if partition in self._leases.fences]
        self._leases.dropped(mine)
        loaded = self.loaded.intersection(mine)
        self.loaded -= loaded
        if loaded:
            log.warning("partitions were lost", extra={"why": f"{len(loaded)} are other workers' now"})
            self._holder.lost(loaded)
        self.take()
        self.give()  # which notices that nothing is left

    async def take_on(self) -> None:
        """Take what is to be had, whenever there may be something."""
        while True:
            await self.take.wait()
            missing = (self.wanted or set()) - self._leases.fences.keys()
            if not missing:
                continue
            since = self._leases.now()
            leases, refused = await self._store.acquire(sorted(missing), self._worker, self._lease_s)
            self._leases.granted(leases, since)
            for some in _in_turn(leases):
                await self._load(some)
            now = self._monotonic()
            for one in refused:
                if not self._alive(one.owner):
                    self.take.at(now + one.free_in_s + _HAIR_S)

    async def give_on(self) -> None:
        """Give back what is not to be held any more, as soon as nothing of it is under way."""
        while True:
            if self._is_leaving and not self._leases.fences:
                self.empty.set()
            surplus = self.loaded - self.wanted if self.wanted is not None else set()
            if not surplus:
                await self.give.wait()
                continue
            async with self._one:
                fences = {partition: self._leases.fences[partition] for partition in surplus & self.loaded}
                clean = await self._holder.give_back(fences.keys()) if fences else set()
                held = {p: fence for p, fence in fences.items() if p in clean and self._leases.fences.get(p) == fence}
                self.loaded -= held.keys()
            await self._release(held)

    async def receive_on(self) -> None:
        """Take inboxes in, whenever there may be something in them."""
        while True:
            await self.receive.wait()
            async with self._one:
                posted, self._posted = self._posted & self.loaded, set()
                if posted:
                    await self._holder.receive(posted)

    async def _load(self, leases: Sequence[Lease]) -> None:
        """Have the crawl load what was leased, if it is still to be held."""
        fences = self._leases.fences
        async with self._one:
            ours = [lease for lease in leases if fences.get(lease.partition) == lease.fence]
            wanted = [lease for lease in ours if lease.partition in (self.wanted or ())]
            if wanted:
                await self._holder.gained(wanted)
            gone = [lease.partition for lease in wanted if fences.get(lease.partition) != lease.fence]
            if gone:
                self._holder.lost(gone)
            self.loaded |= {lease.partition for lease in wanted}.difference(gone)
        tried = {lease.partition for lease in wanted}
        self.post(tried)
        await self._release({lease.partition: lease.fence for lease in ours if lease.partition not in tried})
        self.give()

    async def _release(self, fences: Mapping[int, int]) -> None:
        if not fences:
            return
        async with self._leasing:
            clean = {partition: fence for partition, fence in fences.items() if self._leases.is_clean(partition)}
            unclean = {partition: fence for partition, fence in fences.items() if partition not in clean}
            if clean:
                await self._store.release(clean, self._worker)
            if unclean:  # whoever has it next must know that a worker died with it a moment ago
                await self._store.renew(unclean, self._worker, _AT_ONCE_S)
            self._leases.dropped(fences.keys())
        await self._released()


def _in_turn(leases: Sequence[Lease]) -> Iterator[Sequence[Lease]]:
    """What is loaded together: first all in which nothing was ever stored, as these are loaded at once."""
    if new := [lease for lease in leases if not lease.commit]:
        yield new
    others = [lease for lease in leases if lease.commit]
    for start in range(0, len(others), LOADED_AT_ONCE):
        yield others[start : start + LOADED_AT_ONCE]
