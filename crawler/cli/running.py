"""How is a plan carried out before a person's eyes? With progress, signals, a summary and an exit code.

Shared by `crawl`, `try` and `demo`. Nothing that happens on stderr can end or harm a crawl.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import signal
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import click
import uvloop

from crawler.build import open_crawl
from crawler.cli import INCOMPLETE, INTERRUPTED, NO_SEED, OK
from crawler.cli.logs import logging_to
from crawler.cli.planning import check_output
from crawler.cli.stream import Follower
from crawler.clock import SystemClock
from crawler.config.file import loads
from crawler.directory import State, claim, move_aside
from crawler.errors import ConfigError, CrawlerError, first_error
from crawler.politeness.retry import mendable
from crawler.politeness.robots import UNREACHABLE
from crawler.progress import ProgressLine, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.build import Plan, Result, Running
    from crawler.directory import CrawlDirectory


def run_crawl(plan: Plan, *, fresh: bool, stream: bool = False, quiet: bool = False, verbose: bool = False) -> int:
    """Run a plan; its exit code.

    Raises:
        ConfigError: The directory holds an unfinished or another crawl, or is in use; the output file exists.
        CrawlerError: The crawl failed.
    """
    directory = plan.directory
    check_output(plan, fresh=fresh)
    if not fresh and directory.state() is State.FINISHED:
        _check_same(plan)
        _tell(_finished(directory))
        return OK
    with ExitStack() as stack:
        aside = stack.enter_context(claim(directory, fresh=fresh))
        stack.enter_context(logging_to(directory.log, verbose=verbose))
        if aside and not quiet:
            _tell(f"The crawl that lay in {directory.path} is now {aside}.")
        if plan.pages and plan.pages.exists():
            move_aside(plan.pages)
        follower = None
        if stream:
            out = stack.enter_context(open(sys.stdout.fileno(), "wb", buffering=0, closefd=False))
            follower = Follower(directory.pages, out)
        live = not (quiet or verbose or stream)
        started = SystemClock.monotonic()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(_crawl(plan, follower, live=live, quiet=quiet))
        if not quiet:
            text = summary(
                result.snapshot,
                stopped_by=result.ending.stopped_by,
                directory=directory.path,
                pages=plan.pages,
                seeds=result.seeds,
                elapsed_s=SystemClock.monotonic() - started,
            )
            _tell(text)
        return INTERRUPTED if follower and follower.broken else exit_code(result)


def exit_code(result: Result) -> int:
    """What the shell is told."""
    if result.ending.stopped_by == "stop":
        return INTERRUPTED
    if result.seeds.fetched == 0:
        return NO_SEED
    mend = any(reason == UNREACHABLE or mendable(reason) for _, reason in result.snapshot.reasons)
    return INCOMPLETE if mend and result.ending.complete else OK


async def _crawl(plan: Plan, follower: Follower | None, *, live: bool, quiet: bool) -> Result:
    if follower:
        plan = dataclasses.replace(plan, committed=follower.committed)
    async with open_crawl(plan) as running:
        gc.freeze()  # what is imported by now lives to the end; collecting it again and again stalls the loop
        gc.set_threshold(50_000, 20, 100)
        try:
            with _signals(running, follower, quiet=quiet):
                async with asyncio.TaskGroup() as group:
                    progress = group.create_task(_show(running)) if live else None
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


async def _show(running: Running) -> None:
    if sys.stderr is None:
        return
    progress = ProgressLine(sys.stderr, SystemClock())
    with suppress(OSError):
        try:
            while True:
                progress.show(running.snapshot())
                await asyncio.sleep(progress.interval_s)
        finally:
            progress.close()


@contextmanager
def _signals(running: Running, follower: Follower | None, *, quiet: bool) -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP lets what is in flight finish, the second does not wait for anything.

    One that is ignored stays so: `nohup` and a shell's background jobs rely on it.
    """
    loop = asyncio.get_running_loop()
    received = 0

    def stop() -> None:
        nonlocal received
        received += 1
        if received == 1:
            running.stop()
            if running.stopping and not quiet:
                _tell("\nStopping: requests in flight have 10 s to finish. Once more: do not wait.")
        else:
            running.abort()
            if follower:
                follower.give_up()

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    caught = [number for number in signals if signal.getsignal(number) is not signal.SIG_IGN]
    for number in caught:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


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
    if seeds != plan.effective_config().seeds:
        shown = ", ".join(seeds[:3]) + (", …" if len(seeds) > 3 else "")
        raise ConfigError(
            f"{plan.directory.path}: holds a crawl of other seeds ({shown}); -d DIR crawls elsewhere, "
            "--fresh moves it aside"
        )


def _finished(directory: CrawlDirectory) -> str:
    end = directory.read_summary()
    if end is None:
        return f"{directory.path} holds a finished crawl."
    how = "was complete" if end.complete else f"was stopped by {end.stopped_by}"
    fetched = end.outcomes.get("fetched", 0)
    return (
        f"{directory.path} holds this crawl already: it {how} at {end.ended_at}, with {fetched:,} fetched. "
        "Nothing to do.\n--fresh crawls anew and moves it aside, -d DIR crawls elsewhere."
    )


def _tell(text: str) -> None:
    """To the person, if there is one to be reached."""
    with suppress(OSError):
        click.echo(text, err=True)
