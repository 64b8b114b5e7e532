"""A frontier and a server in one, small enough to read: plays the engine to a `Policy`, and keeps a log."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.config import BudgetConfig, LimitsConfig, Pace, RobotsConfig
from crawler.models import HostState, Kind, Page, Request
from crawler.politeness.policy import Deliver, Finish, Policy, Redirect, Snooze
from crawler.units import Duration
from crawler.url import canonicalize, host, host_key

if TYPE_CHECKING:
    from tests.support.clock import FakeClock

PAGE = Page(records=(("pages.jsonl", b"{}"),))


def request_for(url, number=1):
    url = canonicalize(url)
    return Request(url=url, host_key=host_key(url), scope_host=host(url), id=number)


def policy_for(clock, *, delay=1.0, concurrency=1, hosts=None, obey=True, pages=None, **rest):
    limits = LimitsConfig(default=Pace(delay_s=Duration(delay), concurrency=concurrency), hosts=hosts or {})
    return Policy(limits=limits, robots=RobotsConfig(obey=obey), budget=BudgetConfig(pages=pages), clock=clock, **rest)


@dataclass
class Span:
    """One attempt as the server saw it."""

    request: Request
    asked: float  #: when it was let through to the fetcher
    begin: float | None  #: None if it never got on the wire
    end: float


@dataclass
class FrontDesk:
    """Runs a policy to its end. `answer(request, clock)` gives a Response or FetchError; `robots(origin)` rules."""

    policy: Policy
    clock: FakeClock
    answer: object
    robots: object
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    concurrency: int = 50
    queues: dict = field(default_factory=lambda: defaultdict(deque))
    log: list = field(default_factory=list)
    ends: dict = field(default_factory=dict)
    seen: set = field(default_factory=set)
    recalled: int = 0
    max_queue_delay: float = 0.3
    max_started_delay: float = 0.3
    max_answer_delay: float = 2.0
    judging_s: float = 0.0  #: what the loop is busy with each URL taken
    connects: object = staticmethod(lambda request: True)

    def add(self, *requests):
        for request in requests:
            if request.url in self.seen:
                continue
            self.seen.add(request.url)
            self.queues[request.host_key].append(request)
            self.policy.wake(request.host_key)

    def run(self, turns=100_000):
        flights = []  # [time, step, request, asked, begin]
        snoozed = []
        while turns:
            turns -= 1
            self.policy.changes()
            self.policy.stored()
            turn = self.policy.turn(self.concurrency - self.policy.in_flight)
            for request, end in turn.refused:
                self._end(request, end.reason)
            for request in turn.start:
                at = self.clock.now + self.rng.uniform(0, self.max_queue_delay)
                flights.append([at, "ask", request, None, None])
            if turn.wants:
                taken = [request for key, n in turn.wants for request in self._take(key, n)]
                self.clock.advance(len(taken) * self.judging_s)
                self.policy.supply(turn.wants, taken)
            self.policy.adopt([HostState(host_key=key) for key in turn.unknown])
            if turn.refill:
                waiting = [key for key, queue in self.queues.items() if queue]
                self.rng.shuffle(waiting)
                self.policy.adopt([HostState(host_key=key) for key in waiting[: turn.refill.limit]])
            events = [flight[0] for flight in flights] + [at for at, _ in snoozed]
            if turn.next_at is not None:
                events.append(turn.next_at)
            if not events:
                return self
            self.clock.advance(max(0.0, min(events) - self.clock.now))
            for at, request in [item for item in snoozed if item[0] <= self.clock.now]:
                snoozed.remove((at, request))
                self.queues[request.host_key].append(request)
                self.policy.wake(request.host_key)
            for flight in [flight for flight in flights if flight[0] <= self.clock.now]:
                if not self._goes_on(flight):
                    flights.remove(flight)
                    _, step, request, asked, begin = flight
                    if step != "ask":
                        self.log.append(Span(request, asked, begin, self.clock.now))
                        self._answered(request, snoozed)
        raise AssertionError("the crawl does not end")

    def _goes_on(self, flight):
        """Lead a flight to its next step; False if this was the last."""
        _, step, request, _, _ = flight
        now = self.clock.now
        if step == "ask" and self.policy.may_start(request):
            flight[:] = [now + self.rng.uniform(0, self.max_started_delay), "start", request, now, None]
            return True
        if step == "start" and self.connects(request):
            self.policy.started(request)
            flight[0:2] = [now + self.rng.uniform(0, self.max_answer_delay), "end"]
            flight[4] = now
            return True
        self.recalled += step == "ask"
        return False

    def _take(self, key, n):
        queue = self.queues[key]
        return [queue.popleft() for _ in range(min(n, len(queue)))]

    def _answered(self, request, snoozed):
        answer = self.answer(request, self.clock)
        decision = self.policy.after(request, answer)
        match decision:
            case Deliver() if request.kind is Kind.ROBOTS:
                self.policy.robots_parsed(request, self.robots(request.url))
            case Deliver():
                finish = self.policy.after_parse(request, answer, PAGE)
                self._end(request, finish.outcome)
            case Redirect(request=target):
                self._end(request, "redirected")
                self.add(target)
            case Snooze(request=again, until=until):
                assert until > self.clock.now
                snoozed.append((until, again))
            case Finish():
                self._end(request, decision.reason)

    def _end(self, request, how):
        assert (request.url, request.kind) not in self.ends, f"{request.url} ended twice"
        self.ends[request.url, request.kind] = how

    def smallest_gap_s(self, key):
        begins = sorted(s.begin for s in self.log if s.request.host_key == key and s.begin is not None)
        return min((b - a for a, b in pairwise(begins)), default=float("inf"))

    def max_in_flight(self, key):
        spans = [s for s in self.log if s.request.host_key == key and s.begin is not None]
        return max((sum(o.begin <= s.begin < o.end for o in spans) for s in spans), default=0)
