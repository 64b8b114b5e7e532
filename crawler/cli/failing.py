"""How is it told that a crawl failed, and how to go on with it? And how does its process end even then?"""

from __future__ import annotations

import logging
import os
import shlex
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from crawler.cli import FAILED, typed_command
from crawler.cli.out import tell
from crawler.cli.planning import STDOUT
from crawler.directory import State
from crawler.shortage import Shortage, shortage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.plan import Plan

log = logging.getLogger(__name__)

_WITHIN_S = 10


def resume_command(plan: Plan, *, stream: bool = False) -> str:
    """What to type to go on with the crawl of a plan; its directory knows the rest."""
    if plan.enrolment is not None:  # whose crawl is in Redis, and goes on with any worker
        return " ".join([typed_command(), *(quoted(word) for word in plan.command[1:] if word != "--fresh")])
    words = ["crawl", "-d", str(plan.directory.path), "--resume"]
    if plan.generation is not None:
        words = ["crawl", "-d", str(plan.generation.base), "--refresh"]
    if plan.pages or stream:
        words += ["-o", str(plan.pages or STDOUT)]
    return f"{typed_command()} {' '.join(map(quoted, words))}"


def quoted(word: str) -> str:
    """For a shell, and to be seen: bytes that are no text or no letters as escapes, which bash and zsh understand."""
    if word.isprintable():  # as no surrogate is, which stands for such a byte
        return shlex.quote(word)
    letters = (
        chr(byte) if 32 <= byte < 127 and chr(byte) not in "\\'" else f"\\x{byte:02x}" for byte in os.fsencode(word)
    )
    return f"$'{''.join(letters)}'"


@contextmanager
def way_on(plan: Plan, *, stream: bool) -> Iterator[None]:
    """What ends a crawl that has begun says how to go on with it."""
    try:
        yield
    except Exception as error:
        failure = shortage(error)
        if failure is None:
            log.exception("the program is at fault")
            raise
        log.error("crawl failed", extra={"why": str(failure)})  # noqa: TRY400  (raised on, and told without a traceback)
        if plan.directory.state() is State.UNFINISHED:
            failure.add_note(_note(plan, stream=stream))
        if failure is error:
            raise
        raise failure from error


@contextmanager
def in_time(plan: Plan, *, stream: bool) -> Iterator[None]:
    """Where the machine is at its end, have the process end in 10 s, whether or not its parts can be taken down.

    That takes threads, and one that runs out of memory as it starts is waited for for ever (`Thread.start`, CPython).
    """
    try:
        yield
    except Exception as error:
        failure = shortage(error)
        if isinstance(failure, Shortage):
            _end_soon(f"crawler: {failure}\n{_note(plan, stream=stream)}")
        raise


@contextmanager
def no_alarm_left() -> Iterator[None]:
    """Take back what `in_time` has set: everything has been taken down."""
    try:
        yield
    finally:
        signal.alarm(0)


def _end_soon(text: str) -> None:
    def end(*_: object) -> None:
        with suppress(Exception):
            tell(text, err=True)
        os._exit(FAILED)

    with suppress(ValueError):  # not in the main thread: whose process it is, is not ours to say
        signal.signal(signal.SIGALRM, end)
        signal.alarm(_WITHIN_S)


def _note(plan: Plan, *, stream: bool) -> str:
    return f"What was committed stays. Once that is mended: {resume_command(plan, stream=stream)}"
