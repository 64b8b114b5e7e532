"""What did a store hold when it was opened? Read once, from the writing connection.

Queues are not read: a flag for each host says whether it has chunks. Everything else that has to be in memory is: the
seen table, from the fingerprints the store keeps in order of ids, and the names of hosts while they are few.
"""

from __future__ import annotations

from array import array
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.frontier.host_numbers import HostNumbers
from crawler.frontier.seen import Seen
from crawler.frontier.sqlite_schema import connect_to_read, damaged, facts, read_back
from crawler.models import HostKey, Outcome, Restored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_HOSTS_AT_ONCE = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed:
    """The part of a store that is kept in memory."""

    key: int
    urls: int  #: ids go from 1 to this
    seeds: int
    indexed: int  #: the last id in the index of fingerprints
    ended: Mapping[Outcome, int]
    waiting: Sequence[int]  #: numbers of hosts that have chunks
    hosts: HostNumbers
    seen: Seen
    expected: Seen | None  #: fingerprints of the generation before; None for a first one
    restored: Restored


def read_base(path: Path) -> tuple[str, Seen]:
    """Under which key the generation before has its fingerprints, in the store at `path`, and which.

    Raises:
        FrontierError: It cannot be read, or is damaged.
    """
    with read_back(path), closing(connect_to_read(path)) as connection:
        about = facts(connection)
        (urls,) = connection.execute("SELECT coalesce(max(id), 0) FROM url").fetchone()
        return about.key, _seen(connection, urls)


def resume(connection: sqlite3.Connection, path: Path, *, host_names: int, expected: Seen | None = None) -> Resumed:
    """Read a store whose every URL is in a chunk, snoozed or done.

    Args:
        connection: To the store.
        path: Of the store, for messages.
        host_names: How many names of hosts to keep.
        expected: As of `Resumed`.

    Raises:
        FrontierError: The store is damaged.
    """

    def rows(statement: str, row: object) -> list[Any]:
        return msgspec.convert(connection.execute(statement).fetchall(), list[row])  # type: ignore[valid-type]

    def number(statement: str) -> int:
        return int(rows(statement, tuple[int])[0][0])

    urls = number("SELECT coalesce(max(id), 0) FROM url")
    about = facts(connection)
    key = int(about.key, 16)
    hosts = _hosts(connection, path, HostNumbers(key, host_names, number("SELECT count(*) FROM host")))
    waiting = [host for (host,) in rows("SELECT DISTINCT host FROM chunk", tuple[int])]
    if not all(0 < host <= len(hosts) for host in waiting):
        raise damaged(path, f"{len(hosts)} hosts, but chunks of others")
    seen = _seen(connection, urls)
    if len(seen) != urls:
        raise damaged(path, f"{urls} URLs, but {len(seen)} fingerprints")
    return Resumed(
        key=key,
        urls=urls,
        hosts=hosts,
        seeds=number("SELECT coalesce(max(id), 0) FROM seed"),
        indexed=about.indexed,
        ended=dict(rows("SELECT outcome, urls FROM tally", tuple[Outcome, int])),
        waiting=waiting,
        seen=seen,
        expected=expected,
        restored=Restored(
            positions=dict(rows("SELECT name, bytes FROM file", tuple[str, int])),
            counters=dict(rows("SELECT name, value FROM counter", tuple[str, int])),
            blobs=dict(rows("SELECT name, content FROM blob", tuple[str, bytes])),
        ),
    )


def _hosts(connection: sqlite3.Connection, path: Path, hosts: HostNumbers) -> HostNumbers:
    cursor = connection.execute("SELECT id, name FROM host ORDER BY id")
    while part := cursor.fetchmany(_HOSTS_AT_ONCE):
        numbers, names = zip(*msgspec.convert(part, list[tuple[int, HostKey]]), strict=True)
        if numbers != tuple(range(len(hosts) + 1, len(hosts) + 1 + len(part))):
            raise damaged(path, f"its hosts are not numbered from 1 on: {len(hosts) + 1} is missing")
        hosts.restore(names)
    return hosts


def _seen(connection: sqlite3.Connection, urls: int) -> Seen:
    seen = Seen(urls)
    seen.fill(array("Q", blob) for (blob,) in connection.execute("SELECT fingerprints FROM seen"))
    return seen
