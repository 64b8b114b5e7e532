"""Which ids may a URL have? An index of the fingerprints that the store keeps in order of ids.

It is made in sorted segments of a quarter of a million, whenever somebody searches and many are not in it yet: while
nobody does, it costs nothing. The few that are not in it are gone through one by one.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

_SEGMENT = 250_000

_UNINDEXED = """
SELECT first, fingerprints FROM seen
WHERE first > (SELECT value FROM meta WHERE name = 'indexed') ORDER BY first
"""
_NEXT_SEGMENT = "SELECT coalesce(max(segment), 0) + 1 FROM fingerprint"
_INSERT = "INSERT INTO fingerprint SELECT ?, value, ? + key FROM json_each(CAST(? AS TEXT)) ORDER BY value"


# Segments are numbered from 1: a DISTINCT would go through all of the index to tell them.
_INDEXED = """
WITH RECURSIVE numbered (segment) AS (
    SELECT max(segment) FROM fingerprint UNION ALL SELECT segment - 1 FROM numbered WHERE segment > 1
)
SELECT found.id FROM json_each(CAST(? AS TEXT)) AS asked
    CROSS JOIN numbered AS part
    CROSS JOIN fingerprint AS found ON found.segment = part.segment AND found.fingerprint = asked.value
"""


def extend(connection: sqlite3.Connection) -> int | None:
    """Add a segment, inside a transaction of the writing connection; the last id now in the index, None if all are."""
    first, found = 0, array("Q")
    blobs = connection.execute(_UNINDEXED)
    for number, blob in blobs:
        first = first or number
        found.frombytes(blob)
        if len(found) >= _SEGMENT:
            break
    blobs.close()
    if not found:
        return None
    (segment,) = connection.execute(_NEXT_SEGMENT).fetchone()
    connection.execute(_INSERT, (segment, first, msgspec.json.encode([_signed(value) for value in found])))
    last = first + len(found) - 1
    connection.execute("UPDATE meta SET value = ? WHERE name = 'indexed'", (last,))
    return last


def search(connection: sqlite3.Connection, fingerprints: Collection[int]) -> list[int]:
    """Ids of all stored URLs that have one of these fingerprints."""
    indexed = connection.execute(_INDEXED, (msgspec.json.encode([_signed(value) for value in fingerprints]),))
    ids = [row[0] for row in indexed.fetchall()]
    wanted = frozenset(fingerprints)
    for first, blob in connection.execute(_UNINDEXED).fetchall():
        ids += (first + place for place, value in enumerate(array("Q", blob)) if value in wanted)
    return ids


def _signed(fingerprint: int) -> int:
    """A fingerprint as SQLite's 64-bit integers hold it."""
    return fingerprint - (1 << 64) if fingerprint >> 63 else fingerprint
