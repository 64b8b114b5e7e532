"""Which host may start a request now?

A heap of hosts under the time of their next request; what they request, and why, is left to `policy`. Pure:
every time is an argument, monotonic seconds.

Theory of operation. A host is in one of five states:

- *ready*: in the heap, its time has come. `pop` gives hosts out longest-due first, and a host that takes a slot
  goes back behind all that were due before, so that none with many free slots starves another.
- *snoozed*: in the heap, its time is still to come: a pause between requests, or a longer rest.
- *in-process*: not in the heap until a request of it starts or ends. The clock is the wire's: while its delay is
  over 0, a host with a request handed out but not yet written to the socket gets no other, since the next is due
  a delay after the actual start; and never are more requests in flight than its concurrency.
- *exhausted*: it has nothing to request, as far as policy knows (`rest`), until it is offered again.
- *retired*: nothing of it is requested any more. Policy refuses its URLs; here it only has no delay.

A host's heap entry is valid while it carries the host's current `ticket`; outdated ones are dropped when met, and
all at once when they are more than the valid ones.
"""

from __future__ import annotations

from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from crawler.models import HostKey

GUARD_S = 0.010
"""Added to every delay over 0, so that the gap holds on the server's side of the network too."""

_MIN_SWEEP = 1_024


class State(StrEnum):
    """What a host is doing; see above."""

    READY = "ready"
    IN_PROCESS = "in-process"
    SNOOZED = "snoozed"
    EXHAUSTED = "exhausted"
    RETIRED = "retired"


class Scheduled:
    """A host as the schedule sees it; only `Schedule` changes its fields.

    Args:
        key: The host.
        delay_s: Pause between the starts of two requests.
        concurrency: Requests in flight at most.
        due: When its first request may start.
    """

    __slots__ = ("concurrency", "delay_s", "due", "in_flight", "key", "last_start", "offered", "ticket", "unstarted")

    def __init__(self, key: HostKey, *, delay_s: float, concurrency: int, due: float) -> None:
        self.key = key
        self.delay_s = delay_s
        self.concurrency = concurrency
        self.due = due
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

    @property
    def free_slots(self) -> int:
        """Requests it could start, given that its time has come."""
        if self.delay_s > 0:
            return 1 if not self.unstarted and self.in_flight < self.concurrency else 0
        return self.concurrency - self.in_flight

    def state(self, now: float) -> State:
        """What it is doing at `now`. (Retired is policy's to say.)"""
        if self.ticket:
            return State.READY if self.due <= now else State.SNOOZED
        if self.in_flight and (self.offered or not self.free_slots):
            return State.IN_PROCESS
        return State.EXHAUSTED


H = TypeVar("H", bound=Scheduled)


class Schedule(Generic[H]):
    """Hosts with something to request, by the time they may.

    `H` is policy's own kind of host, so that no second look-up is needed to get from one to the other.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, H]] = []
        self._valid = 0
        self._tickets = 0

    def offer(self, host: H) -> None:
        """It has something to request."""
        host.offered = True
        self._place(host)

    def rest(self, host: H) -> None:
        """It has nothing to request."""
        host.offered = False
        self._withdraw(host)

    def pop(self, now: float) -> H | None:
        """The host longest due, out of the heap until it is offered again; None if none is due."""
        heap = self._heap
        while heap:
            due, ticket, host = heap[0]
            if host.ticket != ticket:
                heappop(heap)
            elif due > now:
                return None
            else:
                heappop(heap)
                host.ticket = 0
                self._valid -= 1
                return host
        return None

    def claim(self, host: H, now: float) -> None:
        """A request of the host just popped is handed out: one slot less. `offer` or `rest` must follow."""
        host.in_flight += 1
        host.unstarted += 1
        host.due = max(host.due, now)  # its turn is over: behind all that are due already

    def may_start(self, host: H, now: float) -> bool:
        """Whether a request handed out may still go on the wire. Its own pace forbids it only after a `slow_down`:
        until then a host with a delay has but one request handed out, and is due when it gets it."""
        return host.due <= now and (host.delay_s == 0 or host.unstarted == 1)

    def started(self, host: H, now: float) -> None:
        """A request of it went on the wire at `now`."""
        host.unstarted -= 1
        host.last_start = now
        if host.delay_s > 0:
            host.due = max(host.due, now + host.delay_s + GUARD_S)
        self._place(host)

    def released(self, host: H, now: float, *, started: bool) -> None:
        """A request of it ended. One that never went on the wire counts as started now: it may have got as far
        as the server's door."""
        host.in_flight -= 1
        if started:
            self._place(host)
        else:
            self.started(host, now)

    def taken_back(self, host: H) -> None:
        """A request handed out will not go on the wire after all: its slot is free, and no pause follows."""
        host.in_flight -= 1
        host.unstarted -= 1
        self._place(host)

    def hold(self, host: H, until: float) -> None:
        """Nothing of it starts before `until`; an earlier time changes nothing."""
        if until > host.due:
            host.due = until
            self._replace(host)

    def slow_down(self, host: H, delay_s: float) -> bool:
        """Lengthen its delay, counted from its latest start on; a shorter one changes nothing.

        Returns:
            Whether it was lengthened.
        """
        if delay_s <= host.delay_s:
            return False
        host.delay_s = delay_s
        host.due = max(host.due, host.last_start + delay_s + GUARD_S)
        self._replace(host)
        return True

    def next_at(self) -> float | None:
        """When the next host is due, which may be past; None if no host waits for a time."""
        heap = self._heap
        while heap and heap[0][2].ticket != heap[0][1]:
            heappop(heap)
        return heap[0][0] if heap else None

    def _place(self, host: H) -> None:
        """Into the heap, if it belongs there and is not there yet."""
        if not host.ticket and host.offered and host.free_slots > 0:
            self._tickets += 1
            self._valid += 1
            host.ticket = self._tickets
            heappush(self._heap, (host.due, self._tickets, host))

    def _replace(self, host: H) -> None:
        """To its new place in the heap, its due time having changed."""
        self._withdraw(host)
        self._place(host)

    def _withdraw(self, host: H) -> None:
        if host.ticket:
            host.ticket = 0
            self._valid -= 1
            if len(self._heap) > 2 * self._valid + _MIN_SWEEP:
                self._heap = [entry for entry in self._heap if entry[2].ticket == entry[1]]
                heapify(self._heap)
