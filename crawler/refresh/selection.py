"""Which pages of the generation before are not visited this time, and why?

Decided once for all of them, when sitemaps have had their say, and noted in the memory of the refresh: a killed one
goes on with what was decided, and nothing takes memory by the number of URLs. Only URLs that have content are passed
over: what failed, was kept out, led elsewhere or was never reached is visited, and sitemaps always are. In this order:

1. ``lastmod: trust``: a page whose sitemap names a day no later than its last visit is not visited.
2. With ``--due``, a page is due if it was never compared with an earlier visit, if a sitemap calls it newer than the
   last one, or if it has changed since then with a probability of `Terms.due` (`refresh.rates`).
3. Of those that are due, no more are visited than the budgets allow, of a host and of all, those first of which a
   visit is worth most. What is not known to have a rate, and what a sitemap calls newer, is taken to change about once
   in the time since its last visit: it neither waits for all others nor comes before them all.
"""

from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.dataset.ledger import checked, connected
from crawler.frontier.sqlite_schema import read_back
from crawler.refresh.lastmod import said_of
from crawler.refresh.memory import memory_at, memory_errors
from crawler.refresh.rates import Seen, changed, rate, rate_of_all, worth
from crawler.url import Url, fingerprint

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NOT_DUE, LASTMOD = "not_due", "lastmod"
"""The reasons, as `reasons.REASONS` has them."""

_AT_ONCE = 2_000

_PAGES = """
SELECT url.id, url.url, url.host, done.at, history.visits, history.changes, history.watched_s, history.checked_at
FROM done JOIN url ON url.id = done.id LEFT JOIN history ON history.id = done.id
WHERE done.id > ? AND done.outcome IN ('fetched', 'unchanged')
    AND (url.extra IS NULL OR url.extra NOT LIKE '%"kind":"sitemap"%')
ORDER BY done.id LIMIT ?
"""
_SEEN = """
SELECT url.host, sum(visits), sum(changes), sum(watched_s)
FROM history JOIN url ON url.id = history.id GROUP BY url.host
"""
_CANDIDATES = "CREATE TEMP TABLE candidate (id INTEGER PRIMARY KEY, host INTEGER NOT NULL, worth REAL NOT NULL)"
_BEYOND_OF_HOST = """
INSERT INTO skipped SELECT id, ?1 FROM (
    SELECT id, row_number() OVER (PARTITION BY host ORDER BY worth DESC, id) AS place FROM candidate
) WHERE place > ?2
"""
_BEYOND = """
INSERT INTO skipped SELECT id, ?1 FROM candidate WHERE id NOT IN (SELECT id FROM skipped)
ORDER BY worth DESC, id LIMIT -1 OFFSET ?2
"""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a refresh goes by."""

    #: with --due, the probability of a change that makes a page due; None: all are
    due: float | None = None
    #: most visits of known pages with --due; None for any number
    pages: int | None = None
    #: and of one host
    pages_per_host: int | None = None
    #: as ``refresh.lastmod``
    lastmod: str = "hint"

    @property
    def heed_sitemaps(self) -> bool:
        """Whether anything hangs on what sitemaps say."""
        return self.lastmod == "trust" or (self.lastmod == "hint" and self.due is not None)

    @property
    def passes_over(self) -> bool:
        """Whether any page may not be visited."""
        return self.due is not None or self.lastmod == "trust"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many pages with content are visited, and how many are not, by reason."""

    visited: int = 0
    not_due: int = 0  #: hardly changed, by how they did before
    beyond: int = 0  #: due, but worth less than those that the budgets leave room for
    lastmod: int = 0


def chosen(memory: Path) -> Counts | None:
    """What a refresh has decided; None if nothing.

    Raises:
        CrawlerError: Its memory cannot be used.
    """
    with memory_errors(memory), closing(memory_at(memory)) as connection:
        row = connection.execute("SELECT counts FROM chosen").fetchone()
    return msgspec.json.decode(row[0], type=Counts) if row else None


class _Row(NamedTuple):
    """A page with content, as the generation before has it."""

    id: int
    url: str
    host: int
    at: float
    visits: int | None
    changes: int | None
    watched_s: float | None
    checked_at: float | None

    @property
    def visited_at(self) -> float:
        """When that was last: what is passed over ends, too, and has another time of its end."""
        return self.at if self.checked_at is None else self.checked_at


