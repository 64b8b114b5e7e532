"""How have URLs ended that may end otherwise further on in the same archive, as they failed and were tried again?

What is to be written of them waits in a private temporary database until another answer of the same URL comes by, or
the archive ends.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ended(NamedTuple):
    """The end of a URL."""

    ending: str  #: ``failed: http_503``; empty if it has a page record
    records: tuple[tuple[str, bytes], ...]  #: (sink name, lines)


class Failures:
    """By URL."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("CREATE TABLE failed (url TEXT PRIMARY KEY, ended BLOB)")
        self._count = 0

    def add(self, url: str, ended: Ended) -> None:
        """This is how it ended, unless it is heard of again."""
        self._base.execute("INSERT INTO failed VALUES (?, ?)", (url, msgspec.msgpack.encode(ended)))
        self._count += 1

    def forget(self, url: str) -> bool:
        """Another answer of it has come; whether it had failed until then."""
        if not self._count:
            return False
        known = self._base.execute("DELETE FROM failed WHERE url = ?", (url,)).rowcount
        self._count -= known
        return bool(known)

    def left(self) -> Iterator[Ended]:
        """Those that stayed, in the order in which they came."""
        for (ended,) in self._base.execute("SELECT ended FROM failed ORDER BY rowid"):
            yield msgspec.msgpack.decode(ended, type=Ended)

    def close(self) -> None:
        """Forget all."""
        self._base.close()
