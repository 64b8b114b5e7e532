"""How does one machine crawl with several processes, each a worker of one shared crawl (``--processes N``)?

Each is this very command, with its part of what the machine has to give: requests at once, memory, parsers. They share
the crawl through Redis like any other workers, so this process only starts them, starts those anew that die, passes
signals on, and tells how it goes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from crawler.cli import FAILED, INCOMPLETE, INTERRUPTED, NO_SEED, OK, USAGE
from crawler.cli.failing import quoted
from crawler.cli.out import remark
from crawler.cli.parent import Lifeline
from crawler.cli.planning import STDIN
from crawler.config.fleet import is_shared
from crawler.config.secrets import revealed_frontier
from crawler.enrolling import Over, begun, target_for
from crawler.errors import ConfigError, CrawlerError
from crawler.parse.entry import worker_count
from crawler.units import Size

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
    from typing import Any

    from crawler.config import CrawlConfig
    from crawler.plan import Plan

MOST: Final = 64
INTERVAL_S: Final = 10.0
"""Between two lines on how all of it stands."""

MOST_DEATHS: Final = 3
"""So many times a process that dies is started anew."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORST: Final = (OK, INCOMPLETE, NO_SEED, INTERRUPTED, USAGE, FAILED)
_OURS: Final = {"--fresh": False, "--processes": True}
"""Options that no worker gets, and whether a value follows: what they ask for has been done."""
_FIRST: Final = {"--serve": True}
"""Options that only the first one gets."""


def processes_of(text: str | None) -> int:
    """How many processes ``--processes`` asks for; 0 for none of its own.

    Raises:
        ConfigError: It is no number, or not one of processes.
    """
    if text is None:
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise ConfigError(f"--processes {text}: expected a number from 1 to {MOST}")
    return int(text)


def divided(config: CrawlConfig, processes: int, number: int) -> list[str]:
    """The settings by which one of so many processes takes its part of the machine; `number` counts from 0.

    Raises:
        ConfigError: There is not enough for each.
    """
    limits = config.limits
    if limits.concurrency < processes:
        raise ConfigError(
            f"limits.concurrency: {limits.concurrency}: expected at least 1 for each of --processes {processes}"
        )
    memory = limits.memory_bytes // processes
    if memory < config.fetch.max_body_bytes:
        raise ConfigError(
            f"limits.memory: {limits.memory_bytes}: expected at least fetch.max_body ({config.fetch.max_body_bytes}) "
            f"for each of --processes {processes}"
        )
    parsers = worker_count(config.parse)
    return [
        f"limits.concurrency={_share(limits.concurrency, processes, number)}",
        f"limits.memory={Size(memory)}",
        f"parse.workers={max(1, _share(parsers, processes, number))}",
    ]


def _share(whole: int, parts: int, number: int) -> int:
    return whole // parts + (number < whole % parts)


def worker_words(words: Sequence[str], processes: int, number: int, settings: Sequence[str]) -> list[str]:
    """What is typed for one of the processes, given what was for all of them."""
    kept = list(_without(words, _OURS | (_FIRST if number else {})))
    more = [word for setting in settings for word in ("--set", setting)]
    at = kept.index("--") if "--" in kept else len(kept)
    return [*kept[:at], "--process", f"{number + 1}/{processes}", *more, *kept[at:]]


def _without(words: Sequence[str], options: Mapping[str, bool]) -> Iterator[str]:
    """`words` without these options and their values, up to a ``--``."""
    given = iter(words)
    for word in given:
        if word == "--":
            yield word
            yield from given
        elif (name := word.partition("=")[0]) in options:
            if options[name] and name == word:
                next(given, None)
        else:
            yield word


def worst(codes: Sequence[int]) -> int:
    """Of the exit codes of processes, the one that tells most: that of a signal is a failure."""
    return max((code if code in _WORST else FAILED for code in codes), key=_WORST.index, default=OK)


