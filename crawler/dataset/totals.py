"""What has a crawl's store to say of the crawl as a whole? For its report; how it stood at one commit.

All is read in one transaction and held in memory, so what it says goes together, while the crawl runs too: files of
records are read up to `Totals.positions`, and their lines are those of the URLs that have ended by then. SQLite goes
through the URLs once to group them by host, in some 0.3 s for a million.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.dataset.ledger import checked, connected
from crawler.frontier.sqlite_schema import read_back
from crawler.models import MAX_EXAMPLES, Outcome, Robots, RobotsFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LATER_COLUMNS = ("requests", "waited_s")  # of `host`: stores of earlier versions have none

_HOSTS = """
SELECT host.name, counted.known, counted.ended, counted.pages, coalesce(host.delay_s, 0.0),
    coalesce(host.backoff_s, 0.0), coalesce(host.latency_s, 0.0), host.retired, {later}
FROM (
    SELECT url.host AS host, count(*) AS known, count(done.id) AS ended, coalesce(sum(done.has_page), 0) AS pages
    FROM url LEFT JOIN done ON done.id = url.id GROUP BY url.host
) AS counted JOIN host ON host.id = counted.host
ORDER BY counted.pages DESC, counted.ended DESC, counted.known DESC, host.name LIMIT ?
"""

_KEPT = """
SELECT coalesce(reason, ''), count(*) FROM done WHERE outcome = 'unchanged' AND has_page GROUP BY reason
"""
_KEPT_EXAMPLES = """
SELECT url.url FROM done JOIN url USING (id)
WHERE outcome = 'unchanged' AND has_page AND coalesce(reason, '') = ? LIMIT ?
"""

_ROBOTS = "SELECT origin, expires_at, closed, verdict FROM robots ORDER BY origin LIMIT ?"
_ROBOTS_OF = """
SELECT origin, expires_at, closed, verdict FROM robots WHERE origin IN (SELECT value FROM json_each(?))
"""


class StoredHost(msgspec.Struct, frozen=True, array_like=True):
    """A host, its URLs counted, and what politeness stored of it."""

    host: str
    known: int  #: URLs admitted
    ended: int
    pages: int
    delay_s: float  #: as robots.txt asked for; 0 if it did not
    backoff_s: float  #: that its errors have earned it
    latency_s: float  #: smoothed
    retired: str | None
    requests: int | None  #: None where the store does not say
    waited_s: float | None


class Kept(msgspec.Struct, frozen=True):
    """Pages whose records an earlier generation has made, as they have not changed, for one reason."""

    reason: str
    pages: int
    examples: tuple[str, ...]  #: URLs


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """A crawl as of one commit. ``admitted == sum(outcomes.values()) + pending``."""

    admitted: int
    outcomes: dict[str, int]
    counters: dict[str, int]  #: as `crawler.stats.Stats.counters` gave them
    positions: dict[str, int]  #: sink -> bytes of its file that are committed
    blobs: dict[str, bytes]
    hosts: tuple[StoredHost, ...]  #: those with the most pages
    n_hosts: int
    n_robots: int
    kept: tuple[Kept, ...] = ()  #: of a generation; the other pages were fetched in it

    @property
    def pending(self) -> int:
        """URLs that have not ended."""
        return self.admitted - sum(self.outcomes.values())


def totals(path: Path, *, blobs: Sequence[str], hosts: int) -> Totals:
    """What the store at `path` says.

    Args:
        path: Of the store; it may be written to meanwhile.
        blobs: Names of states that are wanted.
        hosts: How many hosts are.

    Raises:
        FrontierError: It cannot be read, is no crawl's store, of another format, or damaged.
    """
    with read_back(path), closing(connected(path)) as connection:
        checked(connection, path)
        connection.execute("BEGIN")
        outcomes = _pairs(connection, "SELECT outcome, urls FROM tally")
        ((admitted, n_hosts, n_robots),) = connection.execute(
            "SELECT (SELECT coalesce(max(id), 0) FROM url), (SELECT count(DISTINCT host) FROM url), "
            "(SELECT count(*) FROM robots)"
        ).fetchall()
        stored = _pairs(connection, "SELECT name, content FROM blob")
        return Totals(
            admitted=admitted,
            outcomes={outcome: int(urls) for outcome, urls in outcomes.items()},
            counters=_pairs(connection, "SELECT name, value FROM counter"),
            positions=_pairs(connection, "SELECT name, bytes FROM file"),
            blobs={name: bytes(stored[name]) for name in blobs if name in stored},
            hosts=tuple(_hosts(connection, hosts)),
            n_hosts=n_hosts,
            n_robots=n_robots,
            kept=tuple(_kept(connection)) if outcomes.get(Outcome.UNCHANGED) else (),
        )


def robots(path: Path, origins: Sequence[str], limit: int) -> list[RobotsFile]:
    """The verdicts on the robots.txt of these origins, as far as there are any, then those on others: `limit` in all.

    Raises:
        FrontierError: As for `totals`.
    """
    with read_back(path), closing(connected(path)) as connection:
        checked(connection, path)
        asked = msgspec.json.encode(list(origins)).decode()
        rows = connection.execute(_ROBOTS_OF, (asked,)).fetchall()
        found = {row[0]: row for row in rows}
        for row in connection.execute(_ROBOTS, (limit + len(found),)):
            found.setdefault(row[0], row)
        chosen = [found[origin] for origin in dict.fromkeys((*(o for o in origins if o in found), *found))]
        return [
            RobotsFile(
                origin=origin,
                expires_at=expires_at,
                closed=closed,
                robots=msgspec.json.decode(verdict, type=Robots),
            )
            for origin, expires_at, closed, verdict in chosen[:limit]
        ]


def _hosts(connection: sqlite3.Connection, limit: int) -> list[StoredHost]:
    columns = {row[1] for row in connection.execute("PRAGMA table_info(host)")}
    later = ", ".join(f"host.{name}" if name in columns else "NULL" for name in _LATER_COLUMNS)
    rows = connection.execute(_HOSTS.format(later=later), (limit,)).fetchall()
    return msgspec.convert(rows, list[StoredHost])


def _kept(connection: sqlite3.Connection) -> Iterator[Kept]:
    for reason, pages in connection.execute(_KEPT).fetchall():
        rows = connection.execute(_KEPT_EXAMPLES, (reason, MAX_EXAMPLES)).fetchall()
        yield Kept(reason, pages, tuple(url for (url,) in rows))


def _pairs(connection: sqlite3.Connection, statement: str) -> dict[str, Any]:
    return dict(connection.execute(statement).fetchall())
