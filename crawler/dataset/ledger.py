"""What does a crawl's store know of a URL, and what is known that is like it?

Reads crawl.db by SQL on the tables that docs/crawl-db.md describes; never writes. What it tells is what was last
committed: of a running crawl, some seconds ago. How a file is opened:

- A store with a write-ahead log (a crawl runs, or was killed) is opened read-only, with the log. SQLite then needs
  the file ``crawl.db-shm`` beside it; where the folder cannot be written to and has none, the log is read without it,
  which takes no lock: nobody can be writing there either.
- One without a log is whole by itself, and opened as unchangeable, so that nothing is left beside it. Should a crawl
  be resumed in it just then, what that writes is not seen.
"""

from __future__ import annotations

import re
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import msgspec

from crawler.errors import FrontierError
from crawler.frontier import sqlite_index
from crawler.frontier.sqlite_schema import APPLICATION_ID, FORMAT, STATE_COLUMNS, read_back
from crawler.known import Known as Before
from crawler.models import HostKey, HostState, Outcome, Robots, RobotsFile
from crawler.url import Url, fingerprint, host_key, registrable_domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

PENDING = "pending"
SNOOZED = "snoozed"

_BATCH = 2_000
_CHUNKS_COUNTED = 2_000
_NEIGHBOURS = 40
_FEW_HOSTS = 5_000

_KNOWN = """
SELECT json_array(ledger.id, ledger.url, ledger.host, ledger.depth, ledger.priority, ledger.via, ledger.seed,
    ledger.scope_host, ledger.kind, ledger.outcome, ledger.reason, ledger.status, ledger.target,
    ledger.attempts, ledger.at, ledger.has_page = 1, snoozed.due_ms / 1000.0,
    url.extra -> '$.redirected_from', iif(typeof(url.via) = 'integer', url.via, NULL), url.extra -> '$.known')
FROM json_each(?) AS asked
    CROSS JOIN ledger ON ledger.id = asked.value
    JOIN url ON url.id = asked.value
    LEFT JOIN snoozed ON snoozed.id = asked.value
"""

_ENDED = """
SELECT done.id, url.url, done.outcome, done.has_page, done.reason FROM done JOIN url ON url.id = done.id
WHERE done.id > ? ORDER BY done.id LIMIT ?
"""

_STATE = f"SELECT name, {', '.join(STATE_COLUMNS)} FROM host WHERE name = ? AND failures NOTNULL"  # noqa: S608

_UNENDED = "NOT EXISTS (SELECT 1 FROM done WHERE id = {0}) AND NOT EXISTS (SELECT 1 FROM snoozed WHERE id = {0})"

# {depth} is "depth", or "-depth" where the deepest come first.
_WAITING_IN_CHUNKS = f"""
SELECT count(*), coalesce(sum((priority, {{depth}}, listed.value) < (?1, ?2, ?3)), 0)
FROM (SELECT first FROM chunk WHERE host = ?4 ORDER BY priority, {{depth}}, first LIMIT ?5)
    CROSS JOIN chunk USING (first), json_each(chunk.ids) AS listed
WHERE {_UNENDED.format("listed.value")}
"""  # noqa: S608  (no values in it)

_WAITING_ABOVE = f"""
SELECT count(*), coalesce(sum((priority, {{depth}}, url.id) < (?1, ?2, ?3)), 0) FROM url
WHERE url.id > (SELECT value FROM meta WHERE name = 'watermark') AND host = ?4 AND {_UNENDED.format("url.id")}
"""  # noqa: S608

# Whatever shares the longest beginning with a text stands next to it in alphabetical order. http and https count alike.
_BEFORE = """
SELECT id FROM url WHERE host = ?1 AND substr(url, instr(url, ':')) <= ?2
ORDER BY substr(url, instr(url, ':')) DESC LIMIT ?3
"""
_AFTER = """
SELECT id FROM url WHERE host = ?1 AND substr(url, instr(url, ':')) > ?2
ORDER BY substr(url, instr(url, ':')) LIMIT ?3
"""
_SAME_TAIL = "SELECT id FROM url WHERE host = ?1 AND url LIKE ?2 ESCAPE '!' LIMIT ?3"  # letter case aside
_LIKE_SPECIAL = re.compile("[%_!]")


