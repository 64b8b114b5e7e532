"""A frontier and a server in one, small enough to read: plays the engine to a `Policy`, and keeps a log.

What takes time is a `Flight`: a request on its way through the fetcher and the parser, a name being looked up. Time
passes, and flights come down, also between a turn and the answers to its questions (`hasty`), as they do in an engine
whose frontier is asked over an await. `restart` is a crash: what was not committed is forgotten.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.errors import FetchError
from crawler.models import HostState, Kind, Outcome, Page, Response
from crawler.politeness.policy import Deliver, Finish, Redirect, Snooze, Spent

if TYPE_CHECKING:
    from crawler.models import HostKey, Request
    from crawler.politeness.policy import Policy
    from tests.support.clock import FakeClock

PAGE = Page(records=(("pages.jsonl", b"{}"),))


@dataclass
class Span:
    """One attempt as the server saw it."""

    request: Request
    taken: float  #: when a turn gave it out
    asked: float  #: when it was let through to the fetcher
    delay_asked_s: float  #: its host's delay by then
    begin: float | None = None  #: None if it never got on the wire
    delay_begun_s: float = 0.0
    end: float | None = None
    answer: Response | FetchError | None = None
    run: int = 0  #: how many restarts there had been


@dataclass
class Flight:
    """Something that comes down at a time."""

    at: float
    step: str  #: ask, start, end, parse, locate
    what: Request | HostKey
    span: Span | None = None
    begun_at: float = 0.0


@dataclass
class FrontDesk:
    """Runs a policy to its end. `answer(request, clock)` gives a Response or FetchError; `robots(origin)` rules."""

    policy: Policy
    clock: FakeClock
    answer: object
    robots: object
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    concurrency: int = 50
    max_queue_delay: float = 0.3
    max_started_delay: float = 0.3
    max_answer_delay: float = 2.0
    max_parse_delay: float = 0.0
    max_locate_delay: float = 0.0
    judging_s: float = 0.0  #: what the loop is busy with each URL taken
    hasty: float = 0.0  #: how often something comes down between a turn and an answer to it
    connects: object = staticmethod(lambda request: True)
    addresses: object = staticmethod(lambda key: "192.0.2.1")  #: of hosts, if the policy locates them; None: of none
    links: object = staticmethod(lambda request: ())  #: requests for what a page links to

    log: list = field(default_factory=list)
    ends: dict = field(default_factory=dict)  #: (URL, kind) -> how it ended
    ended_in: dict = field(default_factory=dict)  #: (URL, kind) -> how many restarts there had been by then
    seen: dict = field(default_factory=dict)  #: URL -> its request, as it is stored
    queues: dict = field(default_factory=lambda: defaultdict(deque))
    snoozed: list = field(default_factory=list)
    flights: list = field(default_factory=list)
    stored: dict = field(default_factory=dict)  #: host states, as the frontier would hold them
    verdicts: dict = field(default_factory=dict)
    looked_up: list = field(default_factory=list)
    put_off: list = field(default_factory=list)
    refills: list = field(default_factory=list)  #: the time of each question for more hosts
    recalled: int = 0
    restarts: int = 0
    stopped_by: str | None = None
    committed: dict = field(default_factory=dict)  #: `ends` as of the last commit

    def add(self, *requests):
        for request in requests:
            if request.url not in self.seen:
                self.seen[request.url] = request
                self._queue(request)

    def run(self, until=float("inf")):
        """To the end of the crawl, or until a time."""
        for _ in range(100_000):
            if self.clock.now >= until:
                return self
            if self.rng.random() < 0.5:
                self._commit()
            turn = self.policy.turn(self.concurrency - self.policy.in_flight)
            self._carry_out(turn)
            self._bring_answers(turn)
            events = [flight.at for flight in self.flights] + [at for at, _ in self.snoozed]
            if self._is_spent() or len(self.ends) == len(self.seen) or not (events or turn.next_at):
                self._commit()
                return self
            events += [turn.next_at] if turn.next_at is not None else []
            self.clock.advance(max(0.0, min(*events, until) - self.clock.now) if events else 0.0)
            self._play()
        raise AssertionError("the crawl does not end")

    def restart(self, policy):
        """Crash, and go on with another policy: whatever is not committed is to be done again."""
        self.policy = policy
        self.restarts += 1
        self.ends = dict(self.committed)
        for flight in self.flights:
            if flight.span is not None:
                flight.span.end = flight.span.end or self.clock.now  # its connection breaks
        self.flights = []
        self.queues.clear()
        waiting = {request.url for _, request in self.snoozed}
        for url, request in self.seen.items():
            if (url, request.kind) not in self.ends and url not in waiting:
                self.queues[request.host_key].append(request)

    @property
    def spent(self):
        """What a policy that goes on must know of what was used."""
        kept = sum(how == Outcome.FETCHED for how in self.committed.values())
        return Spent(pages=kept, bytes=sum(len(s.answer.body) for s in self.log if isinstance(s.answer, Response)))

    def _carry_out(self, turn):
        now = self.clock.now
        for request, end in turn.refused:
            self._end(request, end.reason)
        for request in turn.start:
            self._launch("ask", request, self.max_queue_delay, begun_at=now)
        for request, until in turn.put_off:
            assert until > now
            self.put_off.append(request)
            self._snooze(request, until)
        for key in turn.locate:
            self.looked_up.append(key)
            self._launch("locate", key, self.max_locate_delay)

    def _bring_answers(self, turn):
        if turn.wants:
            self._meanwhile()
            taken = [request for key, n in turn.wants for request in self._take(key, n)]
            self._meanwhile()
            self.clock.advance(len(taken) * self.judging_s)
            self.policy.inside.recall([self._state(key) for key in self.policy.inside.unknown(turn.wants, taken)])
            origins = self.policy.supply(turn.wants, taken)
            self._meanwhile()
            self.policy.recall([self.verdicts[origin] for origin in origins if origin in self.verdicts])
        if turn.unknown:
            states = [self._state(key) for key in turn.unknown]
            self._meanwhile()
            self.policy.adopt(states)
        if turn.refill:
            states = self._hosts(turn.refill)
            self._meanwhile()
            self.policy.adopt(states)

    def _is_spent(self):
        """As the engine finds out that a budget ends the crawl."""
        if self.policy.in_flight or any(flight.step != "locate" for flight in self.flights):
            return False
        self.stopped_by = self.policy.stopped_by
        if self.stopped_by is None and not self.snoozed and self.ends.keys() < self._all():
            self.stopped_by = self.policy.all_set_aside
        return self.stopped_by is not None

    def _all(self):
        return {(url, request.kind) for url, request in self.seen.items()}

    def _meanwhile(self):
        if self.rng.random() < self.hasty:
            self.clock.advance(self.rng.uniform(0, 0.2))
            self._play()

    def _play(self):
        """Let all that is due happen."""
        now = self.clock.now
        for at, request in [item for item in self.snoozed if item[0] <= now]:
            self.snoozed.remove((at, request))
            self._queue(request)
        for flight in [flight for flight in self.flights if flight.at <= now]:
            self.flights.remove(flight)
            getattr(self, f"_{flight.step}")(flight)
            if self.policy.pressing:
                self._commit()

    def _launch(self, step, what, most_s, **more):
        self.flights.append(Flight(self.clock.now + self.rng.uniform(0, most_s), step, what, **more))

    def _ask(self, flight):
        request, now = flight.what, self.clock.now
        if not self.policy.may_start(request):
            self.recalled += 1
            return
        delay_s = self.policy._window.hosts[request.host_key].delay_s
        span = Span(request, flight.begun_at, now, delay_s, run=self.restarts)
        self.log.append(span)
        self._launch("start", request, self.max_started_delay, span=span)

    def _start(self, flight):
        request, span = flight.what, flight.span
        if not self.connects(request):
            self._over(flight)
            return
        if not self.policy.may_send(request):
            self.recalled += 1
            self.log.remove(span)
            return
        self.policy.started(request)
        span.begin, span.delay_begun_s = self.clock.now, self.policy._window.hosts[request.host_key].delay_s
        self._launch("over", request, self.max_answer_delay, span=span)

    def _over(self, flight):
        request, span = flight.what, flight.span
        span.end = self.clock.now
        span.answer = answer = self.answer(request, self.clock) if span.begin is not None else FetchError("connect")
        match self.policy.after(request, answer):
            case Deliver():
                self._launch("parse", request, self.max_parse_delay, span=span)
            case Redirect(request=target):
                self._end(request, "redirected")
                self.add(target)
            case Snooze(request=again, until=until):
                assert until > self.clock.now
                self._snooze(again, until)
            case Finish(reason=reason):
                self._end(request, reason)

    def _parse(self, flight):
        request = flight.what
        if request.kind is Kind.ROBOTS:
            self.policy.robots_parsed(request, self.robots(request.url))
        else:
            self._end(request, self.policy.after_parse(request, flight.span.answer, PAGE).outcome)
            self.add(*self.links(request))

    def _locate(self, flight):
        address = self.addresses(flight.what)
        if address is None:
            self.policy.not_located(flight.what, FetchError("dns", flight.what))
        else:
            self.policy.located(flight.what, [address])

    def _commit(self):
        hosts, robots = self.policy.changes()
        self.stored |= {state.host_key: state for state in hosts}
        self.verdicts |= {file.origin: file for file in robots}
        self.committed = dict(self.ends)
        self.policy.stored()

    def _state(self, key):
        return self.stored.get(key) or HostState(host_key=key)

    def _hosts(self, refill):
        self.refills.append(self.clock.now)
        waiting = [key for key, queue in self.queues.items() if queue]
        self.rng.shuffle(waiting)
        states = [state for state in map(self._state, waiting) if state.ready_at <= refill.ready_before]
        if refill.pages_below is not None:
            states = [state for state in states if state.pages < refill.pages_below]
        return states[: refill.limit]

    def _take(self, key, n):
        queue = self.queues[key]
        return [queue.popleft() for _ in range(min(n, len(queue)))]

    def _queue(self, request):
        self.queues[request.host_key].append(request)
        self.policy.wake(request.host_key)

    def _snooze(self, request, until):
        self.seen[request.url] = request
        self.snoozed.append((until, request))

    def _end(self, request, how):
        assert (request.url, request.kind) not in self.ends, f"{request.url} ended twice"
        self.ends[request.url, request.kind] = how
        self.ended_in[request.url, request.kind] = self.restarts

    def begun(self, key):
        """The attempts at a host that got on the wire, in order."""
        spans = [span for span in self.log if span.request.host_key == key and span.begin is not None]
        return sorted(spans, key=lambda span: span.begin)

    def smallest_gap_s(self, key):
        return min((b.begin - a.begin for a, b in pairwise(self.begun(key))), default=float("inf"))

    def max_in_flight(self, *keys):
        return most_at_once([span for key in keys for span in self.begun(key)])


def most_at_once(spans):
    """How many of these were in flight together at most; of the unended ones nothing is known but their begin."""
    return max((sum(o.begin <= s.begin < (o.end or o.begin) for o in spans) for s in spans), default=0)
