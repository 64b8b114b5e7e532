"""Which URLs wait on disk? Chunks: at most so many ids of one host, priority and depth, in a row of their own.

A URL's queue is at first in memory only; the *watermark* is the last id whose queue is in the store. A *sweep* writes
the ids above it that have no end yet as chunks, and raises the watermark. Taking a URL writes nothing. A chunk is
deleted in the transaction that has the end, or the snooze, of its last URL; so those that exist, without what is in
`done` and `snoozed`, are what is left up to the watermark. No id is in two chunks, and those of one host, priority
and depth cover ranges of ids that do not overlap.

All functions run inside a transaction of the writing connection, which `prepare` has seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.models import Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

_USED_UP = """
DELETE FROM chunk
WHERE first IN (
    SELECT (
        SELECT first FROM chunk AS other
        WHERE other.host = url.host AND other.priority = url.priority AND other.depth = url.depth
            AND other.first <= url.id
        ORDER BY other.first DESC LIMIT 1
    )
    FROM json_each(CAST(? AS TEXT)) AS ended CROSS JOIN url ON url.id = ended.value
)
AND NOT EXISTS (
    SELECT 1 FROM json_each(chunk.ids) AS listed
    WHERE NOT EXISTS (SELECT 1 FROM done WHERE id = listed.value)
        AND NOT EXISTS (SELECT 1 FROM snoozed WHERE id = listed.value)
)
"""

# Window functions cost three times a plain GROUP BY here, so they number only the queues too long for one chunk.
_SCRATCH = """
CREATE TEMP TABLE source (number INTEGER PRIMARY KEY, depth, via, seed);
CREATE TEMP TABLE queue (host, priority, depth, first, urls, ids);
CREATE TEMP TABLE again (id INTEGER PRIMARY KEY);
CREATE TEMP TABLE again_host (id INTEGER PRIMARY KEY, pages);
"""

_GATHER = """
INSERT INTO queue
SELECT host, priority, depth, min(id), count(*), json_group_array(id) FROM url
WHERE id > (SELECT value FROM meta WHERE name = 'watermark')
    AND NOT EXISTS (SELECT 1 FROM done WHERE done.id = url.id)
    AND NOT EXISTS (SELECT 1 FROM snoozed WHERE snoozed.id = url.id)
GROUP BY host, priority, depth
"""

_RAISE_WATERMARK = """
UPDATE meta SET value = (SELECT coalesce(max(id), 0) FROM url) WHERE name = 'watermark' RETURNING value
"""

_CHUNK_SHORT = "INSERT INTO chunk SELECT first, host, priority, depth, ids FROM queue WHERE urls <= ?"

_CHUNK_LONG = """
INSERT INTO chunk
SELECT min(id), host, priority, depth, json_group_array(id)
FROM (
    SELECT host, priority, depth, value AS id,
        (row_number() OVER (PARTITION BY host, priority, depth ORDER BY value) - 1) / ?1 AS part
    FROM queue, json_each(queue.ids) WHERE urls > ?1
)
GROUP BY host, priority, depth, part
"""

_GATHER_ENDED = """
INSERT OR IGNORE INTO again
SELECT url.id FROM json_each(CAST(? AS TEXT)) AS found
    CROSS JOIN url ON url.id = found.value
    JOIN done ON done.id = url.id
