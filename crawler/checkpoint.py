"""When does a result become durable?

Results gather in a batch. A checkpoint swaps the batch for an empty one in a single step, appends its lines to
the sinks, brings these down to the disk, and then hands everything to the frontier as one `Checkpoint`: the
moment of its commit is the moment all of it becomes true. It runs beside fetching; when results come faster
than the disk takes them, `room` holds their makers back, so the memory a batch takes is bounded.

One begins every `every_s` seconds; sooner when there is much to store, and at once when there is something that a
crash must not forget: a retry put off, a host that asked to be left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from crawler.batch import Batch, JournaledBatch, Told
from crawler.batch import Carrier as Carrier  # noqa: PLC0414 - what a checkpoint asks of others is named here
from crawler.batch import Journal as Journal  # noqa: PLC0414
from crawler.models import OUTCOMES, PAGES, Checkpoint, Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.heap import Heap
    from crawler.models import Finished, Snoozed
    from crawler.politeness.policy import Policy
    from crawler.stats import Stats


#: A checkpoint comes early at this many results, or URLs found; at twice that, their makers wait.
EARLY_ROWS = 50_000
#: … or bytes of records: what a checkpoint handles at once is most of what a fast crawl takes in memory.
EARLY_BYTES = 4 << 20

_ENCODED_AT_ONCE = 1_000


class Keeper(Protocol):
    """Something whose small state every checkpoint stores, under a name: the seed list, the end of a pipe."""

    def restore(self, state: bytes) -> None:
        """What `state` returned for the last checkpoint, before anything else is asked; empty for a new crawl."""
        ...

    def state(self) -> bytes:
        """What it must be told after a crash, as of this moment; empty for nothing."""
        ...

    async def sync(self, *, fsync: bool) -> None:
        """Bring to the disk, with `fsync` safe from a power cut, whatever the last `state` relies on."""
        ...


class RecordsCounted(Protocol):
    """A `Keeper` whose state tells how many records there are, those carried over included."""

    def carried(self, lines: Mapping[str, int]) -> bytes:
        """What `state` returned for the checkpoint under way, with these lines, by sink, besides."""
        ...


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What one checkpoint made durable."""

    pages: Sequence[bytes]  #: lines of pages.jsonl, without newlines
    positions: Mapping[str, int]  #: sink name -> committed length of its file in bytes
    #: every URL that has ended, in order; those with a page as `pages` has them
    ended: Sequence[Finished] = ()
    #: sink name -> what was appended to it: one line or, with newlines between them, several
    lines: Mapping[str, Sequence[bytes]] = field(default_factory=dict)

    @property
    def news(self) -> Sequence[bytes]:
        """Those of `pages` that were fetched and read, and not carried over from an earlier generation."""
        with_page = [end for end in self.ended if end.has_page]
        if all(end.outcome is not Outcome.UNCHANGED for end in with_page):
            return self.pages
        pairs = zip(self.pages, with_page, strict=True)
        return [line for line, end in pairs if end.outcome is not Outcome.UNCHANGED]


