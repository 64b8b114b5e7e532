"""What does the schedule know of a host, and of those that share its address? Both are changed by `schedule` alone."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.models import HostKey


class State(StrEnum):
    """What a host is doing; see `schedule`."""

    READY = "ready"
    IN_PROCESS = "in-process"
    SNOOZED = "snoozed"
    EXHAUSTED = "exhausted"
    RETIRED = "retired"


class Group:
    """The hosts at one address.

    Args:
        concurrency: Requests in flight at most, to all of them together.
    """

    __slots__ = ("concurrency", "hosts", "in_flight", "larger", "waiting")

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        #: kept by `places`: what its hosts may have in flight by themselves, where that is more than usual
        self.larger: list[int] = []
        self.in_flight = 0
        #: how many there are
        self.hosts = 0
        #: those whose time has come and that wait for a slot; some may have left the queue in the meantime
        self.waiting: deque[Scheduled] = deque()

    @property
    def is_full(self) -> bool:
        """Whether none of them may start a request."""
        return self.in_flight >= self.concurrency


class Scheduled:
    """A host as the schedule sees it.

    Args:
        key: The host.
        delay_s: Pause between the starts of two requests.
        concurrency: Requests in flight at most.
        due: When its first request may start.
        jitter_s: By how much a pause may be longer, at random.
    """

    __slots__ = (
        *("concurrency", "delay_s", "due", "group", "in_flight", "jitter_s", "key", "last_start", "offered"),
        *("parked", "since", "ticket", "unstarted", "wait_s", "waited_s"),
    )

    def __init__(self, key: HostKey, *, delay_s: float, concurrency: int, due: float, jitter_s: float = 0.0) -> None:
        self.key = key
        self.delay_s = delay_s
        self.jitter_s = jitter_s
        self.concurrency = concurrency
        self.due = due
        #: those it shares its address with; None while that is not known
        self.group: Group | None = None
        #: whether it waits for a slot of its group
        self.parked = False
        #: requests that hold a slot
        self.in_flight = 0
        #: those of them not yet on the wire
        self.unstarted = 0
        #: when the latest request went on the wire
        self.last_start = float("-inf")
        #: whether there is something to request
        self.offered = False
        #: number of its valid heap entry; 0 if it has none
        self.ticket = 0
        #: for how long its time had not come while there was something to request; up to `since`
        self.waited_s = 0.0
        #: up to when that is counted; later than now where a rest was counted whole
        self.since = float("-inf")
        #: what of it was counted last
        self.wait_s = 0.0

    @property
    def free_slots(self) -> int:
        """Requests it could start, given that its time has come."""
        if self.delay_s > 0:
            return 1 if not self.unstarted and self.in_flight < self.concurrency else 0
        return self.concurrency - self.in_flight

    def waited(self, now: float) -> float:
        """As `waited_s`, up to `now`."""
        if self.since > now:
            return self.waited_s - (self.since - now)
        return self.waited_s + (max(0.0, min(now, self.due) - self.since) if self.ticket else 0.0)

    def state(self, now: float) -> State:
        """What it is doing at `now`. (Retired is policy's to say.)"""
        if self.ticket:
            return State.READY if self.due <= now else State.SNOOZED
        if self.in_flight and (self.offered or not self.free_slots):
            return State.IN_PROCESS
        return State.EXHAUSTED
