"""A frontier and a server in one, small enough to read: plays the engine to a `Policy`, and keeps a log."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.config import BreakerConfig, BudgetConfig, LimitsConfig, Manners, Pace, PerAddressConfig, RobotsConfig
from crawler.errors import FetchError
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


def policy_for(
    clock,
    *,
    delay=1.0,
    concurrency=1,
    hosts=None,
    obey=True,
    adaptive=False,
    breaker=None,
    per_address=8,
    jitter=0.0,
    budget=None,
    pages=None,
    **rest,
):
    default = Pace(delay_s=Duration(delay), concurrency=concurrency, jitter_s=Duration(jitter))
    per_address = PerAddressConfig(concurrency=per_address)
    limits = LimitsConfig(default=default, hosts=hosts or {}, adaptive=adaptive, per_address=per_address)
    manners = Manners(
        limits=limits,
        robots=RobotsConfig(obey=obey),
        breaker=breaker or BreakerConfig(failures=None),
        budget=budget or BudgetConfig(pages=pages),
    )
    return Policy(manners, clock=clock, **rest)


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
    addresses: object = staticmethod(lambda key: "192.0.2.1")  #: of hosts, if the policy locates them; None: of none
    stored: dict = field(default_factory=dict)  #: host states, as the frontier would hold them
    put_off: int = 0

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
            self.stored |= {state.host_key: state for state in self.policy.changes()[0]}
            self.policy.stored()
            turn = self.policy.turn(self.concurrency - self.policy.in_flight)
            for request in turn.start:
                at = self.clock.now + self.rng.uniform(0, self.max_queue_delay)
                flights.append([at, "ask", request, None, None])
            self._attend(turn, snoozed)
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

    def _attend(self, turn, snoozed):
        """Answer what a turn asks for."""
        for request, end in turn.refused:
            self._end(request, end.reason)
        for request, until in turn.put_off:
            snoozed.append((until, request))
            self.put_off += 1
        if turn.wants:
            taken = [request for key, n in turn.wants for request in self._take(key, n)]
            self.clock.advance(len(taken) * self.judging_s)
            self.policy.supply(turn.wants, taken)
        for key in turn.locate:
            self._locate(key)
        self.policy.adopt([self._state(key) for key in turn.unknown])
        if turn.refill:
            self._refill(turn.refill)

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

    def _state(self, key):
        return self.stored.get(key) or HostState(host_key=key)

    def _refill(self, refill):
        waiting = [key for key, queue in self.queues.items() if queue]
        self.rng.shuffle(waiting)
        states = [state for state in map(self._state, waiting) if state.ready_at <= refill.ready_before]
        if refill.pages_below is not None:
            states = [state for state in states if state.pages < refill.pages_below]
        self.policy.adopt(states[: refill.limit])

    def _locate(self, key):
        address = self.addresses(key)
        if address is None:
            self.policy.not_located(key, FetchError("dns", key))
        else:
            self.policy.located(key, [address])

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
