"""How do partitions come to a worker and leave it, with nothing lost and nothing twice?

One that is *gained* is read, and with it what others have posted to it. One that is *given back* starts nothing more;
what is out comes to its end, all is stored, and then it is dropped. One that is *lost* is dropped at once: what comes
back of it later means nothing any more, but what was found of it and is not stored yet is posted to it, as whoever
finds it must not end before it is safe.
"""

from __future__ import annotations

import asyncio
import contextlib
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from crawler.frontier.order import DUE, Order
from crawler.frontier.redis_admission import Admission
from crawler.frontier.redis_commit import Commits
from crawler.frontier.redis_held import Held
from crawler.frontier.redis_hosts import Hosts
from crawler.frontier.redis_ids import number_of_id
from crawler.frontier.redis_load import Loader
from crawler.frontier.redis_rows import Rows
from crawler.frontier.redis_snoozed import SnoozedUrls
from crawler.frontier.redis_times import Times
from crawler.frontier.turns import sliced

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping

    from crawler.clock import Clock
    from crawler.fleet.models import Lease
    from crawler.fleet.store import PartitionStore
    from crawler.frontier.bounds import Bounds
    from crawler.frontier.redis_partition import Partition
    from crawler.models import HostKey, Request

_LOADED_AT_ONCE = 32
_WOKEN_AT_MOST = 10_000
_MOST_UNCUT = 100_000

T = TypeVar("T")


