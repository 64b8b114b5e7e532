"""Which hosts are in memory, and what does each of them hold?

A window over the frontier's hosts, of bounded size. A host enters when it has URLs, with its stored state
(`adopt`); it may leave once it has nothing to request and nothing of it is under way or unsaved. Hosts that find
no place are not remembered: the frontier knows them, and is asked for more (`refill`) when places are free.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from crawler.models import HostState
from crawler.politeness.host import Host
from crawler.politeness.retry import MAX_RETRY_AFTER_S
from crawler.politeness.schedule import GUARD_S, Schedule
from crawler.politeness.unsaved import Unsaved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.clock import Clock
    from crawler.config import RobotsConfig
    from crawler.models import HostKey, Request
    from crawler.politeness.limits import LimitTable

MAX_REST_S = MAX_RETRY_AFTER_S
"""No stored rest is believed to be longer: the wall clock may have been set back meanwhile."""

_REFILL_PAUSE_S = 1.0
_EVICTION_TRIES = 8


class Window:
    """The hosts in memory.

    Args:
        size: How many. Hosts that a robots.txt redirect leads to come on top, while it is followed.
        robots: How far the stored delay, which robots.txt asked for, counts.
        resumed: Whether any host may have been asked just before an earlier run died, so that each waits a delay
            after the start.
    """

    def __init__(
        self,
        *,
        size: int,
        schedule: Schedule[Host],
        limits: LimitTable,
        robots: RobotsConfig,
        clock: Clock,
        resumed: bool = False,
    ) -> None:
        self._size = size
        self._schedule = schedule
        self._limits = limits
        self._max_crawl_delay_s = robots.max_crawl_delay_s if robots.obey else 0.0
        self._clock = clock
        self._last_asked = clock.monotonic() if resumed else float("-inf")
        self.hosts: dict[HostKey, Host] = {}
        self._unsaved: Unsaved[HostKey, Host] = Unsaved()
        #: whether something was pressed since the last `changes`
        self.pressing = False
        self._called: dict[HostKey, None] = {}
        self._asked: dict[HostKey, None] = {}
        self._visits: dict[HostKey, deque[Request]] = {}
        self._resting: deque[Host] = deque()
        self._overflow = True  # an earlier run may have left hosts
        self._refill_asked = 0
        self._refill_got = 0
        self._refill_from = float("-inf")

    def wake(self, key: HostKey) -> None:
        """The frontier has URLs for this host."""
        host = self.hosts.get(key)
        if host is None:
            self._call(key)
            return
        host.woken = True
        if not host.more:
            host.more = True
            self.settle(host)

    def visit(self, request: Request) -> None:
        """Queue a robots.txt request, at whichever host it is; one that is not here is let in."""
        host = self.hosts.get(request.host_key)
        if host is None:
            self._visits.setdefault(request.host_key, deque()).append(request)
            if request.host_key not in self._asked:
                self._called[request.host_key] = None
        else:
            host.urgent.append(request)
            self.settle(host)

    def newcomers(self) -> list[HostKey]:
        """Hosts whose stored states are needed, each once."""
        called, self._called = self._called, {}
        self._asked |= called
        return list(called)

    def refill(self, now: float, *, idle: bool) -> tuple[int, float | None]:
        """How many more hosts to ask of the frontier.

        Small numbers are not worth a question, unless nothing else is to be done.

        Returns:
            The number, and if it is 0 the time at which it may be more.
        """
        if self._refill_asked:
            self._overflow |= self._refill_got >= self._refill_asked
            self._refill_asked = self._refill_got = 0
        if not self._overflow:
            return 0, None
        free = self._size - self._occupied
        while free < self._size and self._make_room(now):
            free += 1
        if free <= 0:
            return 0, now + _REFILL_PAUSE_S if self._resting else None
        if free * 8 < self._size and not idle:
            return 0, None
        if now < self._refill_from:
            return 0, self._refill_from
        self._overflow = False
        self._refill_asked = free
        self._refill_from = now + _REFILL_PAUSE_S
        return free, None

    def adopt(self, states: Iterable[HostState]) -> None:
        """Let hosts in with what was stored of them; those already here are woken."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        for state in states:
            key = state.host_key
            if key in self._asked:
                del self._asked[key]
            else:
                self._refill_got += 1
                self._called.pop(key, None)
            if key in self.hosts:
                self.wake(key)
                continue
            rest_s = min(max(state.ready_at - wall, 0.0), MAX_REST_S)
            host = self._host(state, now + rest_s)
            host.urgent = self._visits.pop(key, host.urgent)
            self.hosts[key] = host
            self.settle(host)

    def settle(self, host: Host) -> None:
        """Put a host whose work has changed where it belongs."""
        if host.has_work:
            self._schedule.offer(host)
            return
        self._schedule.rest(host)
        if not host.more and not host.resting:
            host.resting = True
            self._resting.append(host)

    def changed(self, host: Host) -> None:
        """Its state is worth storing."""
        self._unsaved.mark(host.key, host)

    def press(self, host: Host) -> None:
        """As `changed`, by something that a crash must not make us forget: a rest, or a longer delay."""
        self.changed(host)
        self.pressing = True

    def changes(self) -> list[HostState]:
        """The states to store. Plain pauses are not: after a resume every host is given one anyway."""
        self.pressing = False
        now, wall = self._clock.monotonic(), self._clock.wall()
        return [
            HostState(
                host_key=host.key,
                ready_at=wall + max(0.0, host.due - now),
                delay_s=host.crawl_delay_s,
                failures=host.failures,
                retired=host.retired,
            )
            for host in self._unsaved.take()
        ]

    def committed(self) -> None:
        """The last `changes` are safe."""
        self._unsaved.committed()

    def _host(self, state: HostState, ready_at: float) -> Host:
        limits = self._limits.resolve(state.host_key)
        crawl_delay_s = min(state.delay_s, self._max_crawl_delay_s)
        if crawl_delay_s <= limits.delay_s:
            crawl_delay_s = 0.0
        earliest = self._last_asked + max(limits.delay_s, crawl_delay_s) + GUARD_S
        return Host(
            state,
            delay_s=limits.delay_s,
            crawl_delay_s=crawl_delay_s,
            concurrency=limits.concurrency,
            due=max(ready_at, earliest),
        )

    @property
    def _occupied(self) -> int:
        return len(self.hosts) + len(self._called) + len(self._asked) + self._refill_asked

    def _call(self, key: HostKey) -> None:
        if key in self._called or key in self._asked:
            return
        if self._occupied < self._size or self._make_room(self._clock.monotonic()):
            self._called[key] = None
        else:
            self._overflow = True

    def _make_room(self, now: float) -> bool:
        """Let one host go, the one resting longest if possible; False if none of the first few can."""
        resting = self._resting
        for _ in range(min(len(resting), _EVICTION_TRIES)):
            host = resting.popleft()
            if host.may_leave(now) and host.key not in self._unsaved:
                del self.hosts[host.key]
                return True
            host.resting = not host.has_work
            if host.resting:
                resting.append(host)
        return False
