"""What does the store know of a URL, a host, an origin? Read from the event loop's thread, never behind a commit.

A connection of its own, which sees what is committed and waits for nobody (SQLite's write-ahead log). Each question
is one statement for all ids it is about: warm, it takes under a millisecond. Nothing here remembers anything.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from crawler.frontier import sqlite_index
from crawler.frontier.draft import Extra
from crawler.frontier.sqlite_schema import STATE_COLUMNS, damaged, read_back
from crawler.models import Finished, HostKey, HostState, Outcome, Request, Robots, RobotsFile
from crawler.url import Url

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from crawler.frontier.snoozed import Place

_CACHE_KIB = 8_000

_CHUNK = """
SELECT priority, depth, first, (
    SELECT json_group_array(listed.value) FROM json_each(chunk.ids) AS listed
    WHERE NOT EXISTS (SELECT 1 FROM done WHERE id = listed.value)
        AND NOT EXISTS (SELECT 1 FROM snoozed WHERE id = listed.value)
)
FROM chunk WHERE host = ?
"""
_CHUNKS = f"{_CHUNK} AND (priority, depth, first) > (?, ?, ?) ORDER BY priority, depth, first LIMIT ?"

# Deepest first there is no one order of the index, but one in each depth, and from each a step to the next.
_CHUNKS_OF_DEPTH = f"{_CHUNK} AND priority = ? AND depth = ? AND first > ? ORDER BY first LIMIT ?"
_NEXT_DEPTH = """
SELECT priority, depth FROM chunk WHERE first = coalesce(
    (SELECT first FROM chunk WHERE host = ?1 AND priority = ?2 AND depth < ?3 ORDER BY depth DESC LIMIT 1),
    (
        SELECT first FROM chunk WHERE host = ?1 AND priority = (
            SELECT min(priority) FROM chunk WHERE host = ?1 AND priority > ?2
        )
        ORDER BY depth DESC LIMIT 1
    )
)
"""

_REQUEST = """
url.id, url.url, host.name, url.priority, url.depth, coalesce(parent.url, url.via),
seed.seed, seed.scope_host, url.extra
"""

_REQUEST_OF_ID = """
FROM json_each(?) AS asked
    CROSS JOIN url ON url.id = asked.value
    JOIN host ON host.id = url.host
    JOIN seed ON seed.id = url.seed
    LEFT JOIN url AS parent ON parent.id = url.via
