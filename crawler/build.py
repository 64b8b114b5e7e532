"""How do a configuration and a seed list become a running crawl?

The only place that names backends: optional packages are imported inside the branch that needs them. Parts are
opened in the order they depend on each other and closed in reverse by one exit stack.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.checkpoint import Committer
from crawler.clock import SystemClock, rfc3339
from crawler.config.file import dump
from crawler.directory import Summary
from crawler.engine import Engine, Parts, Settings
from crawler.export.jsonl import JsonlSink
from crawler.export.outcomes import outcome_line, seed_line
from crawler.extract.page import Settings as ExtractSettings
from crawler.gate import allow_descriptors
from crawler.ledger import Ledger
from crawler.models import OUTCOMES, PAGES
from crawler.politeness.policy import Policy
from crawler.scope import Scope
from crawler.seedlist import SeedList, SeedTally
from crawler.seeds import read_seeds
from crawler.stats import Stats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from crawler.checkpoint import Committed
    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.directory import CrawlDirectory
    from crawler.engine import Ending
    from crawler.export.base import Sink
    from crawler.fetch.base import Fetcher
    from crawler.frontier.base import Frontier
    from crawler.models import Request, Restored
    from crawler.parse.base import Parser
    from crawler.seeds import Seed
    from crawler.stats import Snapshot


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be crawled, and where its files go."""

    config: CrawlConfig
    directory: CrawlDirectory
    #: items of the SEED grammar; `config.seeds` if empty
    seeds: tuple[str, ...] = ()
    #: what relative seed files of the configuration are relative to
    folder: Path | None = None
    #: what the seed ``-`` reads
    stdin: BinaryIO | None = None
    #: where page records go instead of DIR/pages.jsonl
    pages: Path | None = None
    #: called with each commit; being slow in it slows the crawl
    committed: Callable[[Committed], Awaitable[None]] | None = None

    def items(self) -> tuple[str, ...]:
        """The seed items as they will be read, relative files of the configuration found in its folder."""
        if self.seeds or self.folder is None:
            return self.seeds or self.config.seeds
        folder = self.folder
        return tuple(str(folder / item) if (folder / item).is_file() else item for item in self.config.seeds)

    def read_seeds(self) -> Iterator[Seed]:
        """The seed list, streamed.

        Raises:
            ConfigError: At once for an item that cannot be meant; while iterating for a file that cannot be read.
        """
        return read_seeds(self.items(), rules=self.config.urls, stdin=self.stdin)

    def effective_config(self) -> CrawlConfig:
        """The configuration in force, its seeds included; bytes of theirs that are no text are escaped."""
        items = (item.encode(errors="surrogateescape").decode(errors="backslashreplace") for item in self.items())
        return msgspec.structs.replace(self.config, seeds=tuple(items))


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a crawl ended."""

    ending: Ending
    snapshot: Snapshot
    seeds: SeedTally


class Running:
    """A crawl whose parts are open. `run` it once; `stop`, `abort` and `snapshot` at any time."""

    def __init__(self, plan: Plan, engine: Engine, frontier: Frontier, seeds: SeedList, clock: Clock) -> None:
        self._plan = plan
        self._engine = engine
        self._frontier = frontier
        self._seeds = seeds
        self._clock = clock
        self.stop = engine.stop
        self.abort = engine.abort
        self.snapshot = engine.snapshot

    @property
    def stopping(self) -> bool:
        """Whether a stop still waits for requests in flight."""
        return self._engine.stopping

    async def run(self) -> Result:
        """Crawl to the end, then write seeds.jsonl and, unless interrupted, summary.json."""
        started_at = self._clock.wall()
        ending = await self._engine.run()
        tally = await self._write_seeds()
        result = Result(ending=ending, snapshot=self._engine.snapshot(), seeds=tally)
        if ending.stopped_by != "stop":
            self._plan.directory.write_summary(_summary(result, started_at, self._clock.wall()))
        return result

    async def _write_seeds(self) -> SeedTally:
        path = self._plan.directory.seeds
        sink = JsonlSink(path)
        await sink.open(0 if path.exists() else None)
        try:
            fsync = self._plan.config.checkpoint.fsync
            return await self._seeds.write(self._frontier, sink, seed_line, fsync=fsync)
        finally:
            await sink.aclose()


@asynccontextmanager
async def open_crawl(plan: Plan, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Open every part of a crawl in a directory that is claimed, and the caller's to write to.

    Raises:
        CrawlerError: A part cannot be opened; those opened before are closed again.
    """
    clock = clock or SystemClock()
    config, directory = plan.config, plan.directory
    seeds = SeedList(plan.read_seeds(), directory.seed_spool)  # a mistake in an item is told before files are made
    allow_descriptors(config.limits.concurrency)
    scope = Scope(config.scope)
    async with AsyncExitStack() as stack:
        frontier = _frontier(config, clock)
        restored = await frontier.open()
        stack.push_async_callback(frontier.aclose)
        parser = _parser(config, frontier.key)
        stack.push_async_callback(parser.aclose)
        await parser.start()  # first of the slow parts: workers load while this process imports its client
        fetcher = _fetcher(config, clock)
        stack.push_async_callback(fetcher.aclose)
        # last of what can fail: from here on the directory holds a crawl
        sinks = {OUTCOMES: JsonlSink(directory.outcomes), PAGES: JsonlSink(plan.pages or directory.pages)}
        for name, sink in sinks.items():
            await sink.open(restored.positions.get(name))
            stack.push_async_callback(sink.aclose)
        directory.write_config(dump(plan.effective_config()))
        parts = _parts(plan, restored, sinks, Opened(frontier, fetcher, parser, seeds, scope, clock))
        limits = Settings(concurrency=config.limits.concurrency, memory_bytes=config.limits.memory_bytes)
        yield Running(plan, Engine(parts, limits), frontier, seeds, clock)


