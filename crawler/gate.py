"""How much may be held at once? Answers between fetch and parse, and open files."""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import NamedTuple

from crawler.errors import ConfigError

DESCRIPTORS_A_REQUEST = 3  #: a connection in use, and two kept open idle
DESCRIPTORS_BESIDE = 64  #: output files, parser processes, the log, what the interpreter holds
MOST_CONCURRENCY = 4_096  #: how many requests at once a running crawl can be told to have, unless it began with more


class MemoryShares(NamedTuple):
    """How ``limits.memory`` is split between the places where a crawl holds what pages are made of."""

    bodies: int  #: fetched and not yet parsed: half
    results: int  #: lines of records that wait for a checkpoint: a quarter; those being written take the last one


def shares_of(memory_bytes: int) -> MemoryShares:
    """The shares of ``limits.memory``."""
    return MemoryShares(bodies=max(1, memory_bytes // 2), results=max(1, memory_bytes // 4))


class Gate:
    """Counts answers that are held, and their bytes; open while both are under their limits.

    What is already under way is never refused, so the limits are overshot by at most what passed the open gate:
    ``limits.concurrency`` answers, of ``fetch.max_body`` each.
    """

    def __init__(self, limit_bytes: int, limit_answers: int) -> None:
        self._limit_bytes = limit_bytes
        self._limit_answers = limit_answers
        self._bytes = 0
        self._answers = 0
        self._open = asyncio.Event()
        self._open.set()

    @property
    def answers(self) -> int:
        """How many are held."""
        return self._answers

    @property
    def is_open(self) -> bool:
        """Whether more may be started."""
        return self._open.is_set()

    async def passed(self) -> None:
        """Return once the gate is open."""
        while not self._open.is_set():  # it may have closed again before the waiter's turn comes
            await self._open.wait()

    def hold(self, size: int) -> None:
        """Count one more answer of `size` bytes."""
        self._bytes += size
        self._answers += 1
        if self._bytes >= self._limit_bytes or self._answers >= self._limit_answers:
            self._open.clear()

    def let_go(self, size: int, answers: int) -> None:
        """Some are held no longer, of `size` bytes together."""
        self._bytes -= size
        self._answers -= answers
        if self._bytes < self._limit_bytes and self._answers < self._limit_answers:
            self._open.set()


class Allowance(NamedTuple):
    """How many requests may be under way at once."""

    concurrency: int
    #: what to tell where they are fewer than were asked for; empty if not
    remark: str = ""
    #: how many there may come to be when more are asked for later
    most: int = 0


def allow_descriptors(concurrency: int, parsers: int = 0) -> Allowance:
    """Let the process have the open files that `concurrency` requests take, or have fewer requests at once: running out
    of files would end the crawl.

    The usual soft limit is for programs that use `select`; it is raised as far as allowed, up to what
    `MOST_CONCURRENCY` requests take.

    Args:
        concurrency: Asked for by ``limits.concurrency``.
        parsers: Parser processes, each at the end of a socket.

    Raises:
        ConfigError: The system does not allow as many as one request takes.
    """
    beside = DESCRIPTORS_BESIDE + parsers
    needed = DESCRIPTORS_A_REQUEST * concurrency + beside
    wished = max(concurrency, MOST_CONCURRENCY)
    have = _raised(DESCRIPTORS_A_REQUEST * wished + beside, needed)
    most = min(wished, (have - beside) // DESCRIPTORS_A_REQUEST)
    if most < 1:
        least = DESCRIPTORS_A_REQUEST + beside
        raise ConfigError(
            f"this process may have {have} open files at once, and a crawl takes {least} and more: raise `ulimit -Hn`"
        )
    if most >= concurrency:
        return Allowance(concurrency, most=most)
    return Allowance(
        most,
        f"limits.concurrency: {concurrency} takes up to {needed:,} open files, and this process may have {have:,}: at "
        f"most {most} requests at once; raise `ulimit -Hn` for more",
        most,
    )


def _raised(wished: int, needed: int) -> int:
    """Raise the soft limit of open files to what is wished, or else as far as allowed; what it is then, `wished` at the
    most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wished:
        return wished
    for wanted in (wished, hard, max(soft, needed)):  # macOS calls some unlimited and refuses more than it has
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wished if wanted == resource.RLIM_INFINITY else min(wanted, wished)
    return soft
