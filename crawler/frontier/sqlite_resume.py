"""What did a store hold when it was opened? Read once, from the writing connection.

Queues are not read: a flag for each host says whether it has chunks. Everything else that has to be in memory is: the
seen table, from the fingerprints the store keeps in order of ids, and the names of hosts while they are few.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.frontier.seen import Seen
from crawler.frontier.sqlite_schema import damaged, facts
from crawler.models import HostKey, Outcome, Restored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed:
    """The part of a store that is kept in memory."""

    key: int
    urls: int  #: ids go from 1 to this
    hosts: int  #: and so do their numbers
    seeds: int
    indexed: int  #: the last id in the index of fingerprints
    ended: Mapping[Outcome, int]
    waiting: Sequence[int]  #: numbers of hosts that have chunks
    names: Mapping[HostKey, int]  #: of all hosts, or of none if they are too many
    seen: Seen
    restored: Restored


def resume(connection: sqlite3.Connection, path: Path, *, host_names: int) -> Resumed:
    """Read a store whose every URL is in a chunk, snoozed or done.

    Args:
        connection: To the store.
        path: Of the store, for messages.
        host_names: How many names to read at most.

    Raises:
        FrontierError: The store is damaged.
    """

    def rows(statement: str, row: object) -> list[Any]:
        return msgspec.convert(connection.execute(statement).fetchall(), list[row])  # type: ignore[valid-type]

    def number(statement: str) -> int:
        return int(rows(statement, tuple[int])[0][0])

    urls = number("SELECT coalesce(max(id), 0) FROM url")
    hosts = number("SELECT count(*) FROM host")
    waiting = [host for (host,) in rows("SELECT DISTINCT host FROM chunk", tuple[int])]
    names = dict(rows("SELECT name, id FROM host", tuple[HostKey, int])) if hosts <= host_names else {}
    strange = number("SELECT coalesce(max(id), 0) FROM host") != hosts
    if strange or not all(0 < host <= hosts for host in (*waiting, *names.values())):
        raise damaged(path, f"its hosts are not numbered from 1 to {hosts}")
    seen = _seen(connection, urls)
    if len(seen) != urls:
        raise damaged(path, f"{urls} URLs, but {len(seen)} fingerprints")
    about = facts(connection)
    return Resumed(
        key=int(about.key, 16),
        urls=urls,
        hosts=hosts,
        seeds=number("SELECT coalesce(max(id), 0) FROM seed"),
        indexed=about.indexed,
        ended=dict(rows("SELECT outcome, urls FROM tally", tuple[Outcome, int])),
        waiting=waiting,
        names=names,
        seen=seen,
        restored=Restored(
            positions=dict(rows("SELECT name, bytes FROM file", tuple[str, int])),
            counters=dict(rows("SELECT name, value FROM counter", tuple[str, int])),
            blobs=dict(rows("SELECT name, content FROM blob", tuple[str, bytes])),
        ),
    )


def _seen(connection: sqlite3.Connection, urls: int) -> Seen:
    seen = Seen(urls)
    for (blob,) in connection.execute("SELECT fingerprints FROM seen"):
        seen.add_all(array("Q", blob))
    return seen
