"""How do a configuration and a seed list become a running crawl?

The only place that names backends: optional packages are imported inside the branch that needs them. Parts are
opened in the order they depend on each other and closed in reverse by one exit stack.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from crawler.checkpoint import OUTCOMES, PAGES, Committer
from crawler.clock import SystemClock, rfc3339
from crawler.closing import SeedTally, write_seeds
from crawler.config.file import dump
from crawler.directory import Summary
from crawler.engine import Engine, Parts, Settings
from crawler.export.jsonl import JsonlSink
from crawler.export.outcomes import outcome_line, seed_line
from crawler.extract.page import Settings as ExtractSettings
from crawler.ledger import Ledger
from crawler.politeness.policy import Policy
from crawler.scope import Scope
from crawler.seeds import read_seeds, seed_request
from crawler.stats import Stats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from crawler.checkpoint import Committed
    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.directory import CrawlDirectory
    from crawler.engine import Ending
    from crawler.fetch.base import Fetcher
    from crawler.frontier.base import Frontier
    from crawler.models import Request
    from crawler.parse.base import Parser
    from crawler.seeds import Seed
    from crawler.stats import Snapshot

SEED_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be crawled, and where its files go."""

    config: CrawlConfig
    directory: CrawlDirectory
    #: items of the SEED grammar; `config.seeds` if empty
    seeds: tuple[str, ...] = ()
    #: what relative seed files of the configuration are relative to
    folder: Path | None = None
    #: where page records go instead of DIR/pages.jsonl
    pages: Path | None = None
    #: called with each commit; being slow in it slows the crawl
    committed: Callable[[Committed], Awaitable[None]] | None = None

    def read_seeds(self) -> Iterator[Seed]:
        """The seed list, streamed anew.

        Raises:
            ConfigError: A seed file is missing or cannot be read.
        """
        stdin = self.directory.stdin
        return read_seeds(self.items(), rules=self.config.urls, stdin=stdin)

    def items(self) -> tuple[str, ...]:
        """The seed items as they will be read, relative files of the configuration found in its folder."""
        if self.seeds or self.folder is None:
            return self.seeds or self.config.seeds
        folder = self.folder
        return tuple(str(folder / item) if (folder / item).is_file() else item for item in self.config.seeds)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a crawl ended."""

    ending: Ending
    snapshot: Snapshot
    seeds: SeedTally


class Running:
    """A crawl whose parts are open. `run` it once; `stop` and `snapshot` at any time."""

    def __init__(self, plan: Plan, engine: Engine, frontier: Frontier, clock: Clock) -> None:
        self._plan = plan
        self._engine = engine
        self._frontier = frontier
        self._clock = clock
        self.stop = engine.stop
        self.snapshot = engine.snapshot

    async def run(self) -> Result:
        """Crawl to the end, then write seeds.jsonl and, unless interrupted, summary.json."""
        started_at = self._clock.wall()
        ending = await self._engine.run()
        tally = await self._write_seeds()
        snapshot = self._engine.snapshot()
        if ending.stopped_by != "stop":
            self._plan.directory.write_summary(_summary(ending, snapshot, started_at, self._clock.wall()))
        return Result(ending=ending, snapshot=snapshot, seeds=tally)

    async def _write_seeds(self) -> SeedTally:
        sink = JsonlSink(self._plan.directory.seeds)
        fsync = self._plan.config.checkpoint.fsync
        await sink.open(None)
        try:
            return await write_seeds(self._plan.read_seeds(), self._frontier, sink, seed_line, fsync=fsync)
        finally:
            await sink.aclose()


@asynccontextmanager
async def open_crawl(plan: Plan, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Open every part of a crawl in a directory that is locked, unused, and the caller's to write to.

    Raises:
        CrawlerError: A part cannot be opened; those opened before are closed again.
    """
    clock = clock or SystemClock()
    config, directory = plan.config, plan.directory
    plan.read_seeds()  # a mistake in an item is told before anything is created
    async with AsyncExitStack() as stack:
        directory.config.write_text(dump(config), encoding="utf-8")
        frontier = _frontier(config, clock)
        restored = await frontier.open()
        stack.push_async_callback(frontier.aclose)
        parser = _parser(config, frontier.key)
        stack.push_async_callback(parser.aclose)
        await parser.start()  # first of the slow parts: workers load while this process imports its client
        sinks = {PAGES: JsonlSink(plan.pages or directory.pages), OUTCOMES: JsonlSink(directory.outcomes)}
        for sink in sinks.values():
            await sink.open(restored.positions.get(sink.name))
            stack.push_async_callback(sink.aclose)
        fetcher = _fetcher(config, clock)
        stack.push_async_callback(fetcher.aclose)
        scope = Scope(config.scope)
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
        ledger = Ledger(frontier=frontier, policy=policy, scope=scope, committer=committer, stats=stats, clock=clock)
        parts = Parts(
            seeds=_requests(plan),
            frontier=frontier,
            policy=policy,
            fetcher=fetcher,
            parser=parser,
            ledger=ledger,
            committer=committer,
            stats=stats,
            clock=clock,
        )
        limits = Settings(concurrency=config.limits.concurrency, memory_bytes=config.limits.memory_bytes)
        engine = Engine(parts, limits)
        yield Running(plan, engine, frontier, clock)


def _seed_refusal(scope: Scope, request: Request) -> str | None:
    """Seeds are admitted whatever the scope, so that each has an outcome, but not requested against it."""
    is_seed = request.via is None and not request.redirected_from
    return "seed_out_of_scope" if is_seed and scope.seed_refusal(request.url) else None


async def _requests(plan: Plan) -> AsyncIterator[Sequence[Request]]:
    """The good seeds in batches; files are read in a thread, as they may be slow."""
    seeds = plan.read_seeds()
    while batch := await asyncio.to_thread(lambda: list(islice(seeds, SEED_BATCH))):
        yield [seed_request(seed) for seed in batch if seed.url is not None]


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


def _summary(ending: Ending, snapshot: Snapshot, started_at: float, ended_at: float) -> Summary:
    return Summary(
        complete=ending.complete,
        stopped_by=ending.stopped_by,
        started_at=rfc3339(started_at),
        ended_at=rfc3339(ended_at),
        admitted=snapshot.admitted,
        pending=snapshot.queued,
        outcomes={str(outcome): count for outcome, count in snapshot.outcomes.items()},
        reasons={f"{outcome}: {reason}": count for (outcome, reason), count in snapshot.reasons.items()},
        refusals={rule: refusal.count for rule, refusal in snapshot.refusals.items()},
    )
