"""What does crawl.db look like, and is this file one?

The tables, for people who query them, are described in docs/crawl-db.md. `open_store` creates a store or checks one;
`explained` turns SQLite's errors into ours. What is written when is left to `sqlite_writer`.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.errors import FrontierError
from crawler.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1
"""Raised with every change that an older version of this package could not read."""

APPLICATION_ID = 0x4372574C
"""Tells our files from other SQLite databases (`PRAGMA application_id`): "CrWL"."""

_OPEN_WAIT_MS = 1_000
_COMMIT_WAIT_MS = 10_000
_CACHE_KIB = 48_000
_CHECKED_WHOLE_BYTES = 32 << 20

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE host (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    ready_at REAL, delay_s REAL, failures INTEGER, retired TEXT
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
CREATE TABLE snoozed (id INTEGER PRIMARY KEY, due_ms INTEGER NOT NULL, attempt INTEGER NOT NULL);
CREATE INDEX snoozed_by_time ON snoozed (due_ms);
CREATE TABLE done (
    id INTEGER PRIMARY KEY, outcome TEXT NOT NULL, reason TEXT, status INTEGER, target TEXT,
    attempts INTEGER NOT NULL, at REAL NOT NULL, has_page INTEGER NOT NULL
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
    seed.seed, seed.scope_host, coalesce(url.extra ->> 'kind', 'page') AS kind,
    coalesce(done.outcome, iif(snoozed.id IS NULL, 'pending', 'snoozed')) AS outcome,
    done.reason, done.status, done.target, coalesce(done.attempts, snoozed.attempt - 1, 0) AS attempts,
    done.at, coalesce(done.has_page, 0) AS has_page
FROM url
    JOIN host ON host.id = url.host
    JOIN seed ON seed.id = url.seed
    LEFT JOIN url AS parent ON parent.id = url.via
    LEFT JOIN done ON done.id = url.id
    LEFT JOIN snoozed ON snoozed.id = url.id;
"""


def open_store(path: Path, *, fsync: bool) -> sqlite3.Connection:
    """The writing connection to the store at `path`, which is created if there is no file or an empty one.

    Belongs to the calling thread; outside of explicit transactions each statement is one.

    Args:
        path: Where the store is, in a folder that exists.
        fsync: Whether a power loss must not undo the last commits (it never damages the store).

    Raises:
        FrontierError: The file is not a store, of a newer format, damaged, or locked by another process.
    """
    with explained(path):
        connection = sqlite3.connect(path, timeout=_OPEN_WAIT_MS / 1000, isolation_level=None)
        try:
            if _is_empty(connection):
                _create(connection)
            else:
                _check(connection, path)
            connection.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # the writer does it, after a commit was reported
            connection.execute("PRAGMA journal_size_limit = 0")  # so that the size of the -wal file tells its content
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            connection.execute(f"PRAGMA busy_timeout = {_COMMIT_WAIT_MS}")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as `FrontierError`, saying what they mean for the store at `path`."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        match code and code & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                what = "is locked by another process"
            case sqlite3.SQLITE_NOTADB:
                what = "is not a crawl's store"
            case sqlite3.SQLITE_CORRUPT:
                what = "is damaged"
            case sqlite3.SQLITE_CONSTRAINT:
                what = "holds what only another process can have written"
            case _:
                what = "cannot be used"
        raise FrontierError(f"{path} {what} ({error})") from error


def _is_empty(connection: sqlite3.Connection) -> bool:
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not objects


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {_TABLES}")
    values = {"format": FORMAT, "key": secrets.token_hex(8), "watermark": 0, "indexed": 0}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", values.items())
    connection.executemany("INSERT INTO tally VALUES (?, 0)", [(outcome,) for outcome in Outcome])
    connection.execute("COMMIT")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is not a whole store of a format we know. A large one is not read through for it."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise FrontierError(f"{path} is a SQLite database, but not a crawl's store")
    (found,) = connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone() or (None,)
    if found != FORMAT:
        raise FrontierError(f"{path} has format {found}, and this version of crawler reads format {FORMAT} only")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    if pages * page_bytes <= _CHECKED_WHOLE_BYTES:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise FrontierError(f"{path} is damaged ({verdict})")