class Holding:
    """The partitions of one worker: what `RedisFrontier` is beyond a `Frontier`. Arguments are explained there."""

    def __init__(
        self,
        store: PartitionStore,
        clock: Clock,
        *,
        worker: int,
        key: int,
        partitions: int,
        ahead_s: float,
        deepest_first: bool,
        bounds: Bounds,
        longest_snooze_s: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._order = Order(deepest_first=deepest_first)
        self._times = times = Times(clock, ahead_s)
        self._held = Held(partitions)
        self._admission = Admission(self._held, key, self._order)
        self._hosts = Hosts(self._held, times)
        self._rows = Rows(store, bounds.memory_urls)
        self._snoozed = SnoozedUrls(times, longest_snooze_s)
        self._loader = Loader(store, key=key, order=self._order, hosts=self._hosts, snoozed=self._snoozed, clock=clock)
        self._commits = Commits(
            store=store,
            worker=worker,
            held=self._held,
            rows=self._rows,
            snoozed=self._snoozed,
            hosts=self._hosts,
            times=times,
            clock=clock,
        )
        #: told which partitions were lost, as a commit or a look at Redis showed: they are dropped by then
        self.on_lost: Callable[[set[int]], None] | None = None
        #: told of each checkpoint that is stored, and of the partitions of others that it has delivered something to
        self.on_stored: Callable[[set[int]], None] | None = None
        self._writing = asyncio.Lock()
        self._receiving = asyncio.Lock()
        self._loading = asyncio.Semaphore(_LOADED_AT_ONCE)
        self._gaining = 0
        self._changed = asyncio.Event()  # something came back, or is stored
        self._gained: dict[HostKey, None] = {}
        self._unread: set[int] = set()  # inboxes that are read on once there is room
        self._tasks: set[asyncio.Task[object]] = set()

    async def gain(self, leases: Iterable[Lease]) -> None:
        """Hold these from now on; their URLs can be taken once they are read, which is when it returns."""
        self._gaining += 1
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._gain(lease)) for lease in leases]
            await self.receive([task.result() for task in tasks])
        finally:
            self._gaining -= 1

    def hide(self, partitions: Collection[int]) -> None:
        """Hand out nothing more of these: they are to be given back."""
        for partition in filter(None, map(self._held.get, partitions)):
            partition.is_leaving = True
            partition.queues.hide()

    async def give_back(self, partitions: Collection[int], wait_s: float | None = None) -> set[int]:
        """Start nothing more of these; drop each once nothing of it is out and all is stored.

        Args:
            partitions: Those that are not held are passed over.
            wait_s: For how long to wait for what is out; None for as long as it takes.

        Returns:
            Those that are held no more. It may be asked again of the others, which go on leaving.
        """
        self.hide(partitions)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not self._drop_settled(partitions):
                    self._changed.clear()
                    await self._changed.wait()
        return {index for index in partitions if index not in self._held}

    def lost(self, partitions: Collection[int]) -> None:
        """Others hold these: forget them. What was found of them here and is not stored goes to their inboxes."""
        self._drop([partition for partition in map(self._held.get, partitions) if partition is not None])

    def put_back(self, requests: Iterable[Request]) -> None:
        """These are not out any more: nobody has begun them. Takeable again, unless their partition is leaving."""
        for request in requests:
            partition, number = self._held.of_id(request.id), number_of_id(request.id)
            if partition is None:
                continue
            partition.out.discard(number)
            if partition.is_leaving:
                continue
            if number in partition.later:
                partition.queues.push(request.host_key, DUE, number)
            else:
                band = self._order.band(request.priority, request.depth)
                partition.queues.put_back(request.host_key, band, number)
        self._changed.set()

    async def receive(self, partitions: Collection[int]) -> None:
        """Take in what was posted to these, as far as they are held and not leaving. Hosts that gain by it are told by
        the next `wake`."""
        async with self._receiving:
            held = [index for index in partitions if index in self._held]
            if len(held) > 1:  # one round trip for all, instead of one for each
                held = await self._store.posted_to(held)
            for index in held:
                if (partition := self._held.get(index)) is not None:
                    await self._receive(partition)

    async def check(self, *, was_away: bool = True) -> set[int]:
        """Drop those partitions of which Redis knows less than this worker; which they were.

        Args:
            was_away: Whether Redis may have lost something since the last time, as whenever it was away: then what it
                was handed of late is handed over again, and inboxes are read anew.
        """
        known = {partition.index: partition for partition in self._held}
        async with self._writing:
            tallies = await self._store.tallies(known) if known else ()
            behind = {known[tally.partition] for tally in tallies if known[tally.partition].commit != tally.commit}
            if was_away:
                await self._commits.hand_again()
                for partition in known.values():  # ids of an inbox may have gone back with the server's clock
                    partition.inbox_read = partition.inbox_cut = partition.inbox_trimmed = ""
        lost = self._refused(behind)
        if was_away:
            await self.receive(known)
        return lost

    @property
    def next_due(self) -> float | None:
        """The monotonic time at which a snoozed URL is due next; None if there is none."""
        return self._snoozed.next_at()

    @property
    def is_idle(self) -> bool:
        """Whether nothing of the partitions held is left to do or to store, nothing being loaded or delivered. An
        inbox that is being read keeps what is in it until that is stored."""
        counts = self._held.counts()
        if counts.pending or self._gaining or self._unread or self._admission.outbox:
            return False
        return not self._writing.locked() and all(partition.is_settled for partition in self._held)

    def told_time(self, ahead_s: float) -> None:
        """By how many seconds the server's wall clock is ahead of the worker's, as was measured a moment ago."""
        self._times.tell(ahead_s)

    def weights(self) -> Mapping[int, float]:
        """How many hosts have something to take, by partition; those that have none are left out."""
        return {one.index: float(len(one.queues.by_host)) for one in self._held if one.queues.by_host}

    def fences(self) -> Mapping[int, int]:
        """Of the partitions that are held."""
        return {partition.index: partition.fence for partition in self._held}

    async def _gain(self, lease: Lease) -> int:
        async with self._loading:
            partition = self._held.new(lease)
            await self._loader.load(partition)
            self._held.add(partition)
            self._wake(partition.queues.by_host)
            self._wake(self._admission.adopt(partition))
            return lease.partition

    async def _receive(self, partition: Partition) -> None:
        """Read an inbox to its end, unless what was read has to be stored first."""
        while True:
            posts = await self._store.inbox(partition.index, partition.inbox_read)
            if not posts:
                return
            async for post in sliced(posts, self._clock):
                if partition.is_gone or partition.is_leaving:
                    return
                self._wake(self._admission.receive(partition, post))
            if self._admission.uncut > _MOST_UNCUT:
                self._unread.add(partition.index)
                return

    def _wake(self, hosts: Iterable[HostKey]) -> None:
        """Tell of these with the next `wake`; of very many, rounds over hosts tell the others."""
        for host_key in islice(hosts, max(_WOKEN_AT_MOST - len(self._gained), 1)):
            self._gained[host_key] = None

    def _refused(self, partitions: Iterable[Partition]) -> set[int]:
        """Drop these, as Redis does not take anything of them any more, and tell it."""
        lost = [partition for partition in partitions if not partition.is_gone]
        self._drop(lost)
        indexes = {partition.index for partition in lost}
        if indexes and self.on_lost is not None:
            self.on_lost(indexes)
        return indexes

    def _drop_settled(self, leaving: Collection[int]) -> bool:
        """Drop those of these of which nothing is out or to be stored; whether that are all."""
        held = [partition for partition in map(self._held.get, leaving) if partition is not None]
        settled = [] if self._writing.locked() else [partition for partition in held if partition.is_settled]
        self._drop(settled)
        return len(settled) == len(held)

    def _drop(self, partitions: Collection[Partition]) -> None:
        for partition in partitions:
            unsaved = partition.unsaved()
            self._held.drop(partition)
            self._admission.uncut -= len(unsaved)
            self._admission.post(partition.index, unsaved)
        if partitions:
            self._admission.forget_lately()
            self._changed.set()

    async def _to_its_end(self, work: Coroutine[object, object, T]) -> T:
        """Wait for something that goes on even if the waiting is cancelled."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)
