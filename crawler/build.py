"""How do a configuration and a seed list become a running crawl?

The only place that names backends, but for those of files (`crawler.outputs`), parsers (`crawler.pools`), frontiers
(`crawler.stores`) and fetchers (`crawler.fetchers`): optional packages are imported inside the branch that needs them.
Parts are opened in the order they depend on each other and closed in reverse by one exit stack.
"""

from __future__ import annotations

import logging
import os
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from crawler.assembly import Opened, assembled
from crawler.clock import SystemClock
from crawler.config.file import dump
from crawler.config.secrets import referring_headers, revealed
from crawler.directory import State
from crawler.engine import Engine
from crawler.export.jsonl import JsonlSink
from crawler.fetch.cookies import Cookies
from crawler.fetchers import fetcher_of, http, http_fetcher
from crawler.gate import Allowance, allow_descriptors, shares_of
from crawler.given import missing_sinks
from crawler.handover import most_answers
from crawler.in_flight import InFlight, open_in_flight
from crawler.outputs import open_sinks, output_files
from crawler.parse.entry import worker_count
from crawler.parse.server import Server
from crawler.parts import Settings
from crawler.politeness.limits import beat_s
from crawler.pools import open_parser as open_parser  # noqa: PLC0414 - opened from here, as all is
from crawler.pools import parser_for
from crawler.reach import Reach
from crawler.resume import CONFIG, COOKIES, GENERATION, OUTPUT, REFRESH, SEEDS, output_blob
from crawler.rule_health import RULES, RuleHealth
from crawler.running import Running
from crawler.runs import noted
from crawler.scope import Scope
from crawler.seedlist import SeedList
from crawler.sinks import hook_sink
from crawler.stores import OpenedStore, open_store, restore
from crawler.traps.detector import Traps
from crawler.traps.stored import TRAPS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from crawler.checkpoint import Keeper
    from crawler.clock import Clock
    from crawler.config import CrawlConfig, TrapsConfig
    from crawler.directory import CrawlDirectory
    from crawler.models import Restored
    from crawler.parse.base import Parser
    from crawler.parts import Parts
    from crawler.plan import Plan
    from crawler.refresh.opening import Refresh
    from crawler.renames import OutputFiles
    from crawler.rule_history import Earlier
    from crawler.sharing import Shared
    from crawler.survey.ask import Survey

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_crawl(plan: Plan, clock: Clock | None = None, *, server: Server | None = None) -> AsyncIterator[Running]:
    """Open every part of a crawl in a directory that is claimed, and the caller's to write to.

    Args:
        plan: What is to be crawled.
        clock: Tells the time, in place of the system's.
        server: For the parser pool, if the caller has started one. Closed by the caller all the same.

    Raises:
        CrawlerError: A part cannot be opened; those opened before are closed again.
        ConfigError: What is asked for cannot be, or not of the crawl that lies there.
    """
    clock = clock or SystemClock()
    config, directory = plan.config, plan.directory
    resumed = directory.state() is not State.UNUSED
    fetch = revealed(plan.fetch(), os.environ)
    cookies = Cookies(fetch, clock)
    function = config.extract.python
    health = RuleHealth(config.extract.rules, function and hook_sink(function))
    earlier = _earlier(plan) if config.extract.rules else None
    if not resumed and plan.generation is None:
        plan.read_seeds()  # a mistake in an item is told before files are made
    allowed = _allowed(config)
    scope = Scope(config.scope)
    async with AsyncExitStack() as stack:
        begun: list[bool] = []
        if not resumed:
            stack.callback(_discard_unless, begun, directory)
        if server is None and config.parse.backend == "process":
            server = Server()
            stack.callback(server.close)
        files = output_files(plan)
        shared, store = await _store(plan, clock, files, stack, resumed=resumed)
        if cookies.are_kept:
            directory.keep_store_private()
        refresh, store = await _refresh(plan, store, clock, stack)
        frontier, restored, effective = store.frontier, store.restored, store.config
        parser = parser_for(effective, frontier.key, server, lastmods=bool(refresh and refresh.choice.sinks))
        stack.push_async_callback(parser.aclose)
        await parser.start()
        reach = Reach(fetch)
        fetcher = fetcher_of(plan, fetch, cookies, clock, reach, concurrency=allowed.concurrency)
        stack.push_async_callback(fetcher.aclose)
        seeds = SeedList(plan.seed_items(effective.seeds), plan.read_item, directory.seed_spool)
        stack.callback(seeds.close)
        traps = _traps(config.traps, clock) if config.traps.detect else None
        begins = refresh.seeds(seeds) if refresh else seeds
        given = shared.seeds(seeds) if shared else begins
        keepers: dict[str, Keeper] = {SEEDS: seeds, COOKIES: cookies, RULES: health, **plan.keepers}
        keepers |= {TRAPS: traps} if traps is not None else {}
        keepers |= {REFRESH: begins, **refresh.choice.keepers} if refresh else {}
        restore(keepers, restored, directory.store)
        sinks = await open_sinks(plan, files, restored, stack, refresh.choice.sinks if refresh else {})
        text = _reopened(directory, effective)
        begun.append(True)
        in_flight = stack.enter_context(_in_flight(plan, parser, allowed))
        opened = Opened(
            frontier,
            fetcher,
            parser,
            given,
            keepers,
            scope,
            reach,
            health,
            traps,
            in_flight,
            clock,
            resumed or refresh is not None,  # the generation before may have asked the same hosts a moment ago
            refresh.carrier if refresh else None,
            refresh.promised if refresh else None,
            shared.journal if shared else None,
        )
        parts = replace(
            assembled(plan, restored, sinks, opened, {CONFIG: text.encode(), OUTPUT: output_blob(plan.pages)}),
            widen=fetcher.widen,
        )
        fetcher.ask_before_sending(parts.policy.may_send)
        run = stack.enter_context(noted(directory.runs, clock, plan.command, fsync=config.checkpoint.fsync))
        yield Running(
            _engine(parts, config, allowed, shared),
            directory=directory,
            frontier=frontier,
            seeds=seeds,
            seed_rows=JsonlSink(directory.seeds),
            clock=clock,
            fsync=config.checkpoint.fsync,
            news=[
                *store.news,
                *missing_sinks(plan.sinks, restored),
                *in_flight.news,
                *filter(None, (allowed.remark,)),
            ],
            health=health,
            release=parser.aclose,
            earlier=earlier,
            name=config.name,
            generation=_generation(plan, restored),
            unverified=fetch.unverified,
            traps=traps,
            server_pid=lambda: parser.server_pid,
            run=run,
            shared=shared,
        )


