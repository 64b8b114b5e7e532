"""May a request that a turn has handed out go on the wire, and when did it?

It is asked twice: before the fetch begins (`Policy.may_start`), and right before the head is written
(`Policy.may_send`). Between the two a connection may have to be made, which takes up to seconds, and meanwhile the host
may have asked for a rest. A fetcher of the user's is asked once only, before it begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.models import Kind
from crawler.politeness.tenure import UNSURE_S

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.models import Request
    from crawler.politeness.budget import Budget
    from crawler.politeness.health import Health
    from crawler.politeness.host import Host
    from crawler.politeness.judge import Judge
    from crawler.politeness.places import Places
    from crawler.politeness.schedule import Schedule
    from crawler.politeness.tenure import Tenure
    from crawler.politeness.turn import Turn
    from crawler.politeness.window import Window


class Starting:
    """Follows requests from a turn to the wire, and to the end of their attempt."""

    def __init__(
        self,
        *,
        schedule: Schedule[Host],
        window: Window,
        health: Health,
        judge: Judge,
        places: Places,
        budget: Budget,
        clock: Clock,
        tenure: Tenure,
        locates: bool,
    ) -> None:
        self._tenure = tenure
        self._places = places
        self._locates = locates
        self._schedule = schedule
        self._window = window
        self._health = health
        self._judge = judge
        self._budget = budget
        self._clock = clock
        self._unstarted: set[int] = set()
        #: requests handed out whose attempt has not ended
        self.in_flight = 0

    def serve(self, host: Host, now: float, turn: Turn, room: int) -> int:
        """Give a due host its turn: it starts a request, asks for some, or both. Returns how many it asks for."""
        host.waits_for, schedule, start = "", self._schedule, turn.start
        if not self._tenure.holds(host.key):
            self._wait(host, now)
            return 0
        if self._locates and not host.located and host.given_up is None:
            self._places.ask(host)
            turn.locate.append(host.key)
            self._window.settle(host, now)
            return 0
        while (request := host.next_request()) is not None:
            kind = request.kind
            if kind is Kind.PAGE:
                if wait_s := self._budget.reserve(host, request):
                    turn.put_off.append((request, now + wait_s))  # slots are left, but promised
                    continue
            elif kind is Kind.ROBOTS:
                request = self._judge.take_up(request)
            schedule.claim(host, now)
            if host.failures:
                self._health.starting(host, request)
            self._unstarted.add(id(request))
            self.in_flight += 1
            start.append(request)
            room -= 1
            if not room or not schedule.is_next(host, now):  # else its next turn follows at once
                break
        # A paced host is asked for when it is due: any sooner, and shallower URLs found meanwhile would come later.
        wanted = host.shortfall if request is None or host.delay_s == 0 else 0
        if wanted:
            host.wanted = wanted
            host.woken = False
            turn.wants.append((host.key, wanted))
        self._window.settle(host, now)
        return wanted

    def may_go(self, request: Request) -> bool:
        """See `Policy.may_start`."""
        host = self._window.hosts[request.host_key]
        now = self._clock.monotonic()
        may_start = self._schedule.may_start(host, now) and (not host.failures or self._health.may_start(host, request))
        if may_start and not host.leaving and self._tenure.holds(host.key):
            return True
        self.withdraw(request, keep=True)
        if may_start and not host.leaving:
            self._wait(host, now)
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
        if keep and not host.leaving:
            host.put_back(request)
        elif keep and request.kind is not Kind.ROBOTS:
            self._tenure.give_back([request])
        elif keep:
            self._judge.turn_back(request)
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

    def _wait(self, host: Host, now: float) -> None:
        """Whether a host is ours is not certain just now: its requests stay with it, and it is looked at again soon."""
        self._schedule.hold(host, now + UNSURE_S, now)
        self._window.settle(host, now)
