"""When does a result become durable?

Results gather in a batch. A checkpoint swaps the batch for an empty one in a single step, appends its lines to
the sinks, brings these down to the disk, and then hands everything to the frontier as one `Checkpoint`: the
moment of its commit is the moment all of it becomes true. It runs beside fetching; when results come faster
than the disk takes them, `room` holds their makers back, so the memory a batch takes is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.models import OUTCOMES, PAGES, Checkpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.models import Finished, Snoozed
    from crawler.politeness.policy import Policy
    from crawler.stats import Stats


#: A checkpoint comes early at this many results or bytes of records; at twice that, their makers wait.
EARLY_ROWS = 50_000
EARLY_BYTES = 32 << 20


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What one checkpoint made durable."""

    pages: Sequence[bytes]  #: lines of pages.jsonl, without newlines
    positions: Mapping[str, int]  #: sink name -> committed length of its file in bytes


class Batch:
    """Results since the last checkpoint. `snoozed` ones are no results yet, but wait for the same commit."""

    def __init__(self) -> None:
        self.finished: list[Finished] = []
        self.snoozed: list[Snoozed] = []
        self.lines: dict[str, list[bytes]] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self.finished) + len(self.snoozed)


class Committer:
    """Gathers results and makes them durable, every `every_s` seconds or sooner.

    Args:
        sinks: By sink name, open; `PAGES` and `OUTCOMES` at least. Closed by their owner.
        outcome_line: Encodes the line of a URL that has no page record.
        committed: Called after each commit that held results, before the next begins: taking one's time here
            slows the crawl, and nothing else.
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
        committed: Callable[[Committed], Awaitable[None]] | None = None,
    ) -> None:
        self._frontier = frontier
        self._policy = policy
        self._stats = stats
        self._sinks = sinks
        self._outcome_line = outcome_line
        self._every_s = every_s
        self._fsync = fsync
        self._committed = committed
        self._batch = Batch()
        self._due = asyncio.Event()
        self._taken = asyncio.Event()  # a batch has been taken: there is room again
        self._positions: dict[str, int] = {}
        self._closing = False

    def finish(self, finished: Finished, records: Sequence[tuple[str, bytes]]) -> None:
        """Add a result and its encoded lines. Synchronous, so that its links can follow in the same loop turn."""
        batch = self._batch
        batch.finished.append(finished)
        for name, line in records:
            batch.lines.setdefault(name, []).append(line)
            batch.size += len(line)
        if len(batch.finished) >= EARLY_ROWS or batch.size >= EARLY_BYTES:
            self._due.set()

    def snooze(self, snoozed: Snoozed) -> None:
        """Add a request that is to be tried again; its host is woken once it is committed and due."""
        self._batch.snoozed.append(snoozed)

    async def room(self) -> None:
        """Return at once while the batch is of bearable size, else when it has been taken."""
        while len(self._batch) >= 2 * EARLY_ROWS or self._batch.size >= 2 * EARLY_BYTES:
            self._taken.clear()
            await self._taken.wait()

    async def run(self, woke: Callable[[], None]) -> None:
        """Commit at once and again and again, calling `woke` after each; after `close` once more, then return."""
        await self._commit()
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._due.wait()
            self._due.clear()
            await self._commit()
            woke()
        while len(self._batch):
            await self._commit()

    def close(self) -> None:
        """Let `run` end once everything gathered so far is committed."""
        self._closing = True
        self._due.set()

    async def _commit(self) -> None:
        batch, self._batch = self._batch, Batch()
        self._taken.set()
        hosts, robots = self._policy.changes()
        counters = self._stats.counters()
        outcomes = [self._outcome_line(finished) for finished in batch.finished if not finished.has_page]
        if outcomes:
            batch.lines[OUTCOMES] = outcomes
        positions = await self._write(batch.lines)
        await self._frontier.commit(
            Checkpoint(
                finished=tuple(batch.finished),
                snoozed=tuple(batch.snoozed),
                hosts=tuple(hosts),
                robots=tuple(robots),
                positions=positions,
                counters=counters,
            )
        )
        self._policy.stored()
        for snoozed in batch.snoozed:
            self._policy.wake_at(snoozed.request.host_key, snoozed.until)
        if self._committed and len(batch):
            await self._committed(Committed(pages=batch.lines.get(PAGES, ()), positions=positions))

    async def _write(self, lines: Mapping[str, list[bytes]]) -> dict[str, int]:
        """Append to each sink and bring it down to the disk; the lengths of all."""
        for name, sink in self._sinks.items():
            if batch := lines.get(name):
                await sink.append(batch)
            elif name in self._positions:
                continue  # nothing new; but every file has its length in the first commit already
            self._positions[name] = await sink.sync(fsync=self._fsync)
        return dict(self._positions)
