"""Where in the files of the generation before do the records of each URL lie?

Each file is read once, and the place of every line noted under the number its URL has in the store there: in SQLite,
so that it takes no memory by their number. What is compressed is unpacked beside it, as a line in the middle of it
could not be read otherwise. All is made in one transaction; an index that is not whole, or of other files than those
that lie there now, is made anew.
"""

from __future__ import annotations

import logging
import sqlite3
from array import array
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.dataset.ledger import checked, connected
from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError
from crawler.frontier.sqlite_schema import read_back
from crawler.models import OUTCOMES
from crawler.refresh.line_kinds import KINDS, ScrapedLine, Told
from crawler.url import Url, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.directory import CrawlDirectory

log = logging.getLogger(__name__)

INDEX = "refresh.db"
"""In the directory of a generation that is being made."""
UNPACKED = "refresh.{sink}.lines"
"""Beside it: the lines of a compressed file."""

_FORMAT = 2
_AT_ONCE = 5_000

_TABLES = """
CREATE TABLE source (
    number INTEGER PRIMARY KEY, sink TEXT NOT NULL, path TEXT NOT NULL, is_packed INTEGER NOT NULL,
    bytes INTEGER NOT NULL, changed_ns INTEGER NOT NULL
);
CREATE TABLE part (
    id INTEGER NOT NULL, source INTEGER NOT NULL, start INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (id, source, start)
) WITHOUT ROWID;
CREATE TABLE held (id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, digest TEXT, fetched_at TEXT);
CREATE TABLE found (
    fingerprint INTEGER NOT NULL, source INTEGER NOT NULL, start INTEGER NOT NULL, bytes INTEGER NOT NULL, digest TEXT,
    fetched_at TEXT
);
CREATE TEMP TABLE asked (fingerprint INTEGER NOT NULL, id INTEGER NOT NULL);
"""
_OURS = ("source", "part", "held", "found")


class Source(NamedTuple):
    """A file of records of the generation before."""

    number: int
    sink: str
    path: str  #: absolute
    is_packed: bool
    bytes: int  #: its length
    changed_ns: int


