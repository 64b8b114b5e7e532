"""What can be seen of hosts and of the machine while a crawl runs? For people to read, and made only when they look."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from crawler.models import HostKey


class HostCondition(StrEnum):
    """What a host is doing, in the words that people are shown."""

    READY = "ready"  #: it may be asked at once
    FETCHING = "fetching"  #: requests are under way, and it may be asked no more before one ends
    LOOKING_UP = "looking up"  #: its addresses are being looked up
    ADDRESS_BUSY = "address busy"  #: other hosts at its address have as many requests in flight as that allows
    PACING = "pacing"  #: it waits for the end of its pause between requests
    BACKING_OFF = "backing off"  #: it asked for a rest, or its errors have earned it one
    BREAKER_OPEN = "breaker open"  #: it failed too often, and rests before one request tries it
    SET_ASIDE = "set aside"  #: it has given ``budget.pages_per_host``
    GIVEN_UP = "given up"  #: the breaker has retired it, or its name does not resolve
    IDLE = "idle"  #: nothing is known to be requested of it


class HostView(msgspec.Struct, frozen=True, kw_only=True):
    """One host at one moment."""

    host_key: HostKey
    condition: HostCondition
    #: why it is not asked now, in words, as the end of a sentence; empty if it may be
    why: str = ""
    #: until its next request may start; 0 if it may now
    wait_s: float = 0.0
    in_flight: int = 0
    #: how many of its requests may be in flight
    concurrency: int = 1
    #: pause between request starts in force now: of the configuration, robots.txt, its latency or its errors
    delay_s: float = 0.0
    #: how long it takes to answer, smoothed; 0 if unknown
    latency_s: float = 0.0
    #: request heads written to it, robots.txt and retries included, those of earlier runs too
    requests: int = 0
    #: failures in a row the host itself is to blame for
    failures: int = 0
    #: for how long something of it was to be requested and its pace or a rest forbade that, earlier runs included
    waited_s: float = 0.0


class HostViews(msgspec.Struct, frozen=True, kw_only=True):
    """The hosts worth a look."""

    #: those with most requests, the most first
    busiest: tuple[HostView, ...] = ()
    #: those that have something to request and wait longest, the longest wait first
    slowest: tuple[HostView, ...] = ()
    #: hosts in memory, by what they do
    conditions: dict[HostCondition, int] = {}


class MachineView(msgspec.Struct, frozen=True, kw_only=True):
    """What the crawl takes of its machine."""

    #: resident memory of this process and its parsers
    memory_bytes: int = 0
    #: share of their time, 0 to 1, that parsers were busy since the view before; None in the first view, and where they
    #: have no processes
    parsers_busy: float | None = None
    #: processor seconds used per second by all processes since the view before; None in the first
    cores_busy: float | None = None


class SlowHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host that keeps the crawl waiting, for people to read."""

    host_key: HostKey
    #: in words, as the end of a sentence: ``it asked to be left alone``, ``it takes 4.2 s to answer``
    why: str
    #: until its next request may start
    wait_s: float
