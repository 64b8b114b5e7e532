"""How is a plan carried out before a person's eyes? With progress, signals, a summary and an exit code.

Shared by `crawl`, `try` and `demo`. Nothing that happens on stderr can end or harm a crawl.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import logging
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import uvloop

from crawler.build import open_crawl
from crawler.claims import move_aside
from crawler.cli import INCOMPLETE, INTERRUPTED, NO_SEED, OK
from crawler.cli.failing import in_time, no_alarm_left, way_on
from crawler.cli.joining import enrolled_here, whole_code
from crawler.cli.logs import logging_to
from crawler.cli.out import data_for, remark
from crawler.cli.planning import check_output
from crawler.cli.refreshing import beside, told, way_to_go_on
from crawler.cli.remarks import unsafe_remarks
from crawler.cli.reporting import report_written
from crawler.cli.serving import seen_by
from crawler.cli.showing import show
from crawler.cli.stopping import Stopper
from crawler.cli.stream import Follower
from crawler.cli.typed import words_typed
from crawler.clock import SystemClock
from crawler.config.file import loads
from crawler.config.fleet import is_shared
from crawler.dashboard import open_board, shown
from crawler.directory import CrawlDirectory, State
from crawler.errors import ConfigError, CrawlerError, first_error
from crawler.export.packing import suffix
from crawler.gate import allow_descriptors
from crawler.models import PAGES, STOPPED
from crawler.politeness.retry import mendable
from crawler.refresh.claimed import claimed
from crawler.refresh.ending import ended_so
from crawler.resume import STDOUT as STREAM
from crawler.shortage import file_threads, heeded, require_threads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.dashboard.board import Board
    from crawler.parse.server import Server
    from crawler.plan import Plan
    from crawler.running import Result, Running


log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""How long the loop may keep the interpreter from the thread that writes to the store. Python's own, 5 ms, lets a busy
loop starve it."""


def run_crawl(
    plan: Plan,
    *,
    fresh: bool,
    stream: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    remarks: Iterable[str] = (),
    server: Server | None = None,
    serve: str | None = None,
    process: str = "",
) -> int:
    """Run a plan; its exit code.

    Args:
        process: Which of how many processes of one machine this is, ``2/4``; empty where it is alone.
        remarks: Told at the beginning, and logged.
        server: For the parser pool, if one was started. Closed by the caller.
        serve: Where the dashboard is, as ``--serve`` says; None for none.

    Raises:
        ConfigError: The directory holds an unfinished or another crawl, or is in use; the output file exists.
        CrawlerError: The crawl failed.
    """
    plan = dataclasses.replace(plan, command=words_typed())
    plan.check()
    if is_shared(plan.config.frontier):
        found = enrolled_here(plan, fresh=fresh, quiet=quiet, process=process)
        if found is None:
            return OK
        plan, fresh = found, False
    check_output(plan, fresh=fresh)
    finished = _already(plan, fresh=fresh)
    if finished and not plan.resume:
        _check_same(plan)
        if not quiet:
            remark(finished)
        return OK
    directory = plan.directory
    with ExitStack() as stack:
        board = open_board(serve, stack)
        aside = stack.enter_context(claimed(plan, fresh=fresh))
        stack.enter_context(logging_to(directory, plan.config, verbose=verbose))
        stack.enter_context(way_on(plan, stream=stream))
        if aside and not quiet:
            remark(f"The crawl that lay in {directory.path} is now {aside}.")
        _remark_on(plan, remarks, logged_too=verbose, quiet=quiet)
        if fresh and plan.pages and plan.pages.exists():
            move_aside(plan.pages)
        plan, follower = _followed(plan, stack) if stream else (plan, None)
        plan = seen_by(board, plan, quiet=quiet)
        stack.enter_context(no_alarm_left())
        started = SystemClock.monotonic()
        ran = _in_loop(plan, follower, server, board, live=not (quiet or verbose or stream), quiet=quiet)
        result, elapsed_s = ran.result, SystemClock.monotonic() - started
        if finished and not ran.worked:
            report_written(plan, result, quiet=quiet)
            if not quiet:
                remark(finished)
            return OK
        was_cut = follower is not None and follower.was_cut
        _account(plan, result, elapsed_s, was_cut=was_cut, stream=stream, quiet=quiet)
        return INTERRUPTED if was_cut else exit_code(result)


def _remark_on(plan: Plan, remarks: Iterable[str], *, logged_too: bool, quiet: bool) -> None:
    """Tell what a person should know before a run begins, where the log does not go there anyway."""
    for line in unsafe_remarks(plan.config):
        remark(line)  # quiet or not; the fetcher logs it
    for line in remarks:
        log.warning("remark", extra={"why": line})
        if not (quiet or logged_too):
            remark(line)


def _followed(plan: Plan, stack: ExitStack) -> tuple[Plan, Follower]:
    """A plan whose page records go to standard output as well, and what brings them there."""
    out = stack.enter_context(open(sys.stdout.fileno(), "wb", buffering=0, closefd=False))  # noqa: SIM115
    pages = plan.directory.records(PAGES, suffix(plan.config.export.compress))
    follower = Follower(pages, out, passed=data_for(sys.stdout))
    return dataclasses.replace(plan, committed=follower.committed, keepers={STREAM: follower}), follower


def _in_loop(
    plan: Plan, follower: Follower | None, server: Server | None, board: Board | None, *, live: bool, quiet: bool
) -> Ran:
    """Run a plan in an event loop of its own."""
    allow_descriptors(1)  # libuv aborts the process, too, where it cannot open its own
    require_threads()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(heeded(_crawl(plan, follower, server, board, live=live, quiet=quiet)))