class EmptyStoreError(FrontierError):
    """A store that a crawl was about to make when it was killed: there is nothing in it."""


class Known(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An admitted URL: where it comes from, and how it ended or that it waits."""

    id: int  #: place in the order of discovery; 0 where there is none
    url: str
    host: str
    depth: int
    priority: int
    via: str | None  #: page on which it was first found
    seed: str
    scope_host: str
    kind: str
    outcome: str  #: of `Outcome`, or `PENDING` or `SNOOZED`
    reason: str | None
    status: int | None
    target: str | None
    attempts: int | None  #: made; None where that is not known
    at: float | None  #: wall time of its end
    has_page: bool
    due_at: float | None = None  #: wall time before which a snoozed one is not tried again
    redirected_from: tuple[str, ...] | None = None
    via_id: int | None = None  #: of `via`, if that is in the store by its number
    before: Before | None = None  #: what the generation before knew of it


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The queue of one host, as seen by one of the URLs in it."""

    urls: int  #: that wait, itself included
    ahead: int  #: of them, to be taken earlier
    more: bool  #: whether there are more than were counted


class Ended(NamedTuple):
    """A URL that has ended."""

    url: str
    outcome: Outcome
    has_page: bool
    reason: str | None = None


class KnownUrls:
    """The URLs of one crawl, in the store at `path`. A context manager.

    Raises:
        FrontierError: The file cannot be read, is not a crawl's store, of another format, or damaged. All methods do.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with read_back(path):
            self._connection = connected(path)
            try:
                self._key = checked(self._connection, path)
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def find(self, urls: Iterable[str]) -> dict[str, Known]:
        """Those of these canonical URLs that are known."""
        wanted = {url: fingerprint(Url(url), self._key) for url in urls}
        with read_back(self._path):
            ids = sqlite_index.search(self._connection, set(wanted.values()))
        return {known.url: known for known in self.read(ids) if known.url in wanted}

    def read(self, ids: Iterable[int]) -> list[Known]:
        """The URLs of these numbers, in this order."""
        rows = self._rows(_KNOWN, (msgspec.json.encode(list(ids)).decode(),))
        with read_back(self._path):
            return [msgspec.json.decode(row[0], type=Known, strict=False) for row in rows]

    def ended(self) -> Iterator[Ended]:
        """Every URL that has ended, in the order of discovery; takes no memory by their number."""
        last = 0
        while rows := self._rows(_ENDED, (last, _BATCH)):
            last = rows[-1][0]
            with read_back(self._path):
                ends = [Ended(url, Outcome(end), bool(has_page), reason) for _, url, end, has_page, reason in rows]
            yield from ends

    def waiting(self, known: Known, *, deepest_first: bool) -> Waiting:
        """How many URLs of its host wait with one that was never tried; counted up to some 100,000."""
        number = self._host_number(HostKey(known.host))
        depth = "-depth" if deepest_first else "depth"
        place = (known.priority, -known.depth if deepest_first else known.depth, known.id, number)
        ((chunks,),) = self._rows("SELECT count(*) FROM chunk WHERE host = ?", (number,))
        ((below, before),) = self._rows(_WAITING_IN_CHUNKS.format(depth=depth), (*place, _CHUNKS_COUNTED))
        ((above, between),) = self._rows(_WAITING_ABOVE.format(depth=depth), place)
        return Waiting(urls=below + above, ahead=before + between, more=chunks > _CHUNKS_COUNTED)

    def pending(self) -> int:
        """How many URLs have not ended."""
        ((admitted, ended),) = self._rows("SELECT (SELECT max(id) FROM url), (SELECT sum(urls) FROM tally)")
        return int((admitted or 0) - (ended or 0))

    def blob(self, name: str) -> bytes:
        """A small state that checkpoints store under a name; empty if there is none."""
        rows = self._rows("SELECT content FROM blob WHERE name = ?", (name,))
        return bytes(rows[0][0]) if rows else b""

    def position(self, sink: str) -> int:
        """Up to where the file of a sink is committed; 0 if nothing of it is."""
        rows = self._rows("SELECT bytes FROM file WHERE name = ?", (sink,))
        return int(rows[0][0]) if rows else 0

    def host(self, name: HostKey) -> HostState | None:
        """What politeness stored of a host; None if nothing."""
        rows = self._rows(_STATE, (name,))
        with read_back(self._path):
            return msgspec.convert(rows[0], HostState) if rows else None

    def robots(self, origin: str) -> RobotsFile | None:
        """The stored verdict on an origin's robots.txt, fresh or not."""
        rows = self._rows("SELECT expires_at, closed, verdict FROM robots WHERE origin = ?", (origin,))
        if not rows:
            return None
        with read_back(self._path):
            told = msgspec.json.decode(rows[0][2], type=Robots)
            return RobotsFile(origin=origin, expires_at=rows[0][0], robots=told, closed=rows[0][1])

    def scope_host_for(self, host: str) -> str | None:
        """A host that seeds have led to: `host` itself, else one of its registrable domain, else any."""
        domain = registrable_domain(host)
        rows = self._rows(
            "SELECT scope_host FROM seed ORDER BY scope_host = ?1 DESC, "
            "scope_host = ?2 OR substr(scope_host, -length(?2) - 1) = '.' || ?2 DESC LIMIT 1",
            (host, domain),
        )
        return rows[0][0] if rows else None

    def redirecting_to(self, url: str) -> str | None:
        """A URL that redirected to this one."""
        rows = self._rows("SELECT url.url FROM done JOIN url ON url.id = done.id WHERE target = ? LIMIT 1", (url,))
        return rows[0][0] if rows else None

    def like(self, url: Url, tail: str) -> list[Known]:
        """URLs of the same host: those whose beginnings have most in common with it, and some that end in `tail`.

        Goes through all URLs of the store: at ten million that takes seconds.
        """
        number = self._host_number(host_key(url))
        if number is None:
            return []
        rest, ending = url[url.index(":") :], "%" + _LIKE_SPECIAL.sub(r"!\g<0>", tail)
        asked = [(_BEFORE, rest), (_AFTER, rest), *[(_SAME_TAIL, ending)] * bool(tail)]
        ids = [row[0] for statement, text in asked for row in self._rows(statement, (number, text, _NEIGHBOURS))]
        return self.read(dict.fromkeys(ids))

    def hosts_like(self, name: str) -> list[str]:
        """Known hosts, the nearest to `name` among them: of few all, else its neighbours and those of its domain."""
        ((hosts,),) = self._rows("SELECT count(*) FROM host")
        if hosts <= _FEW_HOSTS:
            return [row[0] for row in self._rows("SELECT name FROM host")]
        statements = (
            ("SELECT name FROM host WHERE name < ? ORDER BY name DESC LIMIT ?", name),
            ("SELECT name FROM host WHERE name > ? ORDER BY name LIMIT ?", name),
            ("SELECT name FROM host WHERE instr('.' || name, '.' || ?) LIMIT ?", registrable_domain(name)),
        )
        return [row[0] for statement, text in statements for row in self._rows(statement, (text, _NEIGHBOURS))]

    def _host_number(self, name: HostKey) -> int | None:
        rows = self._rows("SELECT id FROM host WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def _rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Any]:
        with read_back(self._path):
            return self._connection.execute(statement, parameters).fetchall()


def connected(path: Path, *, one_thread: bool = True) -> sqlite3.Connection:
    """A connection that reads the store as it was last committed, for one thread or for one at a time."""
    uri = path.resolve().as_uri()
    connect = partial(sqlite3.connect, uri=True, isolation_level=None, check_same_thread=one_thread)
    log = path.with_name(path.name + "-wal")
    if not log.exists():
        return connect(f"{uri}?mode=ro&immutable=1")
    connection = connect(f"{uri}?mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
    else:
        return connection
    connection = connect(f"{uri}?mode=ro&vfs=unix-none")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # the log's index is then kept in memory
    return connection


def checked(connection: sqlite3.Connection, path: Path) -> int:
    """The key of its fingerprints, if it is a store of a format we know."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if not application and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise EmptyStoreError(f"{path} is not a crawl's store: it is empty")
    if application != APPLICATION_ID:
        raise FrontierError(f"{path} is not a crawl's store")
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if meta.get("format") != FORMAT:
        found = meta.get("format")
        raise FrontierError(f"{path} has format {found}, and this version of crawler reads format {FORMAT} only")
    return int(meta["key"], 16)
