"""What do the sitemaps of this refresh say of when pages changed, and have all of them had their say?

`Lastmods` is a sink: a checkpoint hands it what the sitemaps that end with it say, before they count as ended, so a
killed refresh forgets nothing. `Sitemaps` lets the seeding wait until that is all there is to come.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from crawler.dataset.ledger import connected
from crawler.errors import CrawlerError
from crawler.extract.lastmod import Said
from crawler.frontier.sqlite_schema import read_back
from crawler.refresh.memory import memory_at, memory_errors, signed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from crawler.clock import Clock

log = logging.getLogger(__name__)

NEAR_S = 30.0
"""Whom it takes longer to wait for is not waited for."""
STALL_COMMITS, STALL_S = 10, 60.0
"""So many commits and seconds without a sitemap that ended, and nobody waits any longer."""

_INSERT = """
INSERT INTO lastmod VALUES (?, ?, ?)
ON CONFLICT (fingerprint) DO UPDATE SET at = excluded.at, lastmod = excluded.lastmod WHERE excluded.at > at
"""
_PENDING = """
SELECT count(*), coalesce(sum(max(coalesce(snoozed.due_ms / 1000.0, 0), coalesce(host.ready_at, 0)) <= ?), 0)
FROM url JOIN host ON host.id = url.host LEFT JOIN snoozed ON snoozed.id = url.id
WHERE url.extra LIKE '%"kind":"sitemap"%' AND NOT EXISTS (SELECT 1 FROM done WHERE done.id = url.id)
"""
_lines = msgspec.json.Decoder(list[Said])


class Lastmods:
    """An `export.base.Sink` of lines that `extract.lastmod.said_line` made. Of a URL in several, the latest counts.

    Args:
        path: The memory of the refresh.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def open(self, position: int | None) -> None:  # noqa: ARG002 - it has none
        """See `Sink.open`. What no checkpoint knew may stay: it is said again."""
        self._connection = await asyncio.to_thread(memory_at, self._path)

    async def append(self, lines: Sequence[bytes]) -> None:
        """See `Sink.append`."""
        if self._connection is None:
            raise CrawlerError(f"{self._path}: is not open")
        await asyncio.to_thread(self._append, self._connection, lines)

    async def sync(self, *, fsync: bool) -> int:  # noqa: ARG002 - SQLite sees to it
        """See `Sink.sync`. It has no length."""
        return 0

    async def aclose(self) -> None:
        """See `Sink.aclose`."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await asyncio.to_thread(connection.close)

    def _append(self, connection: sqlite3.Connection, lines: Sequence[bytes]) -> None:
        with memory_errors(self._path):
            connection.execute("BEGIN IMMEDIATE")
            for line in lines:
                rows = [(signed(said.fingerprint), said.at, said.lastmod) for said in _lines.decode(line)]
                connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")


def said_of(connection: sqlite3.Connection, fingerprints: Sequence[int]) -> dict[int, tuple[float, str]]:
    """What sitemaps say of those URLs of which they say something: when they changed, at the latest, and as written."""
    asked = msgspec.json.encode([signed(fingerprint) for fingerprint in fingerprints]).decode()
    rows = connection.execute(
        "SELECT value, at, lastmod FROM json_each(?) CROSS JOIN lastmod ON fingerprint = value", (asked,)
    )
    return {number & (1 << 64) - 1: (at, lastmod) for number, at, lastmod in rows}


class Sitemaps:
    """Knows whether sitemaps are still to end. A `checkpoint.Keeper` that keeps nothing: commits are what it goes by.

    Known weakness: pages of all hosts wait for the sitemaps of one that is slow, but is not resting.

    Args:
        store: Of the generation that is being made.
        clock: Tells which hosts rest.
    """

    def __init__(self, store: Path, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._commits = 0  # begun; all but the last of them are done
        self._begun = asyncio.Event()

    def restore(self, state: bytes) -> None:
        """See `Keeper.restore`."""

    def state(self) -> bytes:
        """See `Keeper.state`."""
        self._commits += 1
        self._begun.set()
        return b""

    async def sync(self, *, fsync: bool) -> None:
        """See `Keeper.sync`."""

    async def settled(self) -> None:
        """Return once all sitemaps admitted so far, and those that they name, have ended; but without waiting for
        hosts that are not to be asked for long, nor where nothing goes on.

        Raises:
            FrontierError: The store cannot be read.
        """
        await self._next_commits(2)  # the first of them stores what was admitted before this call
        left, moved_at, commits = -1, self._clock.monotonic(), 0
        while True:
            pending, near = await asyncio.to_thread(self._pending)
            if pending != left:
                left, moved_at, commits = pending, self._clock.monotonic(), 0
            stalled = commits >= STALL_COMMITS and self._clock.monotonic() - moved_at >= STALL_S
            if not near or stalled:
                break
            await self._next_commits(1)
            commits += 1
        if pending:
            log.warning("sitemaps are not waited for", extra={"why": f"{pending:,} of them can be read only later"})

    async def _next_commits(self, number: int) -> None:
        wanted = self._commits + number
        while self._commits < wanted:
            self._begun.clear()
            await self._begun.wait()

    def _pending(self) -> tuple[int, int]:
        """How many sitemaps have not ended, and of these, how many may soon."""
        with read_back(self._store), closing(connected(self._store)) as connection:
            ((pending, near),) = connection.execute(_PENDING, (self._clock.wall() + NEAR_S,)).fetchall()
        return int(pending), int(near)
