"""How does a checkpoint get into the store? In one transaction, on a thread that does nothing else.

SQLite gives up the interpreter's lock around every step of a statement and has to win it back against a busy event
loop, so what counts is the number of statements and of rows stepped through from Python: everything goes in as a few
large ``INSERT ... SELECT ... FROM json_each(?)``, and what can be worked out in SQL is.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import astuple

from crawler.errors import FrontierError
from crawler.frontier import sqlite_chunks, sqlite_index
from crawler.frontier import sqlite_statements as sql
from crawler.frontier.sqlite_resume import Resumed, read_base, resume
from crawler.frontier.sqlite_schema import COMMIT_WAIT_MS, damaged, explained, open_store, read_back
from crawler.frontier.turns import parts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.frontier.bounds import Bounds
    from crawler.frontier.draft import Batch, Draft
    from crawler.frontier.sqlite_chunks import Requeued
    from crawler.models import Checkpoint, Finished, Outcome

    _Alike = tuple[Outcome, str | None, int | None, str | None, int, bool]

_SLICE = 5_000
_FEW = 10  # ends alike that are not worth a statement
_WAL_BYTES = 16 << 20
_WAL_CUT_BYTES = 256 << 20
_WAL_WARN_BYTES = 10**9
_LOG = logging.getLogger(__name__)


class Writer:
    """The writing connection to the store at `path`. All methods are called from one thread."""

    def __init__(self, path: Path, *, fsync: bool, bounds: Bounds, base: Path | None = None) -> None:
        self._path = path
        self._base = base
        self._fsync = fsync
        self._bounds = bounds
        self._wal = path.with_name(path.name + "-wal")
        self._connection: sqlite3.Connection
        self._place: tuple[int, int]
        self._watermark = 0
        self._warned = False

    def open(self, latest_due_ms: int) -> Resumed:
        """Open or create the store, bring the queues of all its URLs into chunks, and read what is kept in memory.

        Args:
            latest_due_ms: No snoozed URL is believed to be due later.

        Raises:
            FrontierError: As `open_store`.
        """
        key, expected = read_base(self._base) if self._base is not None else (None, None)
        self._connection = open_store(self._path, fsync=self._fsync, key=key)
        place = self._path.stat()
        self._place = place.st_dev, place.st_ino
        try:
            with explained(self._path):
                sqlite_chunks.prepare(self._connection)
            with self._transaction():
                self._connection.execute("UPDATE snoozed SET due_ms = ?1 WHERE due_ms > ?1", (latest_due_ms,))
                self._sweep()
            with read_back(self._path):
                return resume(self._connection, self._path, host_names=self._bounds.host_names, expected=expected)
        except BaseException:
            self._connection.close()
            raise

    def commit(self, batch: Batch) -> None:
        """Store a batch, in one transaction.

        Raises:
            FrontierError: Nothing was stored.
        """
        self._check_place()
        with self._transaction():
            self._store(batch)
            if batch.sweep:
                self._sweep()

    def forget_gathered(self) -> None:
        """Begin to gather URLs for `requeue` anew."""
        with self._transaction():
            sqlite_chunks.forget_gathered(self._connection)

    def gather(self, urls: Sequence[str], fingerprints: Sequence[int]) -> None:
        """Remember those of these URLs that have ended."""
        with self._transaction():
            sqlite_chunks.gather(self._connection, urls, sqlite_index.search(self._connection, fingerprints))

    def requeue(self, batch: Batch) -> Requeued:
        """Take back the ends of the URLs gathered, and store a batch, in one transaction; their hosts have new chunks.

        Raises:
            FrontierError: Nothing was stored.
        """
        self._check_place()
        with self._transaction():
            self._store(batch)
            self._sweep()
            requeued = sqlite_chunks.requeue(self._connection, self._bounds.chunk_urls)
            self._tally({outcome: -count for outcome, count in requeued.outcomes.items()})
            self._connection.execute("DELETE FROM robots WHERE closed NOTNULL")
        return requeued

    def tidy(self) -> None:
        """Fold the write-ahead log into the store if it has grown, as far as its readers let us."""
        size = self._wal_bytes()
        if size <= _WAL_BYTES:
            return
        with explained(self._path):
            if size <= _WAL_CUT_BYTES:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                return
            # A reader that began before the last commit keeps the log from being begun anew: cut it when there is none.
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connection.execute(f"PRAGMA busy_timeout = {COMMIT_WAIT_MS}")
        if not self._warned and self._wal_bytes() > _WAL_WARN_BYTES:
            self._warned = True
            why = (
                f"{self._wal} is larger than {_WAL_WARN_BYTES // 10**6} MB: another process reads the store in one "
                "long transaction; it shrinks once that ends"
            )
            _LOG.warning("the store's log grows", extra={"why": why})

    def index(self) -> int | None:
        """Make some more URLs quick to find; the last id of those, None if all were before."""
        with self._transaction():
            return sqlite_index.extend(self._connection)

    def close(self) -> None:
        """Let go of the store; SQLite then folds the write-ahead log into it."""
        with explained(self._path):
            self._connection.close()

    def _store(self, batch: Batch) -> None:
        checkpoint = batch.checkpoint
        for hosts in parts(batch.hosts.items(), _SLICE):
            self._connection.execute(sql.HOSTS, (msgspec.json.encode({name: number for number, name in hosts}),))
        self._admit(batch.draft)
        self._end(checkpoint)
        self._snooze(checkpoint, batch.due_ms)
        self._insert(sql.STATES, [(number, *astuple(state)) for number, state in batch.states])
        self._insert(
            sql.ROBOTS, [(file.origin, file.expires_at, file.closed, file.robots) for file in checkpoint.robots]
        )
        self._connection.execute(sql.FILES, (msgspec.json.encode(checkpoint.positions),))
        self._connection.execute(sql.COUNTERS, (msgspec.json.encode(checkpoint.counters),))
        self._connection.executemany("INSERT OR REPLACE INTO blob VALUES (?, ?)", checkpoint.blobs.items())
        self._connection.execute("DELETE FROM blob WHERE content = x''")

    def _admit(self, draft: Draft) -> None:
        self._insert(sql.SEEDS, draft.seeds)
        for start, rows in _slices(draft.sources):
            self._connection.execute(sql.SOURCES, (start, rows))
        for document in draft.documents():
            self._connection.execute(sql.URLS, (document,))
        self._connection.execute("DELETE FROM source")
        last = draft.first + len(draft.fingerprints) - 1
        if draft.fingerprints and self._connection.execute("SELECT max(id) FROM url").fetchone() != (last,):
            raise damaged(self._path, f"its last URL is not {last}")
        self._insert(sql.EXTRAS, draft.extras)
        if draft.fingerprints:
            self._connection.execute("INSERT INTO seen VALUES (?, ?)", (draft.first, draft.fingerprints.tobytes()))

    def _end(self, checkpoint: Checkpoint) -> None:
        few: list[tuple[object, ...]] = []
        counts: Counter[Outcome] = Counter()
        for alike, times in _by_likeness(checkpoint.finished).items():
            counts[alike[0]] += len(times)
            if len(times) < _FEW:
                few += [(number, at, *alike) for number, at in times.items()]
                continue
            for some in parts(times.items(), _SLICE):
                self._connection.execute(sql.DONE_ALIKE, (*alike, msgspec.json.encode(dict(some))))
        self._insert(sql.DONE, few)
        validated = (end for end in checkpoint.finished if end.etag is not None or end.last_modified is not None)
        self._insert(sql.VALIDATORS, [(end.request.id, end.etag, end.last_modified) for end in validated])
        self._insert(sql.AWAKE, [end.request.id for end in checkpoint.finished])
        self._tally(counts)

    def _snooze(self, checkpoint: Checkpoint, due_ms: Sequence[int]) -> None:
        """Store the snoozed, and delete the chunks of which nothing is left."""
        times = zip(checkpoint.snoozed, due_ms, strict=True)
        self._insert(sql.SNOOZED, [(item.request.id, due, item.request.attempt, item.reason) for item, due in times])
        gone = [*(end.request.id for end in checkpoint.finished), *(item.request.id for item in checkpoint.snoozed)]
        sqlite_chunks.drop_used_up(self._connection, [number for number in gone if number <= self._watermark])

    def _tally(self, changes: Mapping[Outcome, int]) -> None:
        statement = "UPDATE tally SET urls = urls + ? WHERE outcome = ?"
        self._connection.executemany(statement, [(count, outcome) for outcome, count in changes.items()])

    def _sweep(self) -> None:
        self._watermark = sqlite_chunks.sweep(self._connection, self._bounds.chunk_urls)

    def _insert(self, statement: str, rows: Sequence[object]) -> None:
        """Run a statement over JSON arrays that hold these rows."""
        for _, document in _slices(rows):
            self._connection.execute(statement, (document,))

    def _wal_bytes(self) -> int:
        return self._wal.stat().st_size if self._wal.exists() else 0

    def _check_place(self) -> None:
        """SQLite would go on writing to a file that nobody will find again."""
        try:
            found = self._path.stat()
        except OSError as error:
            raise FrontierError(f"{self._path} was moved or removed while in use ({error})") from error
        if (found.st_dev, found.st_ino) != self._place:
            raise FrontierError(f"{self._path} was replaced by another file while in use")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with read_back(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _by_likeness(finished: Sequence[Finished]) -> dict[_Alike, dict[int, float]]:
    """When each URL ended, by its id and by all else that is stored of its end: most pages end alike."""
    ends: dict[_Alike, dict[int, float]] = {}
    for end in finished:
        request = end.request
        alike = (end.outcome, end.reason, end.status, end.target, request.attempt, end.has_page)
        ends.setdefault(alike, {})[request.id] = end.at
    return ends


def _slices(rows: Sequence[object]) -> Iterator[tuple[int, bytes]]:
    """JSON arrays of these rows, small enough for short statements, each with the place of its first one."""
    for start in range(0, len(rows), _SLICE):
        yield start, msgspec.json.encode(rows[start : start + _SLICE])