async def _store(
    plan: Plan, clock: Clock, files: OutputFiles, stack: AsyncExitStack, *, resumed: bool
) -> tuple[Shared | None, OpenedStore]:
    """What a worker of several has besides, and the store; a crawl of its own has nothing besides."""
    if plan.enrolment is not None:
        from crawler.sharing import open_shared  # noqa: PLC0415 - only a worker pays for it

        shared = await open_shared(plan, plan.enrolment, clock, stack)
        store = shared.opened()
    else:
        shared, store = None, await open_store(plan, clock, files, resumed=resumed, meanwhile=http)
    stack.push_async_callback(store.frontier.aclose)
    return shared, store


def _engine(parts: Parts, config: CrawlConfig, allowed: Allowance, shared: Shared | None) -> Engine:
    engine = Engine(parts, _settings(config, allowed))
    if shared is not None:
        shared.equip(parts, engine)
    return engine


def _generation(plan: Plan, restored: Restored) -> int:
    """Which generation it is; one that is in force and gone on with says so itself."""
    if plan.generation is not None:
        return plan.generation.number
    if (blob := restored.blobs.get(GENERATION)) is None:
        return 1
    from crawler.generations import told_in  # noqa: PLC0415 - a first one has no use for it

    told = told_in(blob)
    return told.number if told else 1


