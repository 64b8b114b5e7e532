"""Where in some WARC files are the payloads that revisit records refer to?

In a private temporary database, so that memory does not grow with the files.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.archive.records import Record


class Payloads:
    """Where in the files are the payloads that revisits refer to?"""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # private, spills to the disk
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute(
            "CREATE TABLE seen (name TEXT PRIMARY KEY, file INTEGER, start INTEGER, skip INTEGER) WITHOUT ROWID"
        )
        self._base.execute("CREATE TABLE late (file INTEGER, start INTEGER, skip INTEGER)")

    def add(self, record: Record, file: int) -> None:
        """Note a record that has its payload, under its digest and its URL with its date."""
        if record.is_cut:
            return
        names = [f"{record.uri} {record.field('warc-date')}"]
        if digest := record.field("warc-payload-digest"):
            names.append(digest.lower())
        place = (file, record.start, record.skip)
        self._base.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", [(name, *place) for name in names])

    def find(self, revisit: Record) -> tuple[int, int, int] | None:
        """File, start and skip of the record with its payload, if one has come by."""
        names = [
            f"{revisit.field('warc-refers-to-target-uri').strip('<>')} {revisit.field('warc-refers-to-date')}",
            revisit.field("warc-payload-digest").lower(),
        ]
        for name in filter(None, names):
            row = self._base.execute("SELECT file, start, skip FROM seen WHERE name = ?", (name,)).fetchone()
            if row:
                return (int(row[0]), int(row[1]), int(row[2]))
        return None

    def put_off(self, record: Record, file: int) -> None:
        """Its payload has not come by: perhaps it is in a file still to be read."""
        self._base.execute("INSERT INTO late VALUES (?, ?, ?)", (file, record.start, record.skip))

    def late(self) -> Iterator[tuple[int, int, int]]:
        """The places of those put off, in order."""
        for file, start, skip in self._base.execute("SELECT file, start, skip FROM late ORDER BY rowid"):
            yield int(file), int(start), int(skip)

    def close(self) -> None:
        """Forget all."""
        self._base.close()
