"""What is left to fetch, for a crawl of any size that outlives its process: one file, plain SQLite.

The embedded default. What it is made of:

    sqlite_schema   the tables; creating, checking and refusing a file
    sqlite_writer   a thread of its own: commits, requeue (sqlite_statements, sqlite_chunks, sqlite_index)
    sqlite_reader   questions from the loop's thread, never behind a commit
    sqlite_resume   what is read when it is opened
    sqlite_find     how URLs ended, by their text
    sqlite_hosts    which hosts are ready
    admission       the seen test, ids, and what was found
    draft           what was admitted since the last commit
    disk_queues     which URL of a host is next (order)
    snoozed, waiting, host_numbers, seen

A URL's id is its place in order of discovery, from 1. Its row is appended once; how it ended is a row of another
table. Taking writes nothing. The loop hands a commit over in one step and goes on; what the store has to do grows
with what is committed, not with what it holds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from crawler.frontier.admission import Admission
from crawler.frontier.bounds import Bounds
from crawler.frontier.disk_queues import DiskQueues
from crawler.frontier.draft import Batch, Draft, SeedNumbers
from crawler.frontier.order import Order
from crawler.frontier.snoozed import SnoozedUrls
from crawler.frontier.sqlite_find import Finder
from crawler.frontier.sqlite_hosts import HostRounds
from crawler.frontier.sqlite_reader import Reader
from crawler.frontier.sqlite_thread import WritingThread
from crawler.frontier.sqlite_writer import Writer
from crawler.frontier.turns import parts, sliced
from crawler.models import Counts, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence
    from pathlib import Path

    from crawler.clock import Clock
    from crawler.frontier.host_numbers import HostNumbers
    from crawler.models import Checkpoint, Finished, HostKey, HostState, Link, Request, Restored, RobotsFile

_TAKEN_AT_ONCE = 50
_DROPPED_AT_ONCE = 500


class SqliteFrontier:
    """All URLs of one crawl, in a SQLite file: about 125 bytes each there, 16 to 19 in memory, 20 for a host.

    After an operation that failed because of the store, only `aclose` is of use: what is in memory may be ahead of it.

    Args:
        path: The file, in a folder that exists. While it is open, SQLite keeps two more beside it (-wal, -shm).
        clock: Tells the time.
        fsync: Whether a power loss must not undo the last commits; it never damages the store.
        bounds: How much to hold in memory.
        deepest_first: Of URLs of the same priority, whether those that lie deepest are taken first. May be another
            each time that a store is opened.
        base: The store of the generation before, with the same URLs to come, each `known`; None for a first one.
        longest_snooze_s: For how long a URL is snoozed at most; a stored time that is further away is not believed.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        fsync: bool = True,
        bounds: Bounds | None = None,
        deepest_first: bool = False,
        base: Path | None = None,
        longest_snooze_s: float = 3600.0,
    ) -> None:
        self._clock = clock
        self._bounds = bounds = bounds or Bounds()
        self._thread = WritingThread()
        self._writer = Writer(path, fsync=fsync, bounds=bounds, base=base)
        self._reader = Reader(path, deepest_first=deepest_first)
        self._queues = DiskQueues(self._reader, Order(deepest_first=deepest_first), bounds.window_urls)
        self._snoozed = SnoozedUrls(clock, self._reader.snoozed, self._queues.out, bounds.snoozed, longest_snooze_s)
        self._numbers: HostNumbers
        self._rounds: HostRounds
        self._outcomes: Counter[Outcome] = Counter()
        self._finder = Finder(self._reader, self._writer, self._thread, clock, bounds.unindexed)
        self._admission: Admission
        self._cut: Draft | None = None  # of what the next commit stores, where it was cut before
        self._writing = asyncio.Lock()
        self._requeueing = asyncio.Lock()
        self._tidying: asyncio.Future[None] | None = None
        self._is_open = False

    async def open(self) -> Restored:
        """Open or create the store.

        Raises:
            FrontierError: The file is not a store, of a newer format, damaged, or locked by another process.
        """
        try:
            resumed = await self._thread.run(partial(self._writer.open, self._snoozed.latest_ms()))
            self._reader.open()
        except BaseException:
            self._thread.close()
            raise
        self._is_open = True
        self._finder.restore(resumed.key, resumed.indexed)
        self._outcomes.update(resumed.ended)
        self._numbers = resumed.hosts
        self._rounds = HostRounds(self._reader, self._queues.waiting, self._numbers)
        self._admission = Admission(
            key=resumed.key,
            seen=resumed.seen,
            urls=resumed.urls,
            queues=self._queues,
            hosts=self._numbers,
            seeds=SeedNumbers(self._bounds.seeds, resumed.seeds),
        )
        self._admission.expected = resumed.expected
        self._queues.restore(len(resumed.hosts), resumed.waiting, resumed.urls)
        return resumed.restored

    @property
    def key(self) -> int:
        """The crawl's own random 64-bit fingerprint key."""
        return self._admission.key

    def add(self, requests: Sequence[Request]) -> list[bool]:
        """Admit seeds and redirect targets; True where the URL was new."""
        return self._admission.add(requests)

    def add_taken(self, requests: Sequence[Request]) -> list[Request]:
        """Admit these and hand out those that were new."""
        return self._admission.add_taken(requests)

    def discover(self, parent: Request, links: Sequence[Link]) -> list[HostKey]:
        """Admit a page's new links; the distinct host keys that gained URLs."""
        return self._admission.discover(parent, links)

    def expect_nothing(self) -> None:
        """All is admitted that is known."""
        self._admission.expected = None

    @property
    def uncommitted(self) -> int:
        """URLs admitted since the last commit began."""
        return self._admission.last - self._admission.committing

    async def wake(self) -> tuple[list[HostKey], float | None]:
        """Make snoozed URLs takeable whose time has come; the hosts that gained some, and when more are due."""
        gained: dict[HostKey, None] = {}
        async for host_key, number in sliced(self._snoozed.due(), self._clock):
            queue = self._queues.get(host_key) or self._queues.make(host_key, self._numbers.number(host_key))
            self._queues.push_due(queue, number)
            gained[queue.key] = None
        return list(gained), self._snoozed.next_at()

    async def take(self, wanted: Sequence[tuple[HostKey, int]]) -> list[Request]:
        """Hand out up to n URLs for each host: woken ones, then by priority, depth and age."""
        keys: list[int] = []
        async for host_key, count in sliced(wanted, self._clock):
            number = self._numbers.find(host_key)
            if number:
                keys += self._queues.pop(self._queues.get(host_key) or self._queues.make(host_key, number), count)
        taken: list[Request] = []
        async for some in sliced(parts(keys, _TAKEN_AT_ONCE), self._clock):
            taken += self._queues.requests(some)
        return taken

    def cut(self) -> None:
        """Leave URLs admitted from now on to the commit after the next one."""
        self._cut = self._admission.cut()

    async def commit(self, checkpoint: Checkpoint) -> None:
        """Make `checkpoint` and every URL admitted so far durable, in one transaction.

        Once begun it goes on to its end, even if the caller is cancelled.

        Raises:
            FrontierError: A request in it is not out, or is in it twice; or the store failed.
        """
        await self._thread.to_its_end(self._commit(checkpoint))

    async def hosts(
        self, ready_before: float, cursor: int, limit: int, pages_below: int | None = None
    ) -> tuple[list[HostState], int]:
        """Up to `limit` hosts with takeable URLs that are ready and below a number of pages; the next cursor."""
        return await self._rounds.go_on(cursor, limit, ready_before=ready_before, pages_below=pages_below)

    async def host(self, host_key: HostKey) -> HostState | None:
        """The committed state of one host."""
        return self._reader.state(host_key)

    async def robots(self, origin: str) -> RobotsFile | None:
        """The committed robots verdict of an origin."""
        return self._reader.robots(origin)

    async def find(self, urls: Sequence[str]) -> list[Finished | None]:
        """How each canonical URL ended. If many fingerprints are not indexed yet, that is done first."""
        return await self._finder.ends(urls, self._admission.committing)

    async def requeue(self, urls: AsyncIterable[Sequence[str]], checkpoint: Checkpoint) -> int:
        """Make ended URLs pending again, as if never tried; the number of them.

        Once all are read it goes on to its end, even if the caller is cancelled. Not twice at a time.

        Raises:
            FrontierError: The store failed; nothing was stored.
        """
        async with self._requeueing:
            await self._finder.gather(urls, self._admission.committing)
            return await self._thread.to_its_end(self._requeue(checkpoint))

    def counts(self) -> Counts:
        """Admitted, pending and ended; a URL has ended once its checkpoint is committed."""
        outcomes = {outcome: self._outcomes[outcome] for outcome in Outcome}
        admitted = self._admission.last
        return Counts(admitted=admitted, pending=admitted - sum(outcomes.values()), outcomes=outcomes)

    async def aclose(self) -> None:
        """Release the store, once a commit under way has ended."""
        if not self._is_open:
            return
        self._is_open = False
        await self._thread.finish()
        try:
            if self._tidying:
                await self._tidying
        finally:
            self._reader.close()
            await self._thread.run(self._writer.close)
            self._thread.close()

    async def _commit(self, checkpoint: Checkpoint) -> None:
        async with self._writing:
            if self._tidying:
                await self._tidying
            ended = (end.request for end in checkpoint.finished)
            self._queues.check_out((*ended, *(item.request for item in checkpoint.snoozed)))
            draft, self._cut = self._cut or self._admission.cut(), None
            last = self._admission.committing
            batch = self._batch(checkpoint, draft, sweep=self._is_sweep_due(last - self._queues.watermark))
            await self._thread.run(partial(self._writer.commit, batch))
            self._note_stored(batch)
            self._queues.out.difference_update(end.request.id for end in checkpoint.finished)
            self._outcomes.update(end.outcome for end in checkpoint.finished)
            for item, due in zip(checkpoint.snoozed, batch.due_ms, strict=True):
                self._queues.out.discard(item.request.id)
                self._snoozed.add(due, item.request.id, item.request.host_key)
            if batch.sweep:
                await self._forget_up_to(last)
            self._tidying = self._thread.run(self._writer.tidy)

    def _is_sweep_due(self, unswept: int) -> bool:
        """Whether chunks come out full by now, or else memory is used up: fuller ones are fewer to write and read."""
        bounds = self._bounds
        filled = bounds.chunk_urls * len(self._queues)
        return unswept >= bounds.memory_urls or unswept >= max(filled, bounds.memory_urls // 4)

    async def _requeue(self, checkpoint: Checkpoint) -> int:
        async with self._writing:
            stored = self._admission.committing
            batch = self._batch(checkpoint, Draft(stored + 1), sweep=True)
            requeued = await self._thread.run(partial(self._writer.requeue, batch))
            self._note_stored(batch)
            self._outcomes.subtract(requeued.outcomes)
            self._queues.reread(requeued.hosts)
            await self._forget_up_to(stored)
            return sum(requeued.outcomes.values())

    def _batch(self, checkpoint: Checkpoint, draft: Draft, *, sweep: bool) -> Batch:
        return Batch(
            checkpoint=checkpoint,
            draft=draft,
            states=[(self._numbers.number(state.host_key), state) for state in checkpoint.hosts],
            hosts=self._numbers.committing(),
            due_ms=[self._snoozed.due_ms(snoozed.until) for snoozed in checkpoint.snoozed],
            sweep=sweep,
        )

    def _note_stored(self, batch: Batch) -> None:
        """What hosts are in it, and what it says of them, is in the store."""
        self._numbers.committed()
        self._queues.waiting.look_again(number for number, _ in batch.states)

    async def _forget_up_to(self, watermark: int) -> None:
        """All URLs up to this are in chunks now."""
        self._queues.watermark = watermark
        async for host_key in sliced(self._queues.keys(), self._clock):
            self._queues.forget(host_key)
        async for some in sliced(parts(self._queues.fresh(), _DROPPED_AT_ONCE), self._clock):
            self._queues.drop(some)
