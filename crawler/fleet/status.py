"""How does a crawl stand that several workers share? Made of what Redis knows, whoever asks: none of them is needed.

What is counted is what is stored: what workers have done since their last commit comes with the next. A status is not
one moment: partitions are read some at a time while workers go on, so that its sums are those of the parts as read, and
each part is of one moment.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

import msgspec

from crawler.fleet.models import Slow, WorkerInfo
from crawler.models import HostKey, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

SLOWEST = 8
"""Hosts that are named."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """How many URLs there are: ``admitted == sum(outcomes) + pending``."""

    admitted: int = 0
    outcomes: dict[Outcome, int] = {}
    #: of those that ended with a reason: ``failed http_404`` and the like, the most first
    reasons: dict[str, int] = {}
    pending: int = 0
    snoozed: int = 0  #: of those pending: put off, to be tried again
    #: URLs found that have not reached their partition yet, in blocks; some may be known there
    inbox_blocks: int = 0


class Partitions(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds what."""

    total: int = 0
    held: int = 0
    free: int = 0  #: nobody's
    unfinished: int = 0  #: with something pending
    #: nobody's, though something is pending there
    waiting: int = 0
    #: held by a worker that is not heard of: free once their leases are over
    lapsing: int = 0
    #: seconds since the leases were taken that are oldest and youngest; None if there is none
    oldest_lease_s: float | None = None
    youngest_lease_s: float | None = None
    #: in how many the next one ends, unless it is renewed
    next_end_s: float | None = None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What the server holds: of all its crawls, and whatever else is there."""

    used_bytes: int = 0
    most_bytes: int = 0  #: 0 for as much as there is
    #: by URL admitted; None while there are few, as it would say nothing
    bytes_per_url: float | None = None


class Seeding(msgspec.Struct, frozen=True, kw_only=True):
    """How far the seed list has been read."""

    given: int = 0
    done: bool = False


class FleetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One crawl."""

    name: str
    server: str  #: without a password
    state: str  #: running, paused, stopped or done
    why: str = ""  #: what paused or stopped it
    at: float  #: the server's clock, as are all times here
    began_at: float | None = None
    totals: Totals = Totals()
    partitions: Partitions = Partitions()
    seeds: Seeding = Seeding()
    workers: tuple[WorkerInfo, ...] = ()
    gone: int = 0  #: workers that were there earlier, and have left or died
    #: hosts that are waited for longest
    slowest: tuple[Slow, ...] = ()
    memory: Memory | None = None
    #: what was changed while it runs: pattern of hosts -> its pace, as in a configuration
    limits: dict[str, dict[str, str | int]] = {}

    @property
    def pages_per_s(self) -> float:
        """Of all workers together."""
        return sum(worker.pages_per_s for worker in self.workers)

    @property
    def in_flight(self) -> int:
        """Likewise."""
        return sum(worker.in_flight for worker in self.workers)


class Tallied(Protocol):
    """What is stored of one partition, as `crawler.fleet.store.Tally` has it."""

    @property
    def urls(self) -> int: ...  # noqa: D102 - see there
    @property
    def ended(self) -> Mapping[Outcome, int]: ...  # noqa: D102
    @property
    def reasons(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def snoozed(self) -> int: ...  # noqa: D102
    @property
    def inbox(self) -> int: ...  # noqa: D102
    @property
    def owner(self) -> int: ...  # noqa: D102
    @property
    def held_since(self) -> float: ...  # noqa: D102
    @property
    def free_in_s(self) -> float: ...  # noqa: D102


def totals_of(tallies: Iterable[Tallied]) -> Totals:
    """Of all partitions together."""
    outcomes: Counter[Outcome] = Counter()
    reasons: Counter[str] = Counter()
    admitted = snoozed = inbox = 0
    for tally in tallies:
        admitted += tally.urls
        snoozed += tally.snoozed
        inbox += tally.inbox
        outcomes.update(tally.ended)
        reasons.update(tally.reasons)
    ended = {outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]}
    return Totals(
        admitted=admitted,
        outcomes=ended,
        reasons=dict(reasons.most_common()),
        pending=admitted - sum(ended.values()),
        snoozed=snoozed,
        inbox_blocks=inbox,
    )


def partitions_of(tallies: Iterable[Tallied], there: AbstractSet[int], now: float) -> Partitions:
    """Who holds them, and since when.

    Args:
        tallies: Of all partitions.
        there: Ids of the workers that are heard of.
        now: The server's clock.
    """
    total = held = unfinished = waiting = lapsing = 0
    ages: list[float] = []
    ends: list[float] = []
    for tally in tallies:
        total += 1
        is_open = tally.urls > sum(tally.ended.values()) or tally.inbox > 0
        unfinished += is_open
        if tally.owner:
            held += 1
            lapsing += tally.owner not in there
            ages.append(max(0.0, now - tally.held_since))
            ends.append(tally.free_in_s)
        else:
            waiting += is_open
    return Partitions(
        total=total,
        held=held,
        free=total - held,
        unfinished=unfinished,
        waiting=waiting,
        lapsing=lapsing,
        oldest_lease_s=max(ages, default=None),
        youngest_lease_s=min(ages, default=None),
        next_end_s=min(ends, default=None),
    )


def slowest_of(workers: Iterable[WorkerInfo]) -> tuple[Slow, ...]:
    """The hosts that keep the crawl waiting longest, of all workers'."""
    found = [
        Slow(host_key=HostKey(host), state=state, for_s=for_s, why=why)
        for worker in workers
        for host, state, for_s, why in worker.slow_hosts
    ]
    return tuple(sorted(found, key=lambda slow: -slow.for_s)[:SLOWEST])