async def _refresh(
    plan: Plan, store: OpenedStore, clock: Clock, stack: AsyncExitStack
) -> tuple[Refresh | None, OpenedStore]:
    """What a refresh goes by, and its store with what was taken over; a crawl of its own has its store alone."""
    if plan.generation is None:
        return None, store
    from crawler.refresh.opening import open_refresh  # noqa: PLC0415 - only a refresh pays for it

    refresh = await stack.enter_async_context(open_refresh(plan, plan.generation, store, clock))
    news = [*store.news, *refresh.news]
    return refresh, store._replace(restored=refresh.restored, config=refresh.config, news=news)


@asynccontextmanager
async def open_survey(plan: Plan, server: Server | None = None) -> AsyncIterator[Survey]:
    """Open what asks the hosts of a plan how they may be crawled; nothing is written.

    Args:
        plan: What would be crawled.
        server: As for `open_crawl`.

    Raises:
        CrawlerError: A part cannot be opened.
        ConfigError: A secret or a file of cookies is missing.
    """
    from crawler.survey.ask import Survey  # noqa: PLC0415

    config, clock = plan.config, SystemClock()
    fetch = revealed(plan.fetch(), os.environ)
    allowed = _allowed(config)
    async with AsyncExitStack() as stack:
        parser = parser_for(plan.effective_config(), fingerprint_key=0, server=server)
        stack.push_async_callback(parser.aclose)
        await parser.start()
        reach, cookies, hidden = Reach(fetch), Cookies(fetch, clock), referring_headers(config.fetch)
        fetcher = http_fetcher(fetch, cookies, clock, reach, concurrency=allowed.concurrency, hidden=hidden)
        stack.push_async_callback(fetcher.aclose)
        yield Survey(config, fetcher, parser, clock, reach)


def _allowed(config: CrawlConfig) -> Allowance:
    """How many requests there may be at once. Raises a `ConfigError` for none."""
    parsers = worker_count(config.parse) if config.parse.backend == "process" else 0
    allowed = allow_descriptors(config.limits.concurrency, parsers)
    if allowed.remark:
        log.warning("remark", extra={"why": allowed.remark})
    return allowed


def _settings(config: CrawlConfig, allowed: Allowance) -> Settings:
    bodies = shares_of(config.limits.memory_bytes).bodies
    return Settings(concurrency=allowed.concurrency, most=allowed.most, body_bytes=bodies, beat_s=beat_s(config.limits))


def _reopened(directory: CrawlDirectory, config: CrawlConfig) -> str:
    """Mark a directory as that of a crawl that goes on; its configuration, as it is stored."""
    text = dump(config)
    directory.write_config(text)
    directory.reopen()
    return text


def _discard_unless(begun: list[bool], directory: CrawlDirectory) -> None:
    """Leave nothing of a crawl that could not be opened."""
    if not begun:
        directory.discard()


def _in_flight(plan: Plan, parser: Parser, allowed: Allowance) -> InFlight:
    """What is in hand: of a crawl that can be resumed, noted where that finds it."""
    requests = allowed.most + most_answers(parser.lanes)
    return (
        InFlight(requests) if plan.config.frontier == "memory" else open_in_flight(plan.directory.in_flight, requests)
    )


def _traps(config: TrapsConfig, clock: Clock) -> Traps:
    if not config.allow:
        return Traps(config, clock)
    from crawler.config.patterns import pattern_set  # noqa: PLC0415 - only patterns pay for RE2

    return Traps(config, clock, pattern_set(config.allow))


def _earlier(plan: Plan) -> Earlier | None:
    """The crawl before this one."""
    from crawler.rule_history import crawl_before  # noqa: PLC0415

    return crawl_before(plan.directory.path, plan.config.name)
