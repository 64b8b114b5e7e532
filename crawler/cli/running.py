"""What `crawl`, `try` and `demo` share: from options to a plan, and a plan run before a person's eyes."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import itertools
import logging
import shutil
import signal
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
import msgspec
import uvloop

from crawler.build import Plan, open_crawl
from crawler.cli import INCOMPLETE, INTERRUPTED, NO_SEED, OK
from crawler.cli.stream import Follower
from crawler.clock import SystemClock
from crawler.config.file import load, loads
from crawler.directory import CrawlDirectory, claim
from crawler.errors import ConfigError, CrawlerError, first_error
from crawler.politeness.limits import LimitTable
from crawler.politeness.retry import mendable
from crawler.politeness.robots import UNREACHABLE
from crawler.progress import ProgressLine, summary
from crawler.url import host_key as host_key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.build import Result, Running
    from crawler.directory import Summary

log = logging.getLogger(__name__)

DRY_RUN_SEEDS = 20


def plan_of(
    seeds: Sequence[str],
    config_path: Path | None,
    directory: str | None,
    overrides: Sequence[str],
    output: str | None = None,
) -> Plan:
    """What the options ask for.

    Raises:
        ConfigError: They cannot be meant.
    """
    loaded = load(config_path, overrides) if config_path else loads("", "defaults", overrides)
    config = loaded.config
    if not seeds and not config.seeds:
        raise ConfigError("nothing to crawl: give a SEED (a URL, a host, a file, or -), or `seeds:` in a -c FILE")
    if config_path is None and directory is None:
        config = msgspec.structs.replace(config, name=_name(seeds[0]))
    path = directory.replace("{date}", datetime.now(UTC).date().isoformat()) if directory else f"data/{config.name}"
    return Plan(
        config=config,
        directory=CrawlDirectory(Path(path)),
        seeds=tuple(seeds),
        folder=loaded.folder if config_path else None,
        pages=Path(output) if output and output != "-" else None,
    )


def _name(seed: str) -> str:
    """A folder name for a crawl that has no configuration: its first seed's host, or file name."""
    if seed == "-":
        return "stdin"
    bare = seed.split("://", 1)[-1]
    name = Path(bare).stem if Path(seed).exists() else bare.split("/", 1)[0].rsplit("@", 1)[-1]
    safe = "".join(c if c.isalnum() or c in "-._" else "-" for c in name).strip("-.")
    return safe[:80] or "crawl"


def show_plan(plan: Plan) -> None:
    """Print what would be fetched first, and how fast each of these hosts would be asked; requests nothing."""
    spool_stdin(plan)
    table = LimitTable(plan.config.limits)
    first = list(itertools.islice(plan.read_seeds(), DRY_RUN_SEEDS + 1))
    click.echo("Would be fetched first:")
    for seed in first[:DRY_RUN_SEEDS]:
        click.echo(f"  {seed.url or f'{seed.given}  ({seed.place}: {seed.error})'}")
    if len(first) > DRY_RUN_SEEDS:
        click.echo(f"  … and more: only the first {DRY_RUN_SEEDS} seeds are shown")
    click.echo("\nHow fast:")
    for host_key in dict.fromkeys(host_key_of(seed.url) for seed in first[:DRY_RUN_SEEDS] if seed.url):
        for line in table.explain(host_key):
            click.echo(f"  {line}")


def run_crawl(plan: Plan, *, fresh: bool, stream: bool = False, quiet: bool = False, verbose: bool = False) -> int:
    """Run a plan with progress, signals and a summary; its exit code.

    Raises:
        ConfigError: The directory holds an unfinished crawl, or is in use.
        CrawlerError: The crawl failed.
    """
    directory = plan.directory
    if not fresh and (end := directory.read_summary()):
        click.echo(_finished(directory, end), err=True)
        return OK
    with ExitStack() as stack:
        aside = stack.enter_context(claim(directory, fresh=fresh))
        spool_stdin(plan)
        stack.enter_context(_logging_to(directory.log, verbose=verbose))
        if aside and not quiet:
            click.echo(f"The crawl that lay in {directory.path} is now {aside}.", err=True)
        out = stack.enter_context(open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)) if stream else None
        started = SystemClock.monotonic()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(_crawl(plan, out, quiet=quiet))
        if not quiet:
            text = summary(
                result.snapshot,
                stopped_by=result.ending.stopped_by,
                directory=directory.path,
                pages=plan.pages,
                elapsed_s=SystemClock.monotonic() - started,
            )
            click.echo(text, err=True)
        return exit_code(result)


def exit_code(result: Result) -> int:
    """What the shell is told."""
    if result.ending.stopped_by == "stop":
        return INTERRUPTED
    if result.seeds.fetched == 0:
        return NO_SEED
    failed = any(reason == UNREACHABLE or mendable(reason) for _, reason in result.snapshot.reasons)
    return INCOMPLETE if failed else OK


def spool_stdin(plan: Plan) -> None:
    """Keep standard input with the crawl if it is a seed list: it is read again for seeds.jsonl."""
    if "-" in plan.items():
        plan.directory.path.mkdir(parents=True, exist_ok=True)
        with plan.directory.stdin.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)


async def _crawl(plan: Plan, out: BinaryIO | None, *, quiet: bool) -> Result:
    follower = Follower(plan.pages or plan.directory.pages, out) if out else None
    if follower:
        plan = dataclasses.replace(plan, committed=follower.committed)
    async with open_crawl(plan) as running:
        gc.freeze()  # what is imported by now lives to the end; collecting it again and again stalls the loop
        gc.set_threshold(50_000, 20, 100)
        try:
            async with asyncio.TaskGroup() as group:
                progress = None if quiet else group.create_task(_show(running))
                if follower:
                    group.create_task(follower.run(running.stop))
                with _signals(running):
                    result = await running.run()
                if progress:
                    progress.cancel()
                if follower:
                    follower.close()
        except* CrawlerError as errors:
            raise first_error(errors) from errors
    return result


async def _show(running: Running) -> None:
    progress = ProgressLine(sys.stderr, SystemClock())
    try:
        while True:
            progress.show(running.snapshot())
            await asyncio.sleep(progress.interval_s)
    finally:
        progress.close()


@contextmanager
def _signals(running: Running) -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP lets what is in flight finish, the second does not wait."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in caught:
        loop.add_signal_handler(number, running.stop)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


@contextmanager
def _logging_to(path: Path, *, verbose: bool) -> Iterator[None]:
    """Keep a log with the crawl; with `verbose` also show every request on stderr."""
    root = logging.getLogger("crawler")
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handlers: list[logging.Handler] = [logging.FileHandler(path, encoding="utf-8")]
    if verbose:
        handlers.append(logging.StreamHandler(sys.stderr))
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for handler in handlers:
        handler.setFormatter(form)
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


def _finished(directory: CrawlDirectory, end: Summary) -> str:
    how = "was complete" if end.complete else f"stopped by {end.stopped_by}"
    return (
        f"{directory.path} holds a crawl that {how} at {end.ended_at}, with {end.outcomes.get('fetched', 0):,} URLs "
        "fetched. Nothing to do: --fresh crawls anew (and moves this one aside), -d DIR crawls elsewhere."
    )
