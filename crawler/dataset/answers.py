"""Which answer of each URL counts, where an archive of ours holds several? The last: a repair has fetched it anew.

That is not known before all is read, and hardly ever so. Answers are counted while they are read; only if one has been
written that should not have been, all is read once more, and this then says which are the last. In a private temporary
database, so that memory does not grow with the archive.
"""

from __future__ import annotations

import sqlite3


class Answers:
    """By URL. Its calls may come from any thread, in turn."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("CREATE TABLE answer (url TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID")
        #: whether an answer that counts has been followed by another, so that all has to be read again
        self.repeated = False

    def count(self, url: str) -> bool:
        """In the first reading: here is one; whether it is the first of its URL."""
        question = "INSERT INTO answer VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times"
        (times,) = self._base.execute(question, (url,)).fetchone()
        return bool(times == 1)

    def is_last(self, url: str) -> bool:
        """In the second reading: whether none of the URL comes after this one."""
        question = "UPDATE answer SET times = times - 1 WHERE url = ? RETURNING times"
        row = self._base.execute(question, (url,)).fetchone()
        return row is None or row[0] == 0

    def close(self) -> None:
        """Forget all."""
        self._base.close()
