"""Is a store, which nobody has open, whole: not only a sound SQLite file, but one that a crawl can have written?

SQLite sees what breaks its own structures, and no bit that flipped within a value. So what is stored twice in some way
is compared: URLs with their fingerprints, ends with their tally, what waits with the chunks it waits in. Every row is
read; nine bytes a URL are held in memory.
"""

from __future__ import annotations

from array import array
from contextlib import closing
from itertools import starmap
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import DamagedStoreError
from crawler.frontier.sqlite_schema import (
    FORMAT,
    STATE_COLUMNS,
    check_shape,
    connect_to_read,
    damaged,
    facts,
    read_back,
)
from crawler.models import Outcome
from crawler.url import Url, fingerprint

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.frontier.sqlite_schema import Facts

_ENDED, _SNOOZED, _LISTED = 1, 2, 4

_DANGLING = """
SELECT (SELECT count(*) FROM url WHERE host NOT IN (SELECT id FROM host))
    + (SELECT count(*) FROM url WHERE seed NOT IN (SELECT id FROM seed))
    + (SELECT count(*) FROM url WHERE typeof(via) = 'integer' AND NOT via BETWEEN 1 AND url.id - 1)
    + (SELECT count(*) FROM url WHERE extra NOTNULL AND NOT json_valid(extra))
"""

_IMPOSSIBLE_STATES = f"""
SELECT count(*) FROM host WHERE (
    coalesce({", ".join(STATE_COLUMNS)}) ISNULL
    OR ({" AND ".join(f"{column} BETWEEN 0 AND 1e15" for column in STATE_COLUMNS if column != "retired")})
) IS NOT TRUE
"""  # noqa: S608

_MISPLACED = """
SELECT count(*) FROM chunk CROSS JOIN json_each(chunk.ids) AS listed
    LEFT JOIN url ON url.id = listed.value
        AND url.host = chunk.host AND url.priority = chunk.priority AND url.depth = chunk.depth
WHERE url.id IS NULL
"""


def damage_of(path: Path) -> str | None:
    """What is wrong with the store at `path`; None if nothing is, or if it is of a format that others must judge.

    Raises:
        FrontierError: It cannot be read: it is locked, or the disk reports an error.
    """
    try:
        with read_back(path), closing(connect_to_read(path)) as connection:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return "it is empty"
            found = connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
            if found and isinstance(found[0], int) and 0 < found[0] != FORMAT:
                return None
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                return " ".join(verdict.split())
            check_shape(connection, path)
            about = facts(connection)
            return next(_Contents(connection, path, about).problems(about), None)
    except DamagedStoreError as error:
        return error.what


class _Contents:
    """What a store of a format we know holds, to be held against itself."""

    def __init__(self, connection: sqlite3.Connection, path: Path, about: Facts) -> None:
        self._rows = connection.execute
        self._fingerprints = array("Q")
        for first, blob in self._rows("SELECT first, fingerprints FROM seen ORDER BY first"):
            if first != len(self._fingerprints) + 1:
                raise damaged(path, f"its fingerprints from id {first} on do not follow those before")
            self._fingerprints.frombytes(blob)
        self._marks = bytearray(len(self._fingerprints) + 1)  # by id
        self._key = int(about.key, 16)

    def problems(self, about: Facts) -> Iterator[str]:
        """What cannot be, the cheapest to find first."""
        (dangling,) = self._rows(_DANGLING).fetchone()
        if dangling:
            yield f"{dangling} URLs refer to what is not there"
        (impossible,) = self._rows(_IMPOSSIBLE_STATES).fetchone()
        if impossible:
            yield f"{impossible} hosts are in a state that cannot be"
        yield from self._urls()
        yield from self._index(about.indexed)
        yield from self._ends()
        yield from self._chunks(about.watermark)

    def _urls(self) -> Iterator[str]:
        """Each has its fingerprint, at its place."""
        number = 0
        for number, (found, url) in enumerate(self._rows("SELECT id, url FROM url ORDER BY id"), 1):
            if found != number or number >= len(self._marks):
                yield f"its URLs are not numbered from 1 to {len(self._fingerprints)}"
            elif fingerprint(Url(str(url)), self._key) != self._fingerprints[number - 1]:
                yield f"URL {number} is not the one that was stored"
        if number != len(self._fingerprints):
            yield f"{number} URLs, but {len(self._fingerprints)} fingerprints"

    def _index(self, indexed: int) -> Iterator[str]:
        """The index of fingerprints has those of the first `indexed` URLs, once each."""
        rows = self._rows("SELECT fingerprint, id FROM fingerprint")
        right = sum(starmap(self._is_right, rows))
        (distinct, most) = self._rows("SELECT count(DISTINCT id), coalesce(max(id), 0) FROM fingerprint").fetchone()
        if not right == distinct == most == indexed:
            yield "its index of fingerprints is wrong"

    def _is_right(self, found: int, number: int) -> bool:
        return 0 < number < len(self._marks) and found % (1 << 64) == self._fingerprints[number - 1]

    def _ends(self) -> Iterator[str]:
        """No URL is both ended and snoozed, none of them is unknown, and the tally is right."""
        for table, mark in (("done", _ENDED), ("snoozed", _SNOOZED)):
            for (number,) in self._rows(f"SELECT id FROM {table}"):  # noqa: S608  (of two names)
                if not 0 < number < len(self._marks) or self._marks[number]:
                    yield f"{table} has id {number}, which cannot be"
                else:
                    self._marks[number] = mark
        counted = dict(self._rows("SELECT outcome, count(*) FROM done GROUP BY outcome"))
        tally = dict(self._rows("SELECT outcome, urls FROM tally"))
        if {outcome: counted.get(outcome, 0) for outcome in Outcome} != tally or not counted.keys() <= tally.keys():
            yield "its tally of outcomes is wrong"

    def _chunks(self, watermark: int) -> Iterator[str]:
        """Up to the watermark, what has not ended and is not snoozed is in one chunk, where it belongs."""
        if not 0 <= watermark < len(self._marks):
            yield f"its watermark is {watermark}, of {len(self._fingerprints)} URLs"
        (misplaced,) = self._rows(_MISPLACED).fetchone()
        if misplaced:
            yield f"{misplaced} URLs are queued where they do not belong"
        for (ids,) in self._rows("SELECT ids FROM chunk"):
            for number in msgspec.json.decode(ids, type=list[int]):
                if not 0 < number <= watermark or self._marks[number] & _LISTED:
                    yield f"URL {number} is queued twice"
                else:
                    self._marks[number] |= _LISTED
        lost = self._marks[1 : watermark + 1].count(0)
        if lost:
            yield f"{lost} URLs wait in no queue"
