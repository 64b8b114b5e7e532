"""Which records count where the ledger is gone? Of each URL those of the highest attempt, and of these the latest.

Read from the journals of all workers, into a table of a file beside what is being made: memory does not grow with the
crawl. What each worker's clock says decides between equal attempts alone.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError
from crawler.export.journal import JOURNAL, JournalLine
from crawler.fleet.models import FinishedAt
from crawler.merging.gather import journal_lines
from crawler.merging.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.merging.segments import Segment

_LAYOUT = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE best (
    hash INTEGER PRIMARY KEY, attempt INTEGER, at REAL, worker INTEGER, ordinal INTEGER, url TEXT
)
"""
_PUT = """
INSERT INTO best VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (hash) DO UPDATE SET
    attempt = excluded.attempt, at = excluded.at, worker = excluded.worker, ordinal = excluded.ordinal
WHERE (excluded.attempt, excluded.at) > (attempt, at)
"""
_AT_ONCE = 5_000


def by_attempts(segments: Sequence[Segment], folder: Path) -> Wanted:
    """The ends that count, going by the journals alone.

    Args:
        segments: The workers.
        folder: For a file that is gone again on return.

    Raises:
        CrawlerError: The file cannot be written.
    """
    path = folder / "attempts.db"
    wanted = Wanted()
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as base:
            base.executescript(_LAYOUT)
            for segment in segments:
                for rows in _batches(segment):
                    base.execute("BEGIN")
                    base.executemany(_PUT, rows)
                    base.execute("COMMIT")
            for worker, ordinal, url in base.execute("SELECT worker, ordinal, url FROM best ORDER BY worker, ordinal"):
                wanted.want(FinishedAt(worker=worker, ordinal=ordinal), url)
    except sqlite3.Error as error:
        raise CrawlerError(f"{path}: cannot be written: {error}") from error
    path.unlink()
    return wanted


def _batches(segment: Segment) -> Iterator[list[tuple[int, int, float, int, int, str]]]:
    rows: list[tuple[int, int, float, int, int, str]] = []
    for ordinal, end in enumerate(_ends(segment)):
        mark = xxh3_64_intdigest(end.url.encode()) - (1 << 63)
        rows.append((mark, end.attempt, end.at, segment.worker.id, ordinal, end.url))
        if len(rows) >= _AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


def _ends(segment: Segment) -> Iterator[JournalLine]:
    """Up to the first line that is none: told of where the records are gathered."""
    path = next(iter(CrawlDirectory(segment.path).spellings(JOURNAL)), None)
    try:
        for line in journal_lines(path) if path is not None else ():
            if isinstance(line, JournalLine):
                yield line
    except CrawlerError:
        return
