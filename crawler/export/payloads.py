"""Which payloads does an archive hold already, and since when?

In a small SQLite file beside the archive, so that memory does not grow with it. It is never what the archive's truth
rests on: each row says at which position its record begins, and what is not below the committed one is removed when the
archive is opened. Rows that a crash has taken away, or all of them where the file is lost or damaged, only mean that a
payload is stored once more.

Beside it may lie another, of payloads in the archives of generations before; that one is only read.
"""

from __future__ import annotations

import base64
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.archive.compose import Original

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

INDEX = "payloads.db"
CARRIED = "carried.db"
_LAYOUT = """
CREATE TABLE IF NOT EXISTS payload (
    digest BLOB PRIMARY KEY, url TEXT NOT NULL, date TEXT NOT NULL, position INTEGER NOT NULL
) WITHOUT ROWID
"""
_ASKED_AT_ONCE = 500
_WAIT_S = 5.0


class PayloadIndex:
    """Digests of payloads, each with the answer that brought it first. Its calls may come from any thread, in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._base: sqlite3.Connection | None = None
        self._carried: sqlite3.Connection | None = None

    def open(self, position: int) -> None:
        """Forget what does not lie before `position`; on the disk on return, as what comes next may lie there."""
        try:
            self._base = self._connected(position)
        except sqlite3.Error:  # damaged
            self.close()
            for path in self._path.parent.glob(f"{self._path.name}*"):
                path.unlink()
            with suppress(sqlite3.Error):
                self._base = self._connected(position)
        carried = self._path.with_name(CARRIED)
        if carried.exists():
            with suppress(sqlite3.Error):
                self._carried = sqlite3.connect(
                    f"{carried.resolve().as_uri()}?immutable=1", uri=True, check_same_thread=False
                )

    def find(self, digests: Collection[str]) -> dict[str, Original]:
        """Those that are known, and the answers that they came with."""
        found = _found(self._carried, digests)
        return found | _found(self._base, [digest for digest in digests if digest not in found])

    def add(self, rows: Iterable[tuple[str, str, str, int]]) -> None:
        """Digest, URL, date and position of each answer that was stored with its payload."""
        if self._base is None:
            return
        keyed = [(_key(digest), url, date, position) for digest, url, date, position in rows]
        with suppress(sqlite3.Error), self._base:
            self._base.execute("BEGIN")
            self._base.executemany("INSERT OR IGNORE INTO payload VALUES (?, ?, ?, ?)", keyed)

    def close(self) -> None:
        """Close the file. Idempotent."""
        for base in (self._base, self._carried):
            if base is not None:
                base.close()
        self._base = self._carried = None

    def _connected(self, position: int) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=_WAIT_S)
        try:
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("PRAGMA synchronous = FULL")
            base.execute(_LAYOUT)
            base.execute("CREATE INDEX IF NOT EXISTS payload_position ON payload (position)")
            base.execute("DELETE FROM payload WHERE position >= ?", (position,))
            base.execute("PRAGMA synchronous = NORMAL")  # safe from damage, not from loss
            base.execute("PRAGMA cache_size = -8192")
        except BaseException:
            base.close()
            raise
        return base


def _found(base: sqlite3.Connection | None, digests: Collection[str]) -> dict[str, Original]:
    """Those that one of the files knows."""
    found: dict[str, Original] = {}
    if base is None:
        return found
    names = {_key(digest): digest for digest in digests}
    keys = list(names)
    with suppress(sqlite3.Error):
        for at in range(0, len(keys), _ASKED_AT_ONCE):
            some = keys[at : at + _ASKED_AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = base.execute(
                f"SELECT digest, url, date FROM payload WHERE digest IN ({marks})",  # noqa: S608 -- marks only
                some,
            )
            found |= {names[key]: Original(url, date) for key, url, date in rows}
    return found


def _key(digest: str) -> bytes:
    """Twenty bytes instead of 37 characters."""
    return base64.b32decode(digest.removeprefix("sha1:"))
