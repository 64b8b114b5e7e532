"""What is left to fetch, for a crawl that several workers share: kept in Redis or Valkey.

A worker holds some of the partitions that hosts are divided into, and of these it knows in memory which URLs wait, in
which order, and which were met before. What it is made of:

    redis_partition     a partition in memory (redis_queues, redis_seen, redis_ids)
    redis_holding       how partitions come and go
    redis_held          those that are held, and their counts
    redis_load          how one is read when it is taken over
    redis_admission     the seen test, numbers, and what goes to other workers
    redis_commit        the order in which a checkpoint is stored (redis_change)
    redis_rows          what the numbers that are taken stand for
    redis_hosts         states of hosts, verdicts, rounds
    redis_snoozed, redis_times
                        when snoozed URLs are due, by the server's clock
    redis_again         how URLs ended, by their text, and their way back
    redis_restored      positions, counters and blobs, of a worker that is alone

What Redis stores, and how, is `crawler.fleet.store`'s.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawler.errors import FrontierError
from crawler.frontier.bounds import Bounds
from crawler.frontier.order import DUE
from crawler.frontier.redis_again import Again
from crawler.frontier.redis_holding import Holding
from crawler.frontier.turns import sliced
from crawler.models import Restored

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Collection, Sequence

    from crawler.clock import Clock
    from crawler.fleet.store import PartitionStore
    from crawler.frontier.redis_partition import Partition
    from crawler.frontier.redis_restored import Belongings
    from crawler.frontier.redis_rows import Pick
    from crawler.models import Checkpoint, Counts, Finished, HostKey, HostState, Link, Request, RobotsFile


class RedisFrontier(Holding):
    """All URLs of one crawl, those of the partitions that are held at hand.

    In memory: 20 bytes for a URL that waits, 16 once it has ended; 470 for a host of which something waits, some 200
    for another that was asked, beside its verdicts on robots.txt; and up to `bounds.memory_urls` requests that were
    stored of late. Measured by ``benchmarks.shared_frontier``.

    Args:
        store: Of the crawl; the caller's to close.
        clock: Tells the time.
        worker: This worker's number.
        lease_s: For how long partitions are leased where `lone` is set.
        key: The crawl's own random 64-bit fingerprint key.
        partitions: How many the crawl has.
        lone: Where it keeps what else it knows, of a worker that takes all of them when it is opened, which fails where
            another holds one; None for a member of a fleet.
        ahead_s: By how many seconds the server's wall clock is ahead of the worker's; `told_time` says it anew.
        deepest_first: Of URLs of the same priority, whether those that lie deepest are taken first.
        bounds: How much to hold in memory.
        longest_snooze_s: For how long a URL is snoozed at most; a stored time that is further away is not believed.
    """

    def __init__(
        self,
        store: PartitionStore,
        clock: Clock,
        *,
        worker: int,
        lease_s: float,
        key: int,
        partitions: int,
        lone: Belongings | None = None,
        ahead_s: float = 0.0,
        deepest_first: bool = False,
        bounds: Bounds | None = None,
        longest_snooze_s: float = 3600.0,
    ) -> None:
        super().__init__(
            store,
            clock,
            worker=worker,
            key=key,
            partitions=partitions,
            ahead_s=ahead_s,
            deepest_first=deepest_first,
            bounds=bounds or Bounds(),
            longest_snooze_s=longest_snooze_s,
        )
        self._worker = worker
        self._lease_s = lease_s
        self._lone = lone
        self._is_open = False
        self._again = Again(store, self._held, self._hosts, self._order)
        self._cut: tuple[list[Partition], dict[int, list[Request]]] | None = None

    async def open(self) -> Restored:
        """Take all partitions, if it is a lone worker's; else hold none yet.

        Raises:
            FrontierError: Another worker holds some; or Redis has something else under our keys.
        """
        if self._lone is None:
            return Restored()
        leases, refused = await self._store.acquire(range(self._held.total), self._worker, self._lease_s)
        if refused:
            raise FrontierError(f"{len(refused)} partitions are held by others, such as worker {refused[0].owner}")
        self._is_open = True
        await self.gain(leases)
        self._gained.clear()
        return await self._lone.read()

    @property
    def key(self) -> int:
        """The crawl's own random 64-bit fingerprint key."""
        return self._admission.key

    def add(self, requests: Sequence[Request]) -> list[bool]:
        """Admit seeds and redirect targets, or post them to their partitions; True where one was new here."""
        return self._admission.add(requests)

    def add_taken(self, requests: Sequence[Request]) -> list[Request]:
        """Admit these and hand out those that were new here."""
        return self._admission.add_taken(requests)

    def discover(self, parent: Request, links: Sequence[Link]) -> list[HostKey]:
        """Admit a page's new links, or post them; the distinct host keys that gained URLs here."""
        return self._admission.discover(parent, links)

    def expect_nothing(self) -> None:
        """Nothing is expected here: a crawl that is shared visits nothing again."""

    @property
    def uncommitted(self) -> int:
        """URLs admitted or posted since the last commit began."""
        return self._admission.uncut

    async def wake(self) -> tuple[list[HostKey], float | None]:
        """Make snoozed URLs takeable whose time has come; the hosts that gained some, by that or as a partition or its
        inbox was read, and when more are due."""
        async for partition, host_key, number in sliced(self._snoozed.due(), self._clock):
            if not (partition.is_gone or partition.is_leaving):
                partition.queues.push(host_key, DUE, number)
                self._gained[host_key] = None
        gained, self._gained = list(self._gained), {}
        return gained, self._snoozed.next_at()

    async def take(self, wanted: Sequence[tuple[HostKey, int]]) -> list[Request]:
        """Hand out up to n URLs for each host: woken ones, then by priority, depth and age."""
        picks: list[Pick] = []
        async for host_key, count in sliced(wanted, self._clock):
            partition = self._held.of(host_key)
            if partition is not None and not partition.is_leaving:
                numbers = partition.queues.pop(host_key, count)
                partition.out.update(numbers)
                picks += ((partition, number) for number in numbers)
        try:
            return [request for request in await self._rows.get(picks) if request is not None]
        except BaseException:
            for partition, number in picks:  # nobody has it
                partition.out.discard(number)
            raise

    def cut(self) -> None:
        """Leave URLs admitted from now on to the commit after the next one."""
        self._cut = self._admission.cut()

    async def commit(self, checkpoint: Checkpoint) -> None:
        """Make `checkpoint` and every URL admitted so far durable, each partition's part of it at one stroke.

        What it says of partitions that were lost is left out. Once begun it goes on to its end, even if the caller is
        cancelled.

        Raises:
            FrontierError: A request in it is not out, or is in it twice; or Redis is given up on.
        """
        delivered = await self._to_its_end(self._commit(checkpoint))
        if self.on_stored is not None:
            self.on_stored({index for index in delivered if index not in self._held})

    async def hosts(
        self, ready_before: float, cursor: int, limit: int, pages_below: int | None = None
    ) -> tuple[list[HostState], int]:
        """Up to `limit` hosts with takeable URLs that are ready and below a number of pages; the next cursor."""
        return await self._hosts.go_on(cursor, limit, ready_before=ready_before, pages_below=pages_below)

    async def host(self, host_key: HostKey) -> HostState | None:
        """The committed state of a host whose partition is held."""
        return self._hosts.state(host_key)

    async def robots(self, origin: str) -> RobotsFile | None:
        """The committed robots verdict of an origin whose partition is held."""
        return self._hosts.robots(origin)

    async def find(self, urls: Sequence[str]) -> list[Finished | None]:
        """How each canonical URL ended, whoever holds its partition. Reads the ledgers of these partitions."""
        return await self._again.find(urls)

    async def requeue(self, urls: AsyncIterable[Sequence[str]], checkpoint: Checkpoint) -> int:
        """Make ended URLs pending again, as if never tried; the number of them. At one stroke in each partition only.

        Raises:
            FrontierError: This worker does not hold all partitions.
        """
        if len(self._held) < self._held.total:
            raise FrontierError(f"only who holds all {self._held.total} partitions can requeue: {len(self._held)} are")
        wanted = {url async for batch in urls for url in batch}
        return await self._to_its_end(self._requeue(wanted, checkpoint))

    def counts(self) -> Counts:
        """Of the partitions that are held; a URL has ended once its checkpoint is committed."""
        return self._held.counts()

    async def aclose(self) -> None:
        """Let go of all that is held, where `lone` is set; a member of a fleet gives it back before."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._lone is not None and self._is_open:
            self._is_open = False
            await self._store.release(self.fences(), self._worker)

    async def _commit(self, checkpoint: Checkpoint) -> set[int]:
        async with self._writing:
            parts = self._commits.sort(checkpoint)
            cut, self._cut = self._cut or self._admission.cut(), None
            ended = self._held.ended + len(checkpoint.finished)
            refused, delivered = await self._commits.store(parts, *cut)
            self._held.ended = ended  # those that were refused too
            self._refused(refused)
            if self._lone is not None:
                await self._lone.write(checkpoint)
        self._changed.set()
        if refused:
            await self.check()
        unread, self._unread = self._unread, set()
        await self.receive(unread | delivered)
        return delivered

    async def _requeue(self, urls: Collection[str], checkpoint: Checkpoint) -> int:
        async with self._writing:
            parts = self._commits.sort(checkpoint)
            ends = await self._again.requeue(urls, parts)
            refused, _ = await self._commits.store(parts, (), {})
            if refused:
                self._refused(refused)
                raise FrontierError("a partition was lost while its URLs were requeued")
            if self._lone is not None:
                await self._lone.write(checkpoint)
            self._again.requeued(ends)
            return len(ends)