class Committer:
    """Gathers results and makes them durable, every `every_s` seconds or sooner.

    Args:
        sinks: By sink name, open; `PAGES` and `OUTCOMES` at least. Closed by their owner.
        sources: By sink name: whose lines it gets, where those are not its own.
        outcome_line: Encodes the line of a URL that has no page record.
        memory_bytes: Lines that may wait for a checkpoint, those counted that are only to be carried over; while one is
            written, as many again are under way.
        keepers: By the name of their blob.
        blobs: What the first checkpoint stores besides, by name.
        heap: Of this process, seen to after commits.
        carrier: Reads what an earlier generation has of a URL that is as it was; None where there is none.
        counted: The name of the keeper that counts records, and that itself; None where nobody does.
        journal: Of a worker that shares its crawl with others; None for a crawl of its own.
        committed: Called after the first commit and each that held results, before the next begins: taking one's
            time here slows the crawl, and nothing else.
    """

    def __init__(
        self,
        *,
        frontier: Frontier,
        policy: Policy,
        stats: Stats,
        sinks: Mapping[str, Sink],
        outcome_line: Callable[[Finished], bytes],
        every_s: float,
        fsync: bool,
        memory_bytes: int = 64 << 20,
        sources: Mapping[str, str] | None = None,
        keepers: Mapping[str, Keeper] | None = None,
        blobs: Mapping[str, bytes] | None = None,
        heap: Heap | None = None,
        carrier: Carrier | None = None,
        counted: tuple[str, RecordsCounted] | None = None,
        journal: Journal | None = None,
        committed: Callable[[Committed], Awaitable[None]] | None = None,
    ) -> None:
        self._frontier = frontier
        self._policy = policy
        self._stats = stats
        self._sinks = sinks
        self._sources = sources or {}
        self._outcome_line = outcome_line
        self._every_s = every_s
        self._fsync = fsync
        self._memory_bytes = memory_bytes
        self._early_bytes = min(EARLY_BYTES, memory_bytes // 2)
        self._keepers = keepers or {}
        self._blobs = dict(blobs or {})
        self._heap = heap
        self._carrier = carrier
        self._counted = counted
        #: whose lines are written
        self._written = frozenset(self._sources.get(name, name) for name in sinks)
        self._committed = committed
        self._journal = journal
        self._batch = self._new_batch()
        self._due = asyncio.Event()
        self._begun = self._done = 0  # commits
        self._stored = asyncio.Event()  # one is done
        self._taken = asyncio.Event()  # a batch, or what the frontier gathered, has been taken: there is room again
        self._positions: dict[str, int] = {}
        self._states: dict[str, bytes] = {}  # of keepers, as committed: a jar of cookies may be large
        self._closing = False
        #: whether the last commit is done
        self.is_over = False
        #: requests put off that the frontier does not know of yet
        self.snoozing = 0

    def finish(self, finished: Finished, records: Sequence[tuple[str, bytes]]) -> None:
        """Add a result and its encoded lines. Synchronous, so that its links can follow in the same loop turn."""
        batch = self._batch
        batch.add(finished, records)
        if batch.size >= self._early_bytes or len(batch.finished) >= EARLY_ROWS:
            self._due.set()

    def snooze(self, snoozed: Snoozed) -> None:
        """Add a request that is to be tried again; the frontier wakes it once it is committed and due."""
        self._batch.snoozed.append(snoozed)
        self.snoozing += 1
        self._due.set()

    def hasten(self) -> None:
        """There is something that a crash must not forget: commit as soon as the commit under way is done."""
        self._due.set()

    async def flush(self) -> None:
        """Return once all that has ended so far is committed: at once if it is."""
        wanted = self._begun
        if len(self._batch):
            wanted += 1
            self._due.set()
        while self._done < wanted:
            self._stored.clear()
            await self._stored.wait()

    async def settled(self) -> None:
        """Return once all that the frontier has admitted so far is committed: at once where `run` has ended."""
        wanted = self._begun + 1
        self._due.set()
        while self._done < wanted and not self.is_over:
            self._stored.clear()
            await self._stored.wait()

    async def room(self) -> None:
        """Return at once while what waits for a commit is of bearable size, else when it has been taken."""
        if self._frontier.uncommitted >= EARLY_ROWS:
            self._due.set()
        while self._is_full():
            self._taken.clear()
            await self._taken.wait()

    @property
    def waiting(self) -> int:
        """How many results wait for a commit."""
        return len(self._batch)

    def _is_full(self) -> bool:
        most = 2 * EARLY_ROWS
        batch = self._batch
        return len(batch) >= most or batch.size >= self._memory_bytes or self._frontier.uncommitted >= most

    async def run(self, woke: Callable[[], None]) -> None:
        """Commit at once and again and again, calling `woke` after each; once more after `close`, then return."""
        is_last = False
        while not is_last:
            is_last = self._closing
            await self._commit(is_last=is_last)
            woke()
            if self._heap is not None and self._heap.is_loose():
                await asyncio.to_thread(self._heap.trim)
            if not self._closing:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._every_s):
                        await self._due.wait()
                self._due.clear()
        self.is_over = True
        self._stored.set()

    def close(self) -> None:
        """Let `run` end once everything gathered and admitted so far is committed."""
        self._closing = True
        self._due.set()

    async def _commit(self, *, is_last: bool = False) -> None:
        batch, self._batch = self._batch, self._new_batch()
        self._frontier.cut()
        self._begun += 1
        self._taken.set()
        hosts, robots = self._policy.changes(everything=self._closing)
        counters = self._stats.counters()
        states = {name: keeper.state() for name, keeper in self._keepers.items()}
        changed = {name: state for name, state in states.items() if state != self._states.get(name)}
        await self._tell_outcomes(batch)
        await batch.carry(self._carrier, self._written)
        if batch.carried and self._counted is not None:
            name, counts = self._counted
            states[name] = changed[name] = counts.carried(batch.carried)
        positions = await self._write(batch.lines)
        if self._journal is not None:
            await self._journal.write(batch, Told(positions, counters, states, is_last), fsync=self._fsync)
        for keeper in self._keepers.values():
            await keeper.sync(fsync=self._fsync)
        await self._frontier.commit(
            Checkpoint(
                finished=tuple(batch.finished),
                snoozed=tuple(batch.snoozed),
                hosts=tuple(hosts),
                robots=tuple(robots),
                positions=positions,
                counters=counters,
                blobs=self._blobs | changed,
            )
        )
        self._states = states
        is_first, self._blobs = bool(self._blobs), {}
        self._taken.set()
        self._policy.stored()
        self._done += 1
        self._stored.set()
        if self._committed and (len(batch) or is_first):
            pages = batch.lines.get(PAGES, ())
            await self._committed(Committed(pages=pages, positions=positions, ended=batch.finished, lines=batch.lines))
        self.snoozing -= len(batch.snoozed)  # in one turn of the loop with `woke`, so that nobody sees neither

    def _new_batch(self) -> Batch:
        return Batch() if self._journal is None else JournaledBatch()

    async def _tell_outcomes(self, batch: Batch) -> None:
        """Make the lines of URLs that have no page, a thousand in a turn of the loop."""
        lines: list[bytes] = []
        for start in range(0, len(batch.finished), _ENCODED_AT_ONCE):
            some = batch.finished[start : start + _ENCODED_AT_ONCE]
            lines += (self._outcome_line(finished) for finished in some if not finished.has_page)
            if len(some) == _ENCODED_AT_ONCE:
                await asyncio.sleep(0)
        if lines:
            batch.lines[OUTCOMES] = lines

    async def _write(self, lines: Mapping[str, list[bytes]]) -> dict[str, int]:
        """Append to each sink and bring it down to the disk; the lengths of all."""
        for name, sink in self._sinks.items():
            if batch := lines.get(self._sources.get(name, name)):
                await sink.append(batch)
            elif name in self._positions:
                continue  # nothing new; but every file has its length in the first commit already
            self._positions[name] = await sink.sync(fsync=self._fsync)
        return dict(self._positions)
