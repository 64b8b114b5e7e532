"""Where does a refresh keep what it must not forget when it is killed, and needs no more once it is through?

In the SQLite file of its index of records, in tables of its own: what sitemaps said, and what is not visited.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WAIT_S = 10.0  # for whoever reads or writes other tables of the file

_TABLES = (
    "CREATE TABLE IF NOT EXISTS lastmod (fingerprint INTEGER PRIMARY KEY, at REAL NOT NULL, lastmod TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS skipped (id INTEGER PRIMARY KEY, reason TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS chosen (terms TEXT NOT NULL, at REAL NOT NULL, counts TEXT NOT NULL)",
)


def memory_at(path: Path) -> sqlite3.Connection:
    """A connection to the file at `path`, which is made if it is not there. For one thread at a time; to be closed.

    Raises:
        CrawlerError: It cannot be opened.
    """
    with memory_errors(path):
        connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            for statement in _TABLES:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def memory_errors(path: Path) -> Iterator[None]:
    """Errors of using the file as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise CrawlerError(f"{path}: {error}") from error


def signed(fingerprint: int) -> int:
    """As SQLite's whole numbers hold it."""
    return fingerprint - (1 << 64) if fingerprint >> 63 else fingerprint
