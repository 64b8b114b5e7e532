"""What does crawl.db look like, and is this file one?

The tables, for people who query them, are described in docs/crawl-db.md. `open_store` creates a store or checks one;
`explained` and `read_back` turn the errors of using it into ours. What is written when is left to `sqlite_writer`.
"""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from crawler import __version__
from crawler.errors import DamagedStoreError, FrontierError
from crawler.models import HostState, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

OLDEST = (3, 35)
"""The first version of SQLite that knows all we ask of it (RETURNING)."""

FORMAT = 4
"""Raised with every change that an older version of this package could not read."""

APPLICATION_ID = 0x4372574C
"""Tells our files from other SQLite databases (`PRAGMA application_id`): "CrWL"."""

OPEN_WAIT_MS = 1_000
COMMIT_WAIT_MS = 10_000
_CACHE_KIB = 16_000
_CHECKED_WHOLE_BYTES = 32 << 20

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE host (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    ready_at REAL, delay_s REAL, failures INTEGER, retired TEXT, pages INTEGER, backoff_s REAL, latency_s REAL,
    first_seen INTEGER, requests INTEGER, waited_s REAL
);
CREATE TABLE seed (id INTEGER PRIMARY KEY, seed TEXT NOT NULL, scope_host TEXT NOT NULL);
CREATE TABLE url (
    id INTEGER PRIMARY KEY, host INTEGER NOT NULL, priority INTEGER NOT NULL, depth INTEGER NOT NULL,
    via, seed INTEGER NOT NULL, url TEXT NOT NULL, extra TEXT
);
CREATE TABLE seen (first INTEGER PRIMARY KEY, fingerprints BLOB NOT NULL);
CREATE TABLE chunk (
    first INTEGER PRIMARY KEY, host INTEGER NOT NULL, priority INTEGER NOT NULL, depth INTEGER NOT NULL,
    ids TEXT NOT NULL
);
CREATE INDEX chunk_by_host ON chunk (host, priority, depth);
CREATE TABLE snoozed (id INTEGER PRIMARY KEY, due_ms INTEGER NOT NULL, attempt INTEGER NOT NULL, reason TEXT);
CREATE INDEX snoozed_by_time ON snoozed (due_ms);
CREATE TABLE done (
    id INTEGER PRIMARY KEY, outcome TEXT NOT NULL, reason TEXT, status INTEGER, target TEXT,
    attempts INTEGER NOT NULL, at REAL NOT NULL, has_page INTEGER NOT NULL
);
CREATE TABLE validator (id INTEGER PRIMARY KEY, etag TEXT, last_modified TEXT);
CREATE TABLE history (
    id INTEGER PRIMARY KEY, visits INTEGER NOT NULL, changes INTEGER NOT NULL, watched_s REAL NOT NULL,
    checked_at REAL NOT NULL, changed_at REAL, gone_at REAL, lastmod TEXT
);
CREATE TABLE tally (outcome TEXT PRIMARY KEY, urls INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE robots (
    origin TEXT PRIMARY KEY, expires_at REAL NOT NULL, closed TEXT, verdict TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE file (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blob (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE fingerprint (
    segment INTEGER NOT NULL, fingerprint INTEGER NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (segment, fingerprint, id)
) WITHOUT ROWID;
CREATE VIEW ledger AS
SELECT url.id, url.url, host.name AS host, url.depth, url.priority, coalesce(parent.url, url.via) AS via,
    seed.seed, seed.scope_host, coalesce(json_extract(url.extra, '$.kind'), 'page') AS kind,
    coalesce(done.outcome, iif(snoozed.id IS NULL, 'pending', 'snoozed')) AS outcome,
    coalesce(done.reason, snoozed.reason) AS reason, done.status, done.target,
    coalesce(
        done.attempts - (done.outcome IN ('excluded', 'unchanged') AND done.status IS NULL), snoozed.attempt - 1, 0
    ) AS attempts,
    done.at, coalesce(done.has_page, 0) AS has_page
FROM url
    JOIN host ON host.id = url.host
    JOIN seed ON seed.id = url.seed
    LEFT JOIN url AS parent ON parent.id = url.via
    LEFT JOIN done ON done.id = url.id
    LEFT JOIN snoozed ON snoozed.id = url.id;
"""

STATE_COLUMNS = HostState.__struct_fields__[1:]
"""Those of `host` that hold a `HostState`, in the order of its fields: all null until there was one to store."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of `meta`."""

    format: int
    version: str
    key: str  #: hexadecimal
    watermark: int
    indexed: int


def facts(connection: sqlite3.Connection) -> Facts:
    """What a store says of itself."""
    return msgspec.convert(dict(connection.execute("SELECT name, value FROM meta").fetchall()), Facts)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that only reads; where a log lies beside the store, what that holds too."""
    whole = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    uri = f"{path.resolve().as_uri()}?mode=ro{whole}"
    return sqlite3.connect(uri, uri=True, timeout=OPEN_WAIT_MS / 1000, isolation_level=None)


def open_store(path: Path, *, fsync: bool, key: str | None = None) -> sqlite3.Connection:
    """The writing connection to the store at `path`, which is created if there is no file or an empty one.

    Belongs to the calling thread; outside of explicit transactions each statement is one.

    Args:
        path: Where the store is, in a folder that exists.
        fsync: Whether a power loss must not undo the last commits (it never damages the store).
        key: Of fingerprints, in hexadecimal, that a new store gets and one that exists must have; None for any.

    Raises:
        FrontierError: The file is not a store, of a newer format, damaged, or locked by another process.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise FrontierError(f"{path} needs SQLite {wanted} or later; this Python has {sqlite3.sqlite_version}")
    with read_back(path):
        connection = sqlite3.connect(path, timeout=OPEN_WAIT_MS / 1000, isolation_level=None)
        try:
            _provide_for_temporary_files(connection, path.parent)
            if _is_empty(connection):
                _create(connection, key or secrets.token_hex(8))
            else:
                _check(connection, path, key)
            connection.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # the writer does it, after a commit was reported
            connection.execute("PRAGMA journal_size_limit = 0")  # so that the size of the -wal file tells its content
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            connection.execute(f"PRAGMA busy_timeout = {COMMIT_WAIT_MS}")
        except BaseException:
            connection.close()
            raise
    return connection


def _provide_for_temporary_files(connection: sqlite3.Connection, folder: Path) -> None:
    """Where no usual folder is writable, as in a container whose one volume is the crawl's, have them in `folder`."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        quoted = str(folder.absolute()).replace("'", "''")
        connection.execute(f"PRAGMA temp_store_directory = '{quoted}'")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as `FrontierError`, saying what they mean for the store at `path`."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        what, hint = _MEANINGS.get(code & 0xFF, ("cannot be used", ""))
        message = f"{path} {what} ({error}){hint}"
        raise (DamagedStoreError(message, str(error)) if hint is _REPAIR else FrontierError(message)) from error


@contextmanager
def read_back(path: Path) -> Iterator[None]:
    """As `explained`, for what makes values of ours of what the store holds: what cannot be one is damage."""
    with explained(path):
        try:
            yield
        except (ArithmeticError, LookupError, TypeError, ValueError, msgspec.MsgspecError) as error:
            raise damaged(path, f"{type(error).__name__}: {error}") from error


def damaged(path: Path, what: str) -> DamagedStoreError:
    """The error that a store at `path` is damaged in this way."""
    return DamagedStoreError(f"{path} is damaged ({what}){_REPAIR}", what)


_REPAIR = "; --repair (in Python: repair=True) rebuilds it from the output files"
_MEANINGS = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", ""),
    sqlite3.SQLITE_LOCKED: ("is locked by another process", ""),
    sqlite3.SQLITE_NOTADB: ("is not a crawl's store", _REPAIR),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _REPAIR),
    sqlite3.SQLITE_ERROR: ("is damaged", _REPAIR),  # our statements are right: a table is missing, a text is no JSON
    sqlite3.SQLITE_SCHEMA: ("is damaged", _REPAIR),
    sqlite3.SQLITE_MISMATCH: ("is damaged", _REPAIR),
    sqlite3.SQLITE_TOOBIG: ("is damaged", _REPAIR),
    sqlite3.SQLITE_CONSTRAINT: ("holds what only damage or another process can have written", _REPAIR),
    sqlite3.SQLITE_FULL: ("cannot be written: no space is left on the disk", ""),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk or its file system reports an error", ""),
    sqlite3.SQLITE_READONLY: ("cannot be written: it or its folder is read-only, or it was moved or removed", ""),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened: its folder is missing or may not be written to", ""),
    sqlite3.SQLITE_PERM: ("cannot be opened: access is denied", ""),
    sqlite3.SQLITE_NOMEM: ("cannot be used: memory has run out", ""),
}
"""SQLite's primary result code -> what it says of our file, and what helps."""


def _is_empty(connection: sqlite3.Connection) -> bool:
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not objects


def _create(connection: sqlite3.Connection, key: str) -> None:
    """Make all tables, in the file itself: without its -wal it must not look like one that was never used."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {_TABLES}")
    new = Facts(format=FORMAT, version=__version__, key=key, watermark=0, indexed=0)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", msgspec.structs.asdict(new).items())
    connection.executemany("INSERT INTO tally VALUES (?, 0)", [(outcome,) for outcome in Outcome])
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _check(connection: sqlite3.Connection, path: Path, key: str | None) -> None:
    """Refuse what is not a whole store of a format we know. A large one is not read through for it."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        what = "is a SQLite database, but not a crawl's store"
        raise DamagedStoreError(f"{path} {what}{_REPAIR}", f"it {what}")
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if meta.get("format") != FORMAT:
        raise _foreign(path, meta)
    if facts(connection).key != (key or meta["key"]):
        raise FrontierError(f"{path} was not made from the generation that lies there now, but from another crawl")
    check_shape(connection, path)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    if pages * page_bytes <= _CHECKED_WHOLE_BYTES:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(path, " ".join(verdict.split()))


def check_shape(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a store of our format that has not all its tables, indices and views."""
    missing = _objects_of_ours() - _objects(connection)
    if missing:
        raise damaged(path, f"it lacks {min(missing)[0]}, or has it in another shape")


def _foreign(path: Path, meta: Mapping[str, object]) -> FrontierError:
    """Why a store with these facts about it cannot be read."""
    found, version = meta.get("format"), meta.get("version")
    if not isinstance(found, int) or not isinstance(version, str):
        return damaged(path, f"its format is {found!r}, its version {version!r}")
    return FrontierError(
        f"{path} has format {found}, and crawler {__version__} reads format {FORMAT} only: "
        f"use crawler {version}, which wrote it, or a later one"
    )


def _objects(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Tables, indices and views with the statements that make them."""
    return set(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())


@cache
def _objects_of_ours() -> set[tuple[str, str]]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(_TABLES)
        return _objects(connection)
    finally:
        connection.close()