"""

# One row: each row stepped to gives up the interpreter's lock, and may have to wait for it.
_REQUESTS = f"""
SELECT json_group_array(json_array({_REQUEST}, snoozed.attempt))
{_REQUEST_OF_ID} LEFT JOIN snoozed ON snoozed.id = url.id
"""

_ENDS = f"""
SELECT {_REQUEST}, done.attempts, done.outcome, done.reason, done.status, done.target, done.at, done.has_page,
    validator.etag, validator.last_modified
{_REQUEST_OF_ID} JOIN done ON done.id = url.id LEFT JOIN validator ON validator.id = url.id
"""

_SNOOZED = """
SELECT snoozed.due_ms, snoozed.id, host.name
FROM snoozed JOIN url ON url.id = snoozed.id JOIN host ON host.id = url.host
WHERE (snoozed.due_ms, snoozed.id) > (?, ?) ORDER BY snoozed.due_ms, snoozed.id LIMIT ?
"""

_STATE = f"SELECT name, {', '.join(STATE_COLUMNS)} FROM host WHERE name = ? AND failures NOTNULL"  # noqa: S608

_FULL = """
SELECT json_group_array(host.id) FROM json_each(?) AS asked CROSS JOIN host ON host.id = asked.value
WHERE pages >= ? AND retired ISNULL
"""

_READY = f"""
SELECT host.id, name, {", ".join(STATE_COLUMNS)}
FROM json_each(?) AS asked CROSS JOIN host ON host.id = asked.value WHERE ready_at ISNULL OR ready_at <= ?
"""  # noqa: S608

_RequestRow = tuple[int, str, str, int, int, str | None, str, str, str | None, int | None]
_EndRow = tuple[
    int, str, str, int, int, str | None, str, str, str | None, int,
    str, str | None, int | None, str | None, float, int, str | None, str | None,
]  # fmt: skip


class Chunk(NamedTuple):
    """Some URLs of one host and band that wait, but for those ended or snoozed since it was written."""

    priority: int
    depth: int
    first: int  #: lowest id it was written with
    ids: list[int]


class Reader:
    """The reading connection to the store at `path`.

    Args:
        path: The store.
        deepest_first: Whether of the chunks of one host and priority the deepest come first.
    """

    def __init__(self, path: Path, *, deepest_first: bool) -> None:
        self._path = path
        self._deepest_first = deepest_first
        self._connection: sqlite3.Connection

    def open(self) -> None:
        """Open the store, which exists."""
        with read_back(self._path):
            self._connection = sqlite3.connect(self._path, isolation_level=None)
            self._connection.execute("PRAGMA query_only = 1")
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()

    def chunks(self, host: int, after: tuple[int, int, int], limit: int) -> list[Chunk]:
        """The first chunks of a host after one with this priority, depth and first id, in this order."""
        if self._deepest_first:
            return self._deepest_chunks(host, after, limit)
        chunks = self._chunks(_CHUNKS, (host, *after, limit))
        for chunk in chunks:
            place, after = after, chunk[:3]
            if after <= place:
                raise damaged(self._path, f"chunk {chunk.first} of host {host} is out of order")
        return chunks

    def requests(self, ids: Collection[int]) -> list[Request]:
        """Requests of stored URLs, with the attempt they were snoozed for."""
        ((text,),) = self._rows(_REQUESTS, (_json(ids),), tuple[str])
        with read_back(self._path):
            requests = [_request(row[:9], row[9]) for row in msgspec.json.decode(text, type=list[_RequestRow])]
        if len(requests) != len(ids):
            read = {request.id for request in requests}
            missing = [number for number in ids if number not in read]
            raise damaged(self._path, f"of {len(ids)} URLs that wait, {len(read)} can be read; missing: {missing[:3]}")
        return requests

    def ends(self, ids: Collection[int]) -> list[Finished]:
        """How those of these URLs that have ended did."""
        rows = self._rows(_ENDS, (_json(ids),), _EndRow)
        with read_back(self._path):
            return [
                Finished(
                    request=_request(row[:9], row[9]),
                    outcome=Outcome(row[10]),
                    reason=row[11],
                    status=row[12],
                    target=row[13],
                    at=row[14],
                    has_page=bool(row[15]),
                    etag=row[16],
                    last_modified=row[17],
                )
                for row in rows
            ]

    def snoozed(self, after: Place, limit: int) -> list[tuple[int, int, HostKey]]:
        """The first snoozed URLs after a place: due_ms, id, host."""
        return self._rows(_SNOOZED, (*after, limit), tuple[int, int, HostKey])

    def full(self, hosts: Collection[int], pages: int) -> frozenset[int]:
        """Those of these hosts, by number, that have so many pages or more, and are not retired."""
        ((text,),) = self._rows(_FULL, (_json(hosts), pages), tuple[str])
        with read_back(self._path):
            return msgspec.json.decode(text, type=frozenset[int])

    def ready(self, hosts: Collection[int], before: float) -> dict[int, HostState]:
        """The states of those of these hosts, by number, that are ready by then; the default where none is stored."""
        with read_back(self._path):
            rows = self._connection.execute(_READY, (_json(hosts), before)).fetchall()
            states = [(number, state[:1] if state[1] is None else state) for number, *state in rows]
            return dict(msgspec.convert(states, list[tuple[int, HostState]]))

    def state(self, host_key: HostKey) -> HostState | None:
        """The committed state of a host."""
        states = self._rows(_STATE, (host_key,), HostState)
        return states[0] if states else None

    def robots(self, origin: str) -> RobotsFile | None:
        """The committed verdict of an origin."""
        statement = "SELECT expires_at, closed, verdict FROM robots WHERE origin = ?"
        for expires_at, closed, verdict in self._rows(statement, (origin,), tuple[float, str | None, str]):
            with read_back(self._path):
                robots = msgspec.json.decode(verdict, type=Robots)
            return RobotsFile(origin=origin, expires_at=expires_at, robots=robots, closed=closed)
        return None

    def ids(self, fingerprints: Collection[int]) -> list[int]:
        """Ids of all URLs that have one of these fingerprints."""
        with read_back(self._path):
            return sqlite_index.search(self._connection, fingerprints)

    def _deepest_chunks(self, host: int, after: tuple[int, int, int], limit: int) -> list[Chunk]:
        """As `chunks`, one depth after the other."""
        chunks: list[Chunk] = []
        while True:
            chunks += self._chunks(_CHUNKS_OF_DEPTH, (host, *after, limit - len(chunks)))
            following = len(chunks) < limit and self._rows(_NEXT_DEPTH, (host, *after[:2]), tuple[int, int])
            if not following:
                return chunks
            after = (*following[0], 0)

    def _chunks(self, statement: str, parameters: Sequence[object]) -> list[Chunk]:
        rows = self._rows(statement, parameters, tuple[int, int, int, str])
        with read_back(self._path):
            return [Chunk(row[0], row[1], row[2], msgspec.json.decode(row[3], type=list[int])) for row in rows]

    def _rows(self, statement: str, parameters: Sequence[object], row: object) -> list[Any]:
        """All rows of the answer, checked to be of this type."""
        with read_back(self._path):
            rows = self._connection.execute(statement, parameters).fetchall()
            return msgspec.convert(rows, list[row])  # type: ignore[valid-type]


def _json(values: Collection[int]) -> str:
    return msgspec.json.encode(values).decode()


def _request(row: Sequence[Any], attempt: int | None) -> Request:
    number, url, host_key, priority, depth, via, seed, scope_host, extra_json = row
    extra = msgspec.json.decode(extra_json, type=Extra) if extra_json else _PLAIN
    return Request(
        url=Url(url),
        host_key=HostKey(host_key),
        scope_host=scope_host,
        depth=depth,
        via=via,
        seed=seed,
        kind=extra.kind,
        attempt=attempt or extra.attempt,
        priority=priority,
        redirected_from=extra.redirected_from,
        context=extra.context,
        known=extra.known,
        id=number,
    )


_PLAIN = Extra()
