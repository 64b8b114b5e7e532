"""The words of workers that share a crawl. What travels is msgpack: nothing is ever unpickled.

Times named ``*_at`` are the server's wall-clock seconds since 1970 UTC, by Redis' own clock: a worker's may be wrong by
hours. Those that say monotonic are a worker's own.
"""

from __future__ import annotations

import msgspec

from crawler.models import HostKey, Outcome, Request

FORMAT = 1
"""Raised with every change of what is stored or sent that an older version of this package would misread."""


class Lease(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A partition that a worker has just been given."""

    partition: int
    fence: int  #: grows with each owner
    #: number of the partition's last commit: the next one says that it comes after it
    commit: int = 0
    #: the last number given to one of its URLs; 0 for none
    urls: int = 0
    #: how many of its URLs have ended, by outcome
    ended: dict[Outcome, int] = {}
    #: whether the owner before gave it back, with all that had happened; else that worker died or was cut off
    is_clean: bool = True


class Refused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A partition that was asked for and is another worker's."""

    partition: int
    owner: int
    free_in_s: float  #: when its lease ends, unless it is renewed


class WorkerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker tells of itself with each heartbeat."""

    id: int  #: from 1, in order of joining; never used again
    name: str  #: of its machine and process, for people
    version: str  #: of this package
    directory: str  #: where its files are, on its own machine
    started_at: float
    at: float = 0.0  #: of this heartbeat
    held: int = 0  #: partitions
    #: what it is doing: running, idle, paused, leaving, or why it waits (``Redis is out of memory``)
    state: str = "running"
    pages: int = 0
    wire_bytes: int = 0
    attempts: int = 0
    in_flight: int = 0
    pages_per_s: float = 0.0  #: over the last seconds
    pending: int = 0  #: of the partitions it holds
    memory_bytes: int = 0
    #: its slowest hosts: host, what it does, for how many seconds yet, why
    slow_hosts: tuple[tuple[str, str, float, str], ...] = ()
    clock_off_s: float = 0.0  #: by how much its clock is ahead of the server's


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Who should hold what. Wishes: only leases count."""

    version: int = 0
    #: ids of the workers it speaks of
    workers: tuple[int, ...] = ()
    #: of each partition, the id of its worker, 0 for nobody
    owners: tuple[int, ...] = ()


class FinishedAt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the ledger says the records of a URL are."""

    worker: int  #: id of the worker: the segment
    ordinal: int  #: which of that worker's ends it is, from 0


class Posted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A block of an inbox."""

    id: str
    requests: tuple[Request, ...]


class Slow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A host that is waited for, as a status shows it."""

    host_key: HostKey
    state: str
    for_s: float
    why: str
