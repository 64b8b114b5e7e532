"""May a request that a turn has handed out go on the wire, and when did it?

It is asked twice: before the fetch begins (`Policy.may_start`), and right before the head is written
(`Policy.may_send`). Between the two a connection may have to be made, which takes up to seconds, and meanwhile the host
may have asked for a rest. A fetcher of the user's is asked once only, before it begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.models import Kind

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.models import Request
    from crawler.politeness.budget import Budget
    from crawler.politeness.health import Health
    from crawler.politeness.host import Host
    from crawler.politeness.judge import Judge
    from crawler.politeness.schedule import Schedule
    from crawler.politeness.window import Window


class Starting:
    """Follows requests from a turn to the wire, and to the end of their attempt."""

    def __init__(
        self, *, schedule: Schedule[Host], window: Window, health: Health, judge: Judge, budget: Budget, clock: Clock
    ) -> None:
        self._schedule = schedule
        self._window = window
        self._health = health
        self._judge = judge
        self._budget = budget
        self._clock = clock
        self._unstarted: set[int] = set()
        #: requests handed out whose attempt has not ended
        self.in_flight = 0

    def hand_out(self, host: Host, request: Request, now: float) -> None:
        """A turn gives a request of this host to the engine."""
        self._schedule.claim(host, now)
        if host.failures:
            self._health.starting(host, request)
        self._unstarted.add(id(request))
        self.in_flight += 1

    def may_go(self, request: Request) -> bool:
        """See `Policy.may_start`."""
        host = self._window.hosts[request.host_key]
        now = self._clock.monotonic()
        if self._schedule.may_start(host, now) and (not host.failures or self._health.may_start(host, request)):
            return True
        self.withdraw(request, keep=True)
        return False

    def withdraw(self, request: Request, *, keep: bool = False) -> None:
        """See `Policy.withdraw`."""
        host, now = self._window.hosts[request.host_key], self._clock.monotonic()
        self._unstarted.discard(id(request))
        self.in_flight -= 1
        if request.kind is Kind.PAGE:
            self._budget.settle(host, request, kept=False, again=True)
        self._health.taken_back(host, request)
        self._schedule.taken_back(host, now)
        if keep:
            host.put_back(request)
        self._judge.turn_away(host, now)

    def started(self, request: Request) -> None:
        """See `Policy.started`."""
        self._unstarted.discard(id(request))
        host = self._window.hosts[request.host_key]
        host.requests += 1
        self._window.counted[host.key] = host
        self._schedule.started(host, self._clock.monotonic())

    def ended(self, host: Host, request: Request, now: float) -> None:
        """An attempt has ended; its slot at the host is free again."""
        self._schedule.released(host, now, started=id(request) not in self._unstarted)
        self._unstarted.discard(id(request))
        self.in_flight -= 1