WHERE url.url IN (SELECT value FROM json_each(CAST(? AS TEXT)))
"""
_GATHERED_OUTCOMES = "SELECT outcome, count(*) FROM again JOIN done USING (id) GROUP BY outcome"

_REQUEUE = (
    "UPDATE url SET extra = json_remove(extra, '$.attempt') WHERE extra IS NOT NULL AND id IN (SELECT id FROM again)",
    """
    INSERT INTO again_host
    SELECT host, sum(has_page) FROM again CROSS JOIN url USING (id) JOIN done USING (id) GROUP BY host
    """,
    "DELETE FROM done WHERE id IN (SELECT id FROM again)",
    "DELETE FROM validator WHERE id IN (SELECT id FROM again)",
    """
    INSERT OR IGNORE INTO again
    SELECT listed.value FROM again_host CROSS JOIN chunk ON chunk.host = again_host.id, json_each(chunk.ids) AS listed
    WHERE NOT EXISTS (SELECT 1 FROM done WHERE id = listed.value)
        AND NOT EXISTS (SELECT 1 FROM snoozed WHERE id = listed.value)
    """,
    "DELETE FROM chunk WHERE host IN (SELECT id FROM again_host)",
    """
    UPDATE host SET failures = 0, retired = NULL, backoff_s = 0, ready_at = iif(retired ISNULL, ready_at, 0),
        pages = max(host.pages - again_host.pages, 0)
    FROM again_host WHERE again_host.id = host.id AND failures NOTNULL
    """,
)

# Not by way of `queue`, since a host's queue may be as long as the crawl here.
_CHUNK_AGAIN = """
INSERT INTO chunk
SELECT min(id), host, priority, depth, json_group_array(id)
FROM (
    SELECT id, host, priority, depth,
        (row_number() OVER (PARTITION BY host, priority, depth ORDER BY id) - 1) / ? AS part
    FROM again CROSS JOIN url USING (id)
)
GROUP BY host, priority, depth, part
"""


class Requeued(NamedTuple):
    """What `requeue` did."""

    outcomes: Mapping[Outcome, int]  #: how the URLs had ended
    hosts: Sequence[int]  #: whose they are


def prepare(connection: sqlite3.Connection) -> None:
    """Create the tables that live as long as the connection."""
    connection.executescript(_SCRATCH)


def sweep(connection: sqlite3.Connection, chunk_urls: int) -> int:
    """Bring the queues of all URLs into chunks of at most `chunk_urls`; the new watermark."""
    connection.execute(_GATHER)
    _write(connection, chunk_urls)
    (watermark,) = connection.execute(_RAISE_WATERMARK).fetchone()
    return int(watermark)


def drop_used_up(connection: sqlite3.Connection, ended: Sequence[int]) -> None:
    """Delete those of the chunks of these URLs of which nothing is left.

    Args:
        connection: Where they are in `done` or `snoozed` already.
        ended: Ids up to the watermark.
    """
    connection.execute(_USED_UP, (msgspec.json.encode(ended),))


def forget_gathered(connection: sqlite3.Connection) -> None:
    """Begin to gather anew."""
    connection.execute("DELETE FROM again")


def gather(connection: sqlite3.Connection, urls: Sequence[str], ids: Sequence[int]) -> None:
    """Remember those of these URLs that have ended. `ids` are of them all, and perhaps of others."""
    connection.execute(_GATHER_ENDED, (msgspec.json.encode(ids), msgspec.json.encode(urls)))


def requeue(connection: sqlite3.Connection, chunk_urls: int) -> Requeued:
    """Take back the ends of the URLs gathered, forget their attempts and what their hosts are blamed for.

    They get into chunks together with what waits for the same hosts, so that chunks still do not overlap. All URLs
    have to be in chunks before.
    """
    connection.execute("DELETE FROM again WHERE id NOT IN (SELECT id FROM done)")
    outcomes = {Outcome(name): count for name, count in connection.execute(_GATHERED_OUTCOMES)}
    for statement in _REQUEUE:
        connection.execute(statement)
    connection.execute(_CHUNK_AGAIN, (chunk_urls,))
    hosts = [row[0] for row in connection.execute("DELETE FROM again_host RETURNING id")]
    forget_gathered(connection)
    return Requeued(outcomes, hosts)


def _write(connection: sqlite3.Connection, chunk_urls: int) -> None:
    """Make chunks of the queues that were gathered."""
    for statement in (_CHUNK_SHORT, _CHUNK_LONG):
        connection.execute(statement, (chunk_urls,))
    connection.execute("DELETE FROM queue")
