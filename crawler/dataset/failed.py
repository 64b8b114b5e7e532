"""How have URLs failed that may succeed further on in the same archive, as they were tried again?

Their lines wait in a private temporary database until another answer of the same URL comes by, or the archive ends.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Failure(NamedTuple):
    """The end of a URL that failed, so far."""

    ending: str  #: ``failed: http_503``
    line: bytes  #: of outcomes.jsonl


class Failures:
    """By URL."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("CREATE TABLE failed (url TEXT PRIMARY KEY, ending TEXT, line BLOB)")
        self._count = 0

    def add(self, url: str, failure: Failure) -> None:
        """This is how it ended, unless it is heard of again."""
        self._base.execute("INSERT INTO failed VALUES (?, ?, ?)", (url, *failure))
        self._count += 1

    def forget(self, url: str) -> None:
        """Another answer of it has come."""
        if self._count:
            self._count -= self._base.execute("DELETE FROM failed WHERE url = ?", (url,)).rowcount

    def left(self) -> Iterator[Failure]:
        """Those that stayed, in the order in which they came."""
        for ending, line in self._base.execute("SELECT ending, line FROM failed ORDER BY rowid"):
            yield Failure(str(ending), bytes(line))

    def close(self) -> None:
        """Forget all."""
        self._base.close()
