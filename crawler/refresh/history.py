"""What has been learnt of each URL over all generations? The table `history` of the new one, from that before.

It has a row for each URL that has content now, or had once. A visit to content that had been visited before is a
comparison, which found a change or did not; the time it spans goes from the one visit to the other. What was not
visited keeps its row; what is gone, or back, was not compared. All of it follows from the two stores and changes.jsonl,
and is stored in one transaction: whoever does it again writes the same. That goes for a generation about to be put in
force, too, of whose `known` only the number is left (`was`, see `refresh.publish`).
"""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from crawler.dataset.ledger import checked
from crawler.frontier.sqlite_schema import COMMIT_WAIT_MS, read_back
from crawler.refresh.lastmod import said_of
from crawler.refresh.memory import memory_at, memory_errors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LIES = "lastmods"
"""The blob of `Lies`."""

_MOST_HOSTS = 1_000
_AT_ONCE = 5_000

_TABLES = (
    "CREATE TEMP TABLE differing (url TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE said (id INTEGER PRIMARY KEY, at REAL NOT NULL, lastmod TEXT NOT NULL)",
    # of each URL with content, now or once: what is known of it from before, and how it ended now
    """
CREATE TEMP VIEW met AS
SELECT url.id, url.url, url.host, was.visits, was.changes, was.watched_s, was.changed_at, was.gone_at,
    was.lastmod, coalesce(was.checked_at, ended.at) AS before,
    coalesce(ended.outcome IN ('fetched', 'unchanged'), 0) AS had, done.at,
    done.outcome IS NULL OR (done.outcome = 'unchanged' AND done.reason IN ('not_due', 'lastmod')) AS passed,
    coalesce(done.outcome IN ('fetched', 'unchanged'), 0) AS has
FROM (SELECT id, url, host, coalesce(extra ->> '$.known.id', extra ->> '$.was') AS known FROM main.url
        WHERE extra IS NULL OR extra NOT LIKE '%"kind":"sitemap"%') AS url
    LEFT JOIN main.done ON done.id = url.id
    LEFT JOIN base.done AS ended ON ended.id = url.known
    LEFT JOIN base.history AS was ON was.id = url.known
WHERE had OR has OR was.id IS NOT NULL
""",
)
_HISTORY = """
INSERT INTO main.history
SELECT met.id,
    coalesce(visits, 0) + compared,
    coalesce(changes, 0) + (compared AND differs),
    coalesce(watched_s, 0) + iif(compared, max(met.at - before, 0), 0),
    iif(passed, before, met.at),
    iif(NOT passed AND (compared AND differs OR has AND NOT had AND gone_at NOTNULL), met.at, changed_at),
    iif(passed, gone_at, iif(has, NULL, coalesce(gone_at, met.at))),
    iif(passed, met.lastmod, coalesce(said.lastmod, met.lastmod))
FROM (
    SELECT met.*, had AND has AND NOT passed AND ?1 AS compared, differing.url IS NOT NULL AS differs
    FROM met LEFT JOIN differing ON differing.url = met.url
) AS met LEFT JOIN said ON said.id = met.id
"""
_LIES = """
SELECT host.name, count(*) FROM said
    CROSS JOIN met ON met.id = said.id
    CROSS JOIN differing ON differing.url = met.url
    CROSS JOIN main.host AS host ON host.id = met.host
WHERE had AND has AND NOT passed AND said.at <= before
GROUP BY met.host ORDER BY count(*) DESC, host.name
"""


class Lies(msgspec.Struct, frozen=True):
    """Where sitemaps were wrong: pages that had changed though their lastmod was no later than the visit before."""

    #: host -> how many, over all generations; of so many hosts at most, those with the most
    hosts: dict[str, int] = {}


def write_history(
    store: Path, base: Path, changed: Iterable[str], memory: Path, *, compares: bool = True
) -> tuple[Lies, Lies]:
    """Write it; what sitemaps were wrong about this time, and in all generations.

    Args:
        store: Of the generation that has ended. Nobody writes to it meanwhile.
        base: Of the one before.
        changed: URLs whose content is not what it was.
        memory: Of the refresh, for what sitemaps said.
        compares: Whether the records of both were made alike: else a difference may be of our own making, and what
            is found counts for nothing.

    Raises:
        CrawlerError: A store or the memory cannot be used, or is damaged.
    """
    with read_back(store), closing(_both(store, base)) as connection:
        checked(connection, store)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM main.history")
        connection.executemany("INSERT OR IGNORE INTO differing VALUES (?)", ((url,) for url in changed))
        _hear(connection, memory)
        connection.execute(_HISTORY, (compares,))
        now = Lies(dict(connection.execute(_LIES).fetchall())) if compares else Lies()
        stored = connection.execute("SELECT content FROM base.blob WHERE name = ?", (LIES,)).fetchone()
        ever = _together(msgspec.json.decode(stored[0], type=Lies) if stored else Lies(), now)
        if ever.hosts:
            connection.execute("INSERT OR REPLACE INTO main.blob VALUES (?, ?)", (LIES, msgspec.json.encode(ever)))
        connection.execute("COMMIT")
    return now, ever


def _both(store: Path, base: Path) -> sqlite3.Connection:
    """A connection that writes to the one, and reads the other."""
    connection = sqlite3.connect(store.resolve().as_uri() + "?mode=rw", uri=True, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {COMMIT_WAIT_MS}")
        has_log = base.with_name(base.name + "-wal").exists()  # as of `dataset.ledger`: else nothing is left beside it
        how = "?mode=ro" if has_log else "?mode=ro&immutable=1"
        connection.execute("ATTACH ? AS base", (base.resolve().as_uri() + how,))
        for statement in _TABLES:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _hear(connection: sqlite3.Connection, memory: Path) -> None:
    """Put what sitemaps said under the numbers of the URLs, by the fingerprints that the store keeps in their order."""
    if not memory.exists():
        return
    with memory_errors(memory), closing(memory_at(memory)) as told:
        if not told.execute("SELECT 1 FROM lastmod LIMIT 1").fetchone():
            return
        for first, blob in connection.execute("SELECT first, fingerprints FROM main.seen ORDER BY first"):
            fingerprints = array("Q", blob)
            for start in range(0, len(fingerprints), _AT_ONCE):
                some = fingerprints[start : start + _AT_ONCE]
                said = said_of(told, some)
                rows = [(first + start + place, *said[number]) for place, number in enumerate(some) if number in said]
                connection.executemany("INSERT INTO said VALUES (?, ?, ?)", rows)


def _together(one: Lies, other: Lies) -> Lies:
    hosts = dict(one.hosts)
    for host, pages in other.hosts.items():
        hosts[host] = hosts.get(host, 0) + pages
    most = sorted(hosts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_HOSTS]
    return Lies(dict(most))