def _already(plan: Plan, *, fresh: bool) -> str | None:
    """What is told of a crawl that lies there and has ended, if nothing is to be done about it but what is left."""
    if plan.generation is not None or fresh or plan.repair or plan.directory.state() is not State.FINISHED:
        return None
    return _finished(plan.directory)


def _account(plan: Plan, result: Result, elapsed_s: float, *, was_cut: bool, stream: bool, quiet: bool) -> None:
    """Leave a report, put a generation in force, and tell what all came to."""
    directory = plan.directory
    ended, news = ended_so(plan, result.ending.stopped_by)
    if plan.enrolment is None and (ended is None or ended.is_whole):
        report_written(plan, result, quiet=quiet)
    if ended is not None and ended.is_whole:
        from crawler.refresh.publish import published  # noqa: PLC0415 - only a refresh pays for it

        ended = published(plan, ended)
        directory = CrawlDirectory(ended.path)
        directory.know(plan.directory.sinks)
    if quiet:
        return
    from crawler.summary import summary  # noqa: PLC0415  (not before the first request)

    text = summary(
        result.snapshot,
        stopped_by=result.ending.stopped_by or (STOPPED if was_cut else None),
        directory=directory.path,
        files=[file.name for file in directory.files()],
        pages=plan.pages,
        seeds=result.seeds,
        elapsed_s=elapsed_s,
        resume="" if plan.config.frontier == "memory" else way_to_go_on(plan, ended, stream=stream),
        rules=result.rules,
        fallen=result.fallen,
        unverified=plan.config.fetch.unverified,
        traps=result.traps,
        totals=result.totals,
    )
    remark(text)
    for line in told(ended) if ended else filter(None, [news]):
        remark(line)


def exit_code(result: Result) -> int:
    """What the shell is told."""
    if result.ending.stopped_by == STOPPED:
        return INTERRUPTED
    if result.ending.stopped_by:
        return OK  # a budget, which may have come before the first seed
    if result.totals is not None:
        return whole_code(result.totals)
    if result.seeds.fetched == 0:
        return NO_SEED
    mend = result.seeds.unread or any(mendable(reason) for _, reason in result.snapshot.reasons)
    return INCOMPLETE if mend else OK


class Ran(NamedTuple):
    """What a run came to."""

    result: Result
    worked: bool  #: whether there was anything to do


async def _crawl(
    plan: Plan, follower: Follower | None, server: Server | None, board: Board | None, *, live: bool, quiet: bool
) -> Ran:
    stopper = Stopper(follower, quiet=quiet)
    with stopper.listening():
        # Has libuv start its threads, which ends the process where it cannot: now, as there is room for them.
        loop = asyncio.get_running_loop()
        await loop.getaddrinfo("127.0.0.1", 0)
        loop.set_default_executor(file_threads())
        async with open_crawl(plan, server=server) as running, shown(board, running):
            gc.freeze()  # what is imported by now lives to the end; collecting it again and again stalls the loop
            gc.set_threshold(50_000, 20, 100)
            sys.setswitchinterval(SWITCH_INTERVAL_S)
            before = running.snapshot()
            for news in () if quiet else running.news:
                remark(news)
            if not quiet:
                running.told(remark)
            stopper.opened(running)
            with in_time(plan, stream=follower is not None):
                result = await _run(running, plan, follower, stopper if live else None)
    after = result.snapshot
    return Ran(result, (before.attempts, before.admitted, 0) != (after.attempts, after.admitted, after.queued))


async def _run(running: Running, plan: Plan, follower: Follower | None, shown_by: Stopper | None) -> Result:
    try:
        async with asyncio.TaskGroup() as group:
            progress = group.create_task(show(running, plan, shown_by.quit)) if shown_by else None
            if follower:
                group.create_task(follower.run(running.stop))
            result = await running.run()
            if progress:
                progress.cancel()
            if follower:
                follower.close()
    except* CrawlerError as errors:
        raise first_error(errors) from errors
    return result


def _check_same(plan: Plan) -> None:
    """Refuse to take a finished crawl of other seeds for the one asked for.

    Raises:
        ConfigError: It is another's, or has no configuration that says whose.
    """
    path = plan.directory.config
    try:
        seeds = loads(path.read_text(encoding="utf-8"), str(path)).config.seeds
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if not set(plan.effective_config().seeds) <= set(seeds):
        shown = ", ".join(seeds[:3]) + (", …" if len(seeds) > 3 else "")
        raise ConfigError(
            f"{plan.directory.path}: holds a finished crawl of other seeds ({shown}); --resume adds yours to it, "
            "-d DIR crawls elsewhere, --fresh moves it aside"
        )


def _finished(directory: CrawlDirectory) -> str:
    end = directory.read_summary()
    if end is None:
        return f"{directory.path} holds a finished crawl."
    how = "was complete" if end.complete else f"was stopped by {end.stopped_by}"
    counts = [f"{end.outcomes.get('fetched', 0):,} fetched"]
    if unchanged := end.outcomes.get("unchanged", 0):
        counts.append(f"{unchanged:,} unchanged")
    return (
        f"{directory.path} holds this crawl already: it {how} at {end.ended_at}, with {' and '.join(counts)}. "
        f"Nothing to do.\n{beside(directory.path)}--fresh crawls anew and moves it aside, -d DIR crawls elsewhere."
    )
