"""How do tables become a SQLite database, as a file that is written once?

Text, numbers and booleans (0 and 1) are what they are; what is nested is text of JSON, for SQLite's own functions. The
table ``_columns`` says which field each column comes from, and its type.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from crawler.errors import CrawlerError
from crawler.tables.columns import BOOL, NUMBER, TEXT, WHOLE, distinct, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from crawler.tables.columns import Column

ABOUT: Final = "_columns"

_TYPES: Final = {TEXT: "TEXT", WHOLE: "INTEGER", NUMBER: "REAL", BOOL: "BOOLEAN"}
_INDEXED: Final = ("url", "_url", "source", "target")
_CACHE_KIB = 16_000


class Database:
    """A new SQLite database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names: list[str] = [ABOUT]
        connection.execute(f'CREATE TABLE {ABOUT} ("table" TEXT, "column" TEXT, "field" TEXT, "type" TEXT)')

    def table(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> int:
        """Make a table of these rows; how many there were."""
        name = f"_{name}" if name.lower().startswith("sqlite_") else name  # SQLite keeps such names for itself
        self._names.append(name)
        name = distinct(self._names)[-1]
        shown = ", ".join(f"{quoted(one.name)} {_TYPES.get(one.kind.type, 'TEXT')}" for one in columns)
        self._connection.execute(f"CREATE TABLE {quoted(name)} ({shown})")
        told = ((name, one.name, one.field, one.kind.type) for one in columns)
        self._connection.executemany(f"INSERT INTO {ABOUT} VALUES (?, ?, ?, ?)", told)  # noqa: S608  (no values)
        marks = ", ".join("?" * len(columns))
        cursor = self._connection.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)  # noqa: S608
        for one in columns:
            if one.name in _INDEXED:
                index = quoted(f"{name}_by_{one.name}")
                self._connection.execute(f"CREATE INDEX {index} ON {quoted(name)} ({quoted(one.name)})")
        return max(0, cursor.rowcount)


@contextmanager
def database(path: Path, to: Path) -> Iterator[Database]:
    """A new database at `path`, which is going to be called `to`; whole once this ends.

    Raises:
        CrawlerError: It cannot be written.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")  # it is thrown away if anything fails
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("BEGIN")
        yield Database(connection)
        connection.execute("COMMIT")
    except (sqlite3.Error, OverflowError) as error:
        raise CrawlerError(f"{to}: cannot be written: {error}") from error
    finally:
        connection.close()