class Processes:
    """Workers of one machine.

    Args:
        commands: What each of them is started with.
        stdin: Whether the first one reads this process's standard input.
        told: Called with what a person should know.
    """

    def __init__(
        self, commands: Sequence[Sequence[str]], *, stdin: bool = False, told: Callable[[str], None] = remark
    ) -> None:
        self._commands = commands
        self._stdin = stdin
        self._told = told
        self._alive: dict[int, asyncio.subprocess.Process] = {}
        self._signals = 0
        self._lifeline = Lifeline()

    async def run(self, beside: Callable[[], Coroutine[Any, Any, None]]) -> int:
        """Start all, and wait for the end of all; the exit code for all of them. `beside` runs meanwhile."""
        loop = asyncio.get_running_loop()
        caught = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        for number in caught:
            loop.add_signal_handler(number, self._pass_on, number)
        telling = asyncio.ensure_future(beside())
        try:
            return worst(await asyncio.gather(*(self._keep(number) for number in range(len(self._commands)))))
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            self._lifeline.close()
            for number in caught:
                loop.remove_signal_handler(number)

    async def _keep(self, number: int) -> int:
        """Have one run until it ends by itself; its exit code."""
        deaths = 0
        while True:
            code = await self._once(number)
            if code not in (FAILED, *range(-64, 0)) or self._signals:
                return code
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else "failed"
            deaths += 1
            if deaths > MOST_DEATHS:
                self._told(f"Process {number + 1} {how} once more: it is not started again, the others go on.")
                return code
            self._told(f"Process {number + 1} {how}: started anew, as another worker.")

    async def _once(self, number: int) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._commands[number],
            stdin=None if self._stdin and number == 0 else subprocess.DEVNULL,
            pass_fds=(self._lifeline.fd,),
            env=self._lifeline.environ(os.environ),
            process_group=0,  # what a terminal sends to all of its foreground is passed on, once
        )
        self._alive[number] = process
        if self._signals:
            process.send_signal(signal.SIGTERM)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
        finally:
            del self._alive[number]

    def _pass_on(self, number: int) -> None:
        self._signals += 1
        if self._signals == 1:
            self._told("\nStopping: requests in flight have 10 s to finish. Once more: do not wait.")
        for process in self._alive.values():
            with suppress(ProcessLookupError):
                process.send_signal(number)


def run_processes(plan: Plan, processes: int, *, fresh: bool, quiet: bool) -> int:
    """Crawl with so many workers on this machine; the exit code for all of them.

    Raises:
        CrawlerError: The crawl cannot be begun, or its Redis cannot be used.
    """
    if not is_shared(plan.config.frontier):
        raise ConfigError(
            f"--processes {processes}: several processes share a crawl through a Redis: expected --frontier "
            "redis://127.0.0.1:6379/0"
        )
    plan.check()
    found = asyncio.run(begun(plan, fresh=fresh))
    if isinstance(found, Over):
        if not quiet:
            remark(found.why)
        return OK
    words = click.get_current_context().find_object(tuple) or ()
    commands = [
        [
            sys.executable,
            "-m",
            "crawler",
            *worker_words(words, processes, number, divided(plan.config, processes, number)),
        ]
        for number in range(processes)
    ]
    told = (lambda _: None) if quiet else remark
    crew = Processes(commands, stdin=STDIN in plan.items(), told=told)
    code = asyncio.run(crew.run(partial(_tell, plan.config) if not quiet else _nothing))
    if not quiet:
        with suppress(CrawlerError):
            remark(f"All workers: {asyncio.run(_now(plan.config))}")
        remark(f"Their files are in {plan.directory.path}: crawler merge {quoted(str(plan.directory.path))}")
    return code


async def _tell(config: CrawlConfig) -> None:
    """Say how all of it stands, every few seconds."""
    while True:
        await asyncio.sleep(INTERVAL_S)
        try:
            remark(await _now(config))
        except CrawlerError as error:
            remark(f"How all of it stands is not known: {error}")


async def _now(config: CrawlConfig) -> str:
    from crawler.cli.status_told import line  # noqa: PLC0415
    from crawler.fleet.looking import looking  # noqa: PLC0415 - loads redis

    target = target_for(config)
    async with looking(revealed_frontier(config.frontier, os.environ), target.prefix, None, waiting=None) as found:
        look = found.chosen(needed=True)
        return line(await look.status()) if look is not None else ""


async def _nothing() -> None:
    """Say nothing."""
