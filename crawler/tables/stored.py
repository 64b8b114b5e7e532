"""What does a crawl's store hold, as tables? Those that docs/crawl-db.md describes and that hold no secrets.

They are read by SQLite and handed to DuckDB by a file that is there for a time, as its own reader of SQLite is no part
of the package.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from crawler.dataset.ledger import EmptyStoreError, checked, connected
from crawler.frontier.sqlite_schema import read_back
from crawler.tables.columns import BOOL, NUMBER, TEXT, WHOLE, quoted
from crawler.tables.spool import reader

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

STORED: Final = ("ledger", "done", "url", "snoozed", "validator", "history", "tally", "host", "seed", "robots", "file",
                 "counter")  # fmt: skip
"""The names of tables. `blob` holds cookies; others are of no use outside."""

_LEDGER: Final = {
    **dict.fromkeys(("id", "depth", "priority", "status", "attempts"), WHOLE),
    **dict.fromkeys(
        ("url", "host", "via", "seed", "scope_host", "kind", "outcome", "reason", "target"),
        TEXT,
    ),
    "at": NUMBER,
    "has_page": BOOL,
}
_TYPES: Final = {"INTEGER": WHOLE, "REAL": NUMBER}
_AT_ONCE = 1_000
_encode = msgspec.json.encode


class Stored(NamedTuple):
    """A table of the store on its way to DuckDB."""

    path: Path
    types: dict[str, str]  #: column -> type
    longest: int  #: bytes of the longest line

    def select(self) -> str:
        """SQL that gives its columns."""
        places = {f"c{number}": type_ for number, type_ in enumerate(self.types.values())}
        shown = ", ".join(f"c{number} AS {quoted(name)}" for number, name in enumerate(self.types))
        return f"SELECT {shown} FROM {reader(self.path, places, self.longest)}"  # noqa: S608  (names of our own)


def stored_types(store: Path) -> dict[str, dict[str, str]]:
    """The tables of a store: name -> column -> type. None if it is not there, or empty.

    Raises:
        FrontierError: It cannot be read.
    """
    if not store.exists():
        return {}
    try:
        with read_back(store), closing(connected(store)) as connection:
            checked(connection, store)
            return {name: _types(connection, name) for name in STORED}
    except EmptyStoreError:
        return {}


def counted(store: Path, name: str) -> int:
    """How many rows a table of the store has. Errors as of `stored_types`."""
    with read_back(store), closing(connected(store)) as connection:
        of = "url" if name == "ledger" else name
        return int(connection.execute(f"SELECT count(*) FROM {quoted(of)}").fetchone()[0])  # noqa: S608


def store_spool(store: Path, name: str, to: Path) -> Stored:
    """Write a table of the store to the file `to`, for DuckDB.

    Raises:
        FrontierError: The store cannot be read.
        OSError: `to` cannot be written.
    """
    longest = 0
    with read_back(store), closing(connected(store)) as connection, to.open("wb") as file:
        types = _types(connection, name)
        told = list(types.values())
        for row in connection.execute(f"SELECT * FROM {quoted(name)}"):  # noqa: S608
            line = _encode({f"c{n}": _cell(value, told[n]) for n, value in enumerate(row)}) + b"\n"
            longest = max(longest, len(line))
            file.write(line)
    return Stored(to, types, longest)


def _types(connection: sqlite3.Connection, name: str) -> dict[str, str]:
    if name == "ledger":
        return {row[1]: _LEDGER[row[1]] for row in connection.execute("PRAGMA table_info(ledger)")}
    rows = connection.execute(f"PRAGMA table_info({quoted(name)})")
    return {row[1]: BOOL if row[1] == "has_page" else _TYPES.get(row[2], TEXT) for row in rows}


def _cell(value: object, type_: str) -> object:
    if value is None or type_ not in (TEXT, BOOL):
        return value
    return bool(value) if type_ == BOOL else str(value)
