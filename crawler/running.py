"""What is a crawl whose parts are open, and how did it end?"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

from crawler.clock import rfc3339
from crawler.directory import Summary
from crawler.export.outcomes import seed_line
from crawler.models import STOPPED
from crawler.rule_history import worse
from crawler.runs import COMPLETE
from crawler.seedlist import SeedTally
from crawler.shortage import heeded

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from typing import Any

    from crawler.clock import Clock
    from crawler.directory import CrawlDirectory
    from crawler.engine import Engine
    from crawler.export.base import Sink
    from crawler.fleet.status import Totals
    from crawler.frontier.base import Frontier
    from crawler.machine import Machine
    from crawler.parts import Ending
    from crawler.rule_health import RuleHealth, RuleSummary
    from crawler.rule_history import Earlier
    from crawler.runs import Noted
    from crawler.seedlist import SeedList
    from crawler.stats import Snapshot
    from crawler.traps.detector import Traps
    from crawler.traps.verdict import Verdict
    from crawler.views import MachineView

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a crawl ended."""

    ending: Ending
    snapshot: Snapshot
    #: empty after an interruption, as is seeds.jsonl: the list is gone through at the end
    seeds: SeedTally
    #: how each scraping rule fared
    rules: Mapping[str, RuleSummary] = field(default_factory=dict)
    #: what was stopped as a trap, that with the most URLs first
    traps: Sequence[Verdict] = ()
    #: what rules find less of than before, in this crawl or since the last one, in plain lines
    fallen: Sequence[str] = ()
    #: of one worker of several: all that the crawl came to; the rest here is this worker's
    totals: Totals | None = None


class Sharing(Protocol):
    """What one worker of several has besides the parts of its crawl."""

    @property
    def totals(self) -> Totals:
        """Of the whole crawl, once it is over here."""
        ...

    async def run(self, engine: Engine) -> Ending:
        """Crawl to the end."""
        ...

    def give_up(self) -> None:
        """Wait for nobody any more."""
        ...

    def told(self, say: Callable[[str], object]) -> None:
        """Have what keeps it from its work told to `say`, a sentence at a time."""
        ...

    @property
    def waits_for(self) -> str:
        """What is the matter with what it shares; empty if nothing is."""
        ...

    def own(self, snapshot: Snapshot) -> Snapshot:
        """`snapshot` of what this worker did, whatever it holds."""
        ...