def index_records(base: CrawlDirectory, into: Path, sinks: Sequence[str]) -> None:
    """Make the index of a generation's records, unless it is there.

    Args:
        base: The generation before; its files do not change meanwhile.
        into: The directory of the one that is being made.
        sinks: Whose records may be taken over; none if nothing may.

    Raises:
        CrawlerError: A file cannot be read, or holds what is no record.
    """
    sources = list(_sources(base, [sink for sink in sinks if sink != OUTCOMES]))
    path = into / INDEX
    with _made_anew(path):
        if _is_whole(path, sources):
            return
    log.info("the generation before is read", extra={"why": f"{len(sources)} files of records"})
    with _explained(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for name in _OURS:
            connection.execute(f"DROP TABLE IF EXISTS {name}")
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        key = _key(base.store)
        for source in sources:
            connection.executemany("INSERT INTO found VALUES (?, ?, ?, ?, ?, ?)", _places(source, into, key))
        connection.execute("CREATE INDEX found_by ON found (fingerprint)")
        _number(connection, base.store)
        connection.execute("DROP TABLE found")
        connection.executemany("INSERT INTO source VALUES (?, ?, ?, ?, ?, ?)", sources)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
        connection.execute("COMMIT")


def sources_of(into: Path) -> list[Source]:
    """The files that an index is of.

    Raises:
        CrawlerError: It cannot be read.
    """
    path = into / INDEX
    with _explained(path), closing(_read_only(path)) as connection:
        rows = connection.execute("SELECT * FROM source ORDER BY number").fetchall()
    return [Source(number, sink, file, bool(packed), *rest) for number, sink, file, packed, *rest in rows]


def unpacked(into: Path, sink: str) -> Path:
    """Where the lines of a compressed file are."""
    return into / UNPACKED.format(sink=sink)


def forget(into: Path) -> None:
    """Remove the index and what was unpacked: nothing more is taken over.

    Raises:
        CrawlerError: It cannot be removed.
    """
    for file in [*into.glob(f"{INDEX}*"), *into.glob(UNPACKED.format(sink="*"))]:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise CrawlerError(f"{file}: cannot be removed: {error.strerror}") from error


@contextmanager
def _made_anew(path: Path) -> Iterator[None]:
    """Have an index that cannot be read made anew."""
    try:
        yield
    except sqlite3.Error:
        path.unlink(missing_ok=True)


def _sources(base: CrawlDirectory, sinks: Sequence[str]) -> Iterator[Source]:
    for number, sink in enumerate(sinks):
        there = base.spellings(sink)
        if len(there) > 1:
            raise CrawlerError(f"{there[0]} and {there[1].name} are both there, expected one of them")
        for path in there:
            stat = path.stat()
            packed = path.suffix != ".jsonl"
            yield Source(number, sink, str(path.resolve()), packed, stat.st_size, stat.st_mtime_ns)


def _is_whole(path: Path, sources: Sequence[Source]) -> bool:
    if not path.exists():
        return False
    with closing(_read_only(path)) as connection:
        if connection.execute("PRAGMA user_version").fetchone() != (_FORMAT,):
            return False
        stored = [tuple(row) for row in connection.execute("SELECT * FROM source ORDER BY number")]
    packed = [unpacked(path.parent, source.sink) for source in sources if source.is_packed]
    return stored == [tuple(source) for source in sources] and all(file.exists() for file in packed)


def _places(source: Source, into: Path, key: int) -> Iterator[tuple[int, int, int, int, str | None, str | None]]:
    """Where the lines of each URL lie in a file: those that stand together, together."""
    decoder = msgspec.json.Decoder(KINDS.get(source.sink, ScrapedLine))
    last, start, size = Told(""), 0, 0
    for line in _lines(source, into):
        try:
            told = decoder.decode(line).told()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            where = f"{source.path}: byte {start + size:,}"
            raise CrawlerError(f"{where}: not a record of {source.sink}: {error}") from error
        if told.url != last.url:
            if size:
                yield _signed(last.url, key), source.number, start, size, last.digest, last.fetched_at
            last, start, size = told, start + size, 0
        size += len(line) + 1
    if size:
        yield _signed(last.url, key), source.number, start, size, last.digest, last.fetched_at


def _lines(source: Source, into: Path) -> Iterator[bytes]:
    """Each line without its newline; those of a compressed file are written down on the way."""
    lines = Lines(Path(source.path))
    if not source.is_packed:
        yield from lines
        return
    path = unpacked(into, source.sink)
    try:
        with path.open("wb") as file:
            for block in lines.blocks():
                file.write(block)
                yield from block[:-1].split(b"\n")
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be written: {error.strerror}") from error


def _number(connection: sqlite3.Connection, store: Path) -> None:
    """Put what was found under the numbers of the URLs, from the fingerprints that the store keeps in their order."""
    with read_back(store), closing(connected(store)) as base:
        for first, blob in base.execute("SELECT first, fingerprints FROM seen ORDER BY first"):
            fingerprints = array("q", blob)
            for start in range(0, len(fingerprints), _AT_ONCE):
                some = fingerprints[start : start + _AT_ONCE]
                connection.executemany("INSERT INTO asked VALUES (?, ?)", zip(some, range(first + start, 1 << 62)))  # noqa: B905
                connection.execute(
                    "INSERT OR IGNORE INTO part SELECT asked.id, source, start, bytes "
                    "FROM asked CROSS JOIN found USING (fingerprint)"
                )
                connection.execute(
                    "INSERT INTO held SELECT asked.id, sum(bytes), max(digest), max(fetched_at) "
                    "FROM asked CROSS JOIN found USING (fingerprint) GROUP BY asked.id"
                )
                connection.execute("DELETE FROM asked")


def _key(store: Path) -> int:
    with read_back(store), closing(connected(store)) as connection:
        return checked(connection, store)


def _signed(url: str, key: int) -> int:
    """The fingerprint of a URL as SQLite holds it."""
    number = fingerprint(Url(url), key)
    return number - (1 << 64) if number >> 63 else number


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CrawlerError(f"{path}: cannot be used: {error}; remove it, and it is made anew") from error
