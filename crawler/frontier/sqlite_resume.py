"""What did a store hold when it was opened? Read once, from the writing connection.

Queues are not read: a flag for each host says whether it has chunks. Everything else that has to be in memory is: the
seen table, from the fingerprints the store keeps in order of ids, and the names of hosts while they are few.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.errors import FrontierError
from crawler.frontier.seen import Seen
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

    def pairs(statement: str) -> list[tuple[str, int]]:
        return connection.execute(statement).fetchall()

    def number(statement: str) -> int:
        return int(connection.execute(statement).fetchone()[0])

    urls = number("SELECT coalesce(max(id), 0) FROM url")
    hosts = number("SELECT coalesce(max(id), 0) FROM host")
    seen = _seen(connection, urls)
    if len(seen) != urls:
        raise FrontierError(f"{path} is damaged: {urls} URLs, but {len(seen)} fingerprints")
    names = pairs("SELECT name, id FROM host") if hosts <= host_names else ()
    blobs = connection.execute("SELECT name, content FROM blob").fetchall()
    (key,) = connection.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()
    return Resumed(
        key=int(key, 16),
        urls=urls,
        hosts=hosts,
        seeds=number("SELECT coalesce(max(id), 0) FROM seed"),
        indexed=number("SELECT value FROM meta WHERE name = 'indexed'"),
        ended={Outcome(name): count for name, count in pairs("SELECT outcome, urls FROM tally")},
        waiting=[row[0] for row in connection.execute("SELECT DISTINCT host FROM chunk")],
        names={HostKey(name): host for name, host in names},
        seen=seen,
        restored=Restored(
            positions=dict(pairs("SELECT name, bytes FROM file")),
            counters=dict(pairs("SELECT name, value FROM counter")),
            blobs=dict(blobs),
        ),
    )


def _seen(connection: sqlite3.Connection, urls: int) -> Seen:
    seen = Seen(urls)
    for (blob,) in connection.execute("SELECT fingerprints FROM seen"):
        seen.add_all(array("Q", blob))
    return seen