class Running:
    """A crawl whose parts are open. `run` it once; `stop`, `abort` and `snapshot` at any time.

    Args:
        seed_rows: The sink of seeds.jsonl; opened and closed here.
        news: What a resumed crawl has to tell before it goes on.
        health: How its rules fare.
        release: Lets go of what is of no use once nothing is left to fetch; it may take its time, and is called again
            when the crawl is closed.
        earlier: The crawl before this one, to compare with; None for none.
        name: Of the crawl.
        generation: Which it is: 1 for a first one.
        unverified: Host patterns whose certificates are not checked.
        traps: Finds its traps; None if nobody does.
        server_pid: The process whose children are its parsers; None where these are no processes.
        run: Told how it ended; None if nobody notes that.
        shared: Of one worker of several; None for a crawl of its own.
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
        health: RuleHealth,
        release: Callable[[], Coroutine[Any, Any, None]],
        earlier: Earlier | None = None,
        name: str = "",
        generation: int = 1,
        unverified: Sequence[str] = (),
        traps: Traps | None = None,
        server_pid: Callable[[], int | None] = lambda: None,
        run: Noted | None = None,
        shared: Sharing | None = None,
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._frontier = frontier
        self._seeds = seeds
        self._seed_rows = seed_rows
        self._clock = clock
        self._fsync = fsync
        self._health = health
        self._release = release
        self._earlier = earlier
        self._name = name
        self._generation = generation
        self._unverified = tuple(unverified)
        self._traps = traps
        self._server_pid = server_pid
        self._noted = run
        self._shared = shared
        self._machine: Machine | None = None
        #: how it ended; None before
        self.result: Result | None = None
        self.news = news
        self.stop = engine.stop
        self.snapshot = engine.snapshot
        self.hosts = engine.hosts
        self.control = engine.control

    def machine(self) -> MachineView:
        """What the crawl takes of its machine now or a moment ago; the first call tells of memory alone."""
        if self._machine is None:
            from crawler.machine import Machine  # noqa: PLC0415 - only who looks pays for psutil

            self._machine = Machine(self._clock, self._server_pid)
        return self._machine.view()

    def abort(self) -> None:
        """End now: give up what is in flight, and wait for no Redis that is away."""
        self._engine.abort()
        if self._shared is not None:
            self._shared.give_up()

    def told(self, say: Callable[[str], object]) -> None:
        """Have what a person should know told to `say` while it goes on, a sentence at a time."""
        if self._shared is not None:
            self._shared.told(say)

    @property
    def waits_for(self) -> str:
        """What a stop has to wait for, besides requests in flight; empty for nothing."""
        return self._shared.waits_for if self._shared is not None else ""

    @property
    def stopping(self) -> bool:
        """Whether a stop still waits for requests in flight."""
        return self._engine.stopping

    async def run(self) -> Result:
        """Crawl to the end, then, unless interrupted, write seeds.jsonl and summary.json."""
        started_at = self._clock.wall()
        ending = await heeded(self._engine.run() if self._shared is None else self._shared.run(self._engine))
        releasing = asyncio.ensure_future(self._release())  # while the account is written
        try:
            result = await self._account(ending, started_at)
        finally:
            await releasing
        if self._noted is not None:
            self._noted.end(ending.stopped_by or COMPLETE)
        return result

    async def _account(self, ending: Ending, started_at: float) -> Result:
        interrupted = ending.stopped_by == STOPPED
        shared = self._shared
        tally = SeedTally() if interrupted or shared else await self._write_seeds()
        snapshot = self._engine.snapshot()
        rules = self._health.account()
        result = Result(
            ending=ending,
            snapshot=shared.own(snapshot) if shared else snapshot,
            seeds=tally,
            rules=rules,
            traps=self._traps.account() if self._traps is not None else (),
            fallen=[*self._health.fallen, *(() if interrupted else self._since_the_last(rules))],
            totals=shared.totals if shared else None,
        )
        if not interrupted:
            summary = _summary(result, started_at, self._clock.wall(), self._name)
            if self._generation > 1:
                number = self._generation
                name = self._directory.path.resolve().name.removesuffix(f"@{number}")  # once it is in force
                summary = msgspec.structs.replace(summary, generation=number, base=f"{name}@{number - 1}")
            self._directory.write_summary(msgspec.structs.replace(summary, unverified=self._unverified))
        self.result = result
        return result

    def _since_the_last(self, rules: Mapping[str, RuleSummary]) -> list[str]:
        """What rules find less of than in the crawl before."""
        lines = list(worse(rules, self._earlier, refreshes=self._generation > 1)) if self._earlier else []
        for line in lines:
            log.warning("a rule finds less than in the last crawl", extra={"why": line})
        return lines

    async def _write_seeds(self) -> SeedTally:
        rows = self._seed_rows
        await rows.open(0 if self._directory.seeds.exists() else None)
        try:
            return await self._seeds.write(self._frontier, rows, seed_line, fsync=self._fsync)
        finally:
            await rows.aclose()


def _summary(result: Result, started_at: float, ended_at: float, name: str) -> Summary:
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
        attempts=snapshot.attempts,
        snoozes=snapshot.snoozes,
        statuses=snapshot.statuses,
        admitted=snapshot.admitted,
        pending=snapshot.queued,
        outcomes={str(outcome): count for outcome, count in snapshot.outcomes.items()},
        reasons=reasons,
        refusals={rule: refusal.count for rule, refusal in snapshot.refusals.items()},
        refusal_examples={rule: refusal.examples for rule, refusal in snapshot.refusals.items() if refusal.examples},
        hosts=msgspec.structs.asdict(snapshot.hosts),
        name=name,
        needs_js=snapshot.needs_js,
        rules=dict(result.rules),
        fallen=tuple(result.fallen),
        traps=list(result.traps),
    )
