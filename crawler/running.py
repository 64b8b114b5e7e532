"""What is a crawl whose parts are open, and how did it end?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from crawler.clock import rfc3339
from crawler.directory import Summary
from crawler.export.outcomes import seed_line
from crawler.models import STOPPED
from crawler.seedlist import SeedTally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.clock import Clock
    from crawler.directory import CrawlDirectory
    from crawler.engine import Ending, Engine
    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.seedlist import SeedList
    from crawler.stats import Snapshot


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a crawl ended."""

    ending: Ending
    snapshot: Snapshot
    #: empty after an interruption, as is seeds.jsonl: the list is gone through at the end
    seeds: SeedTally


class Running:
    """A crawl whose parts are open. `run` it once; `stop`, `abort` and `snapshot` at any time.

    Args:
        seed_rows: The sink of seeds.jsonl; opened and closed here.
        news: What a resumed crawl has to tell before it goes on.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        directory: CrawlDirectory,
        frontier: Frontier,
        seeds: SeedList,
        seed_rows: Sink,
        clock: Clock,
        fsync: bool,
        news: Sequence[str],
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._frontier = frontier
        self._seeds = seeds
        self._seed_rows = seed_rows
        self._clock = clock
        self._fsync = fsync
        self.news = news
        self.stop = engine.stop
        self.abort = engine.abort
        self.snapshot = engine.snapshot

    @property
    def stopping(self) -> bool:
        """Whether a stop still waits for requests in flight."""
        return self._engine.stopping

    async def run(self) -> Result:
        """Crawl to the end, then, unless interrupted, write seeds.jsonl and summary.json."""
        started_at = self._clock.wall()
        ending = await self._engine.run()
        interrupted = ending.stopped_by == STOPPED
        tally = SeedTally() if interrupted else await self._write_seeds()
        result = Result(ending=ending, snapshot=self._engine.snapshot(), seeds=tally)
        if not interrupted:
            self._directory.write_summary(_summary(result, started_at, self._clock.wall()))
        return result

    async def _write_seeds(self) -> SeedTally:
        rows = self._seed_rows
        await rows.open(0 if self._directory.seeds.exists() else None)
        try:
            return await self._seeds.write(self._frontier, rows, seed_line, fsync=self._fsync)
        finally:
            await rows.aclose()


def _summary(result: Result, started_at: float, ended_at: float) -> Summary:
    snapshot, seeds = result.snapshot, result.seeds
    reasons: dict[str, dict[str, int]] = {}
    for (outcome, reason), count in snapshot.reasons.items():
        reasons.setdefault(outcome, {})[reason] = count
    return Summary(
        complete=result.ending.complete,
        stopped_by=result.ending.stopped_by,
        started_at=rfc3339(started_at),
        ended_at=rfc3339(ended_at),
        elapsed_s=round(ended_at - started_at, 3),
        seeds={"given": seeds.given, "bad": seeds.bad, "fetched": seeds.fetched},
        pages=snapshot.pages,
        wire_bytes=snapshot.wire_bytes,
        admitted=snapshot.admitted,
        pending=snapshot.queued,
        outcomes={str(outcome): count for outcome, count in snapshot.outcomes.items()},
        reasons=reasons,
        refusals={rule: refusal.count for rule, refusal in snapshot.refusals.items()},
        hosts=msgspec.structs.asdict(snapshot.hosts),
    )