class Opened(NamedTuple):
    """The parts that hold something open, or must be made before anything is."""

    frontier: Frontier
    fetcher: Fetcher
    parser: Parser
    seeds: SeedList
    scope: Scope
    clock: Clock


def _parts(plan: Plan, restored: Restored, sinks: Mapping[str, Sink], opened: Opened) -> Parts:
    """The parts that only compute, made to fit those that are open."""
    config, frontier, clock = plan.config, opened.frontier, opened.clock
    scope = opened.scope
    stats = Stats(clock)
    stats.restore(restored.counters)
    policy = Policy(
        limits=config.limits,
        robots=config.robots,
        budget=config.budget,
        clock=clock,
        urls=config.urls,
        resumed=bool(restored.counters),
        pages_kept=restored.counters.get("pages", 0),
        refusal=partial(_seed_refusal, scope),
    )
    committer = Committer(
        frontier=frontier,
        policy=policy,
        stats=stats,
        sinks=sinks,
        outcome_line=outcome_line,
        every_s=config.checkpoint.every_s,
        fsync=config.checkpoint.fsync,
        committed=plan.committed,
    )
    return Parts(
        seeds=opened.seeds.requests(),
        frontier=frontier,
        policy=policy,
        fetcher=opened.fetcher,
        parser=opened.parser,
        ledger=Ledger(frontier=frontier, policy=policy, scope=scope, committer=committer, stats=stats, clock=clock),
        committer=committer,
        stats=stats,
        clock=clock,
    )


def _seed_refusal(scope: Scope, request: Request) -> str | None:
    """Seeds are admitted whatever the scope, so that each has an outcome, but not requested against it."""
    is_seed = request.via is None and not request.redirected_from
    return "seed_out_of_scope" if is_seed and scope.seed_refusal(request.url) else None


def _frontier(config: CrawlConfig, clock: Clock) -> Frontier:
    match config.frontier:
        case "memory":
            from crawler.frontier.memory import MemoryFrontier  # noqa: PLC0415

            return MemoryFrontier(clock)


def _parser(config: CrawlConfig, fingerprint_key: int) -> Parser:
    settings = ExtractSettings(
        scope=config.scope,
        urls=config.urls,
        extract=config.extract,
        link_lines=config.export.links,
        max_body_bytes=int(config.fetch.max_body_bytes),
        fingerprint_key=fingerprint_key,
        agent=config.fetch.user_agent,
    )
    match config.parse.backend:
        case "process":
            from crawler.parse.process import ProcessParser  # noqa: PLC0415

            return ProcessParser(settings, config.parse)
        case "thread":
            from crawler.parse.thread import ThreadParser  # noqa: PLC0415

            return ThreadParser(settings, config.parse)
        case "inline":
            from crawler.parse.inline import InlineParser  # noqa: PLC0415

            return InlineParser(settings, config.parse)


def _fetcher(config: CrawlConfig, clock: Clock) -> Fetcher:
    from crawler.fetch.http import HttpFetcher  # noqa: PLC0415  (aiohttp takes 0.2 s to import)

    return HttpFetcher(config.fetch, clock, concurrency=config.limits.concurrency)


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
    )
