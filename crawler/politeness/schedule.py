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

Hosts at one network address are a `Group`, and together have no more requests in flight than it allows. One that
comes up while its group is full waits in the group, out of the heap, first come, first served: each slot that its
group gets free, or does not use, brings one of them back.

How long a host waits for its time is counted where it leaves the heap: from when it entered, or was last counted, until
it was due. While requests hold all its slots, or its group's, it does not wait for its time.

A host's heap entry is valid while it carries the host's current `ticket`; outdated ones are dropped when met, and
all at once when they are more than the valid ones.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from random import random
from typing import TYPE_CHECKING, Generic, TypeVar

from crawler.politeness.scheduled import Scheduled

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.politeness.scheduled import Group

GUARD_S = 0.010
"""Added to every delay over 0, so that the gap holds on the server's side of the network too."""

_MIN_SWEEP = 1_024


H = TypeVar("H", bound=Scheduled)


class Schedule(Generic[H]):
    """Hosts with something to request, by the time they may.

    `H` is policy's own kind of host, so that no second look-up is needed to get from one to the other.

    Args:
        random: A number of at least 0 and below 1, for jitter.
        crowded: Told of a host that has come up while its group is full.
    """

    def __init__(
        self, random: Callable[[], float] = random, *, crowded: Callable[[H], object] = lambda _host: None
    ) -> None:
        self._random = random
        self._crowded = crowded
        self._heap: list[tuple[float, int, H]] = []
        self._valid = 0
        self._tickets = 0

    def offer(self, host: H, now: float) -> None:
        """It has something to request."""
        host.offered = True
        self._place(host, now)

    def rest(self, host: H, now: float) -> None:
        """It has nothing to request."""
        host.offered = False
        self._withdraw(host, now)
        self._pass_on(host.group)

    def join(self, host: H, group: Group | None) -> None:
        """It is at this address, with whatever it has in flight."""
        left = host.group
        if left is group:
            return
        if left is not None:
            left.hosts -= 1
            left.in_flight -= host.in_flight
        host.parked = False
        host.group = group
        if group is not None:
            group.hosts += 1
            group.in_flight += host.in_flight
        self._pass_on(left, host.in_flight + 1)
        self._place(host, host.since)

    def allow(self, group: Group, concurrency: int) -> None:
        """Change how many requests to the hosts of a group may be in flight; those that are stay so."""
        more = concurrency - group.concurrency
        group.concurrency = concurrency
        self._pass_on(group, more)

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
                if due > host.since:
                    self._waited(host, due)
                else:
                    host.wait_s = 0.0
                group = host.group
                if group is None or group.in_flight < group.concurrency:
                    return host
                host.parked = True
                group.waiting.append(host)
                self._crowded(host)
        return None

    def claim(self, host: H, now: float) -> None:
        """A request of the host just popped is handed out: one slot less. `offer` or `rest` must follow."""
        host.in_flight += 1
        host.unstarted += 1
        group = host.group
        if group is not None:
            group.in_flight += 1
        host.due = max(host.due, now)  # its turn is over: behind all that are due already

    def is_next(self, host: H, now: float) -> bool:
        """Whether `pop` would give out again the host that has just claimed a slot, if it were offered now.

        To be on the safe side no, while an outdated entry is in front of the heap.
        """
        heap, group = self._heap, host.group
        if (heap and heap[0][0] <= now) or (group is not None and group.in_flight >= group.concurrency):
            return False
        return host.due <= now and host.free_slots > 0

    def may_start(self, host: H, now: float) -> bool:
        """Whether a request handed out may still go on the wire. Its own pace forbids it only after a `slow_down`:
        until then a host with a delay has but one request handed out, and is due when it gets it."""
        return host.due <= now and (host.delay_s == 0 or host.unstarted == 1)

    def started(self, host: H, now: float) -> None:
        """A request of it went on the wire at `now`."""
        host.unstarted -= 1
        host.last_start = now
        if host.delay_s > 0:
            jitter_s = host.jitter_s * self._random() if host.jitter_s else 0.0
            host.due = max(host.due, now + host.delay_s + GUARD_S + jitter_s)
        if not host.ticket:
            self._place(host, now)

    def released(self, host: H, now: float, *, started: bool) -> None:
        """A request of it ended. One that never went on the wire counts as started now: it may have got as far
        as the server's door."""
        self._free_slot(host)
        if not started:
            self.started(host, now)
        elif not host.ticket:
            self._place(host, now)

    def taken_back(self, host: H, now: float) -> None:
        """A request handed out will not go on the wire after all: its slot is free, and no pause follows."""
        host.unstarted -= 1
        self._free_slot(host)
        self._place(host, now)

    def hold(self, host: H, until: float, now: float) -> None:
        """Nothing of it starts before `until`; an earlier time changes nothing."""
        if until > host.due:
            self._count(host, now)
            host.due = until
            self._replace(host, now)

    def bring_forward(self, host: H, due: float, now: float) -> None:
        """It may be asked from `due` on; a later time changes nothing."""
        if due < host.due:
            self._count(host, now)
            host.due = due
            self._replace(host, now)

    def wait_out(self, host: H, now: float) -> None:
        """What is to be requested of it is kept elsewhere until it is due: it waits all the time until then."""
        self._count(host, now)
        host.since = max(host.since, now)
        if host.due > host.since:
            self._waited(host, host.due)

    def in_vain(self, host: H) -> None:
        """There was nothing to request when its time came: it has not waited for that."""
        host.waited_s -= host.wait_s
        host.wait_s = 0.0

    def pace(self, host: H, delay_s: float, now: float) -> None:
        """Change its delay: a longer one counts from its latest start on, a shorter one from the next."""
        if delay_s == host.delay_s:
            return
        self._count(host, now)
        if delay_s > host.delay_s:
            host.due = max(host.due, host.last_start + delay_s + GUARD_S)
        host.delay_s = delay_s
        self._replace(host, now)

    def narrow(self, host: H, concurrency: int, now: float) -> None:
        """Change how many of its requests may be in flight; those that are stay so."""
        host.concurrency = concurrency
        self._replace(host, now)

    def free(self, host: H, now: float) -> None:
        """It waits for nothing, as nothing of it will be requested for now."""
        self._count(host, now)
        host.waited_s, host.since = host.waited(now), min(host.since, now)
        host.due = float("-inf")
        self._replace(host, now)

    def next_at(self) -> float | None:
        """When the next host is due, which may be past; None if no host waits for a time."""
        heap = self._heap
        while heap and heap[0][2].ticket != heap[0][1]:
            heappop(heap)
        return heap[0][0] if heap else None

    def _place(self, host: H, now: float) -> None:
        """Into the heap, if it belongs there and is not there yet."""
        if not host.ticket and host.offered and not host.parked and host.free_slots > 0:
            self._tickets += 1
            self._valid += 1
            host.ticket = self._tickets
            if now > host.since:  # noqa: PLR1730 - for each request, and max() takes three times as long
                host.since = now
            heappush(self._heap, (host.due, self._tickets, host))

    def _replace(self, host: H, now: float) -> None:
        """To its new place in the heap, its due time having changed; its wait until now is counted."""
        self._withdraw(host, now)
        host.parked = False
        self._place(host, now)
        self._pass_on(host.group)

    def _count(self, host: H, now: float) -> None:
        """Count for how long it has waited in the heap, until now."""
        if host.ticket:
            if (until := min(now, host.due)) > host.since:
                self._waited(host, until)
            host.since = max(host.since, now)

    def _waited(self, host: H, until: float) -> None:
        host.wait_s = until - host.since
        host.waited_s += host.wait_s
        host.since = until

    def _free_slot(self, host: H) -> None:
        host.in_flight -= 1
        group = host.group
        if group is not None:
            group.in_flight -= 1
            if group.waiting:
                self._pass_on(group)

    def _pass_on(self, group: Group | None, slots: int = 1) -> None:
        """Bring back those that wait for a slot of a group: as many as it has got, or one that did not use its own."""
        while slots > 0 and group is not None and group.waiting and not group.is_full:
            host = group.waiting.popleft()
            if host.parked and host.group is group:
                host.parked = False
                self._place(host, host.since)  # type: ignore[arg-type]  # only `H`s are parked
                slots -= bool(host.ticket)

    def _withdraw(self, host: H, now: float) -> None:
        if host.ticket:
            self._count(host, now)
            host.ticket = 0
            self._valid -= 1
            if len(self._heap) > 2 * self._valid + _MIN_SWEEP:
                self._heap = [entry for entry in self._heap if entry[2].ticket == entry[1]]
                heapify(self._heap)