class Selection:
    """Of one refresh.

    Args:
        memory: Its file.
        terms: What it goes by; where they have changed since, all is decided anew, and holds for what is still to be
            admitted.
    """

    def __init__(self, memory: Path, terms: Terms) -> None:
        self._path = memory
        self._terms = terms
        self._ahead: dict[int, str] = {}
        self._read_to = 0
        self._is_decided = False
        self.counts = Counts()

    def decide(self, base: Path, key: int, now: float) -> Counts:
        """Choose, unless that is done. Takes seconds for a million pages: to be called in a thread.

        Args:
            base: The store of the generation before.
            key: With which the generation that is made, and so its memory, fingerprints URLs.
            now: Wall time.

        Raises:
            CrawlerError: The store or the memory cannot be used.
        """
        terms = msgspec.json.encode(self._terms).decode()
        with memory_errors(self._path), closing(memory_at(self._path)) as memory:
            stored = memory.execute("SELECT terms, at, counts FROM chosen").fetchone()
            if stored is None or stored[0] != terms:
                now = stored[1] if stored else now
                self._choose(base, key, now, memory, terms)
                stored = memory.execute("SELECT terms, at, counts FROM chosen").fetchone()
            self.counts = msgspec.json.decode(stored[2], type=Counts)
        self._is_decided = True
        return self.counts

    def skip(self, number: int) -> str | None:
        """Why the URL of this id of the generation before is not visited; None if it is. To be asked of ids in rising
        order, once it is decided: of sitemaps, before, nothing is passed over."""
        if not self._is_decided:
            return None
        if number > self._read_to:
            self._read(number)
        return self._ahead.get(number)

    def _read(self, number: int) -> None:
        with memory_errors(self._path), closing(memory_at(self._path)) as memory:
            rows = memory.execute(
                "SELECT id, reason FROM skipped WHERE id >= ? ORDER BY id LIMIT ?", (number, _AT_ONCE)
            ).fetchall()
        self._ahead = dict(rows)
        self._read_to = rows[-1][0] if len(rows) == _AT_ONCE else 1 << 62

    def _choose(self, base: Path, key: int, now: float, memory: sqlite3.Connection, terms: str) -> None:
        memory.execute("BEGIN IMMEDIATE")
        for table in ("skipped", "chosen"):
            memory.execute(f"DELETE FROM {table}")  # noqa: S608 - one of two
        memory.execute("DROP TABLE IF EXISTS temp.candidate")
        memory.execute(_CANDIDATES)
        visited = 0
        if self._terms.passes_over:
            with read_back(base), closing(connected(base)) as store:
                checked(store, base)
                due = self._terms.due
                judge = None if due is None else _Judge(due, _rates(store), now)
                for rows in _pages(store):
                    visited += self._sort(rows, key, memory, judge)
        not_due, lastmod = _counted(memory, NOT_DUE), _counted(memory, LASTMOD)
        beyond = self._cut(memory)
        counts = Counts(visited=visited - beyond, not_due=not_due, beyond=beyond, lastmod=lastmod)
        memory.execute("INSERT INTO chosen VALUES (?, ?, ?)", (terms, now, msgspec.json.encode(counts).decode()))
        memory.execute("COMMIT")

    def _sort(self, rows: Sequence[_Row], key: int, memory: sqlite3.Connection, judge: _Judge | None) -> int:
        """Note which of some pages are skipped, and what a visit to the others is worth; the number of those."""
        heeded = self._terms.lastmod != "ignore"
        marks = [fingerprint(Url(row.url), key) for row in rows] if heeded else [0] * len(rows)
        said = said_of(memory, marks) if heeded else {}
        skipped: list[tuple[int, str]] = []
        candidates: list[tuple[int, int, float]] = []
        for row, mark in zip(rows, marks, strict=True):
            at, _ = said.get(mark, (None, ""))
            newer = at is not None and at > row.visited_at
            if at is not None and not newer and self._terms.lastmod == "trust":
                skipped.append((row.id, LASTMOD))
            elif judge is None:
                candidates.append((row.id, row.host, 0.0))
            elif (gain := judge.worth(row, newer=newer)) is None:
                skipped.append((row.id, NOT_DUE))
            else:
                candidates.append((row.id, row.host, gain))
        memory.executemany("INSERT INTO skipped VALUES (?, ?)", skipped)
        if judge is not None:
            memory.executemany("INSERT INTO candidate VALUES (?, ?, ?)", candidates)
        return len(candidates)

    def _cut(self, memory: sqlite3.Connection) -> int:
        """Pass over those beyond the budgets; their number."""
        beyond = 0
        for statement, most in ((_BEYOND_OF_HOST, self._terms.pages_per_host), (_BEYOND, self._terms.pages)):
            if most is not None:
                beyond += memory.execute(statement, (NOT_DUE, most)).rowcount
        return beyond


class _Judge:
    """Says what is due, and what a visit is worth."""

    def __init__(self, due: float, rates: tuple[float, dict[int, float]], now: float) -> None:
        self._due = due
        self._of_all, self._of_hosts = rates
        self._now = now

    def worth(self, row: _Row, *, newer: bool) -> float | None:
        """Of a visit to a page; None where it is not due."""
        since_s = max(self._now - row.visited_at, 0.0)
        among = self._of_hosts.get(row.host, self._of_all)
        own = rate(row.visits or 0, row.changes or 0, row.watched_s or 0.0, among)
        if row.visits and not newer and changed(own, since_s) < self._due:
            return None
        least = 1 / since_s if since_s else 0.0
        return worth(least if math.isinf(own) else max(own, least) if newer else own, since_s)


def _rates(store: sqlite3.Connection) -> tuple[float, dict[int, float]]:
    """Of the crawl, and of each host that has a history."""
    seen = {host: Seen(*counts) for host, *counts in store.execute(_SEEN)}
    total = Seen()
    for of_host in seen.values():
        total = total.plus(of_host.visits, of_host.changes, of_host.watched_s)
    of_all = rate_of_all(total)
    return of_all, {
        host: rate(of_host.visits, of_host.changes, of_host.watched_s, of_all) for host, of_host in seen.items()
    }


def _pages(store: sqlite3.Connection) -> Iterator[list[_Row]]:
    last = 0
    while rows := [_Row(*row) for row in store.execute(_PAGES, (last, _AT_ONCE))]:
        last = rows[-1].id
        yield rows


def _counted(memory: sqlite3.Connection, reason: str) -> int:
    ((count,),) = memory.execute("SELECT count(*) FROM skipped WHERE reason = ?", (reason,)).fetchall()
    return int(count)
