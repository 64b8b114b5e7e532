"""No crawl makes the whole policy ask a host too soon or too much at once, or forget a URL."""

import random
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from crawler.config import BreakerConfig, BudgetConfig, Pace
from crawler.errors import FetchError
from crawler.models import Kind, Outcome, Response, Robots
from crawler.politeness import retry
from crawler.politeness.policy import Spent
from crawler.units import Duration, Size
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for

NAMES = ("a.test", "b.test", "c.test", "d.test", "down.test", "gone.test")
ADDRESSES = {**dict.fromkeys(NAMES, "192.0.2.1"), "d.test": "192.0.2.2", "gone.test": None}
BODY = b"x" * 100
#: what a 429 or 503 may ask for, and how long that is; a date in the past asks for nothing
RETRY_AFTER = {b"3": 3.0, b"40": 40.0, b"9000": 3600.0, b"soon": 0.0, b"Tue, 14 Nov 2023 22:00:00 GMT": 0.0}


class Web:
    """A server with every kind of trouble, drawn as it goes."""

    def __init__(self, rng, rules):
        self.rng, self.rules = rng, rules

    def answer(self, request, clock):
        name, rng, dice = request.host_key, self.rng, self.rng.random()
        if name == "down.test" or dice < 0.15:
            return FetchError(rng.choice(["timeout", "connect", "tls", "reset"]))
        if dice < 0.25:
            wait = rng.choice(list(RETRY_AFTER))
            return self.respond(request, rng.choice([429, 503]), retry_after=wait)
        if request.kind is Kind.ROBOTS and dice < 0.4:
            return self.respond(request, 301, location=rng.choice([b"https://c.test/robots.txt", b"/other.txt"]))
        if dice < 0.4:
            location = f"https://{rng.choice(NAMES)}/{rng.randrange(30)}"
            return self.respond(request, 302, location=location.encode())
        return self.respond(request, rng.choice([200, 200, 200, 404, 500]))

    def respond(self, request, status, **headers):
        told = tuple((name.replace("_", "-").encode(), value) for name, value in headers.items())
        address = ADDRESSES[request.host_key]
        return Response(url=request.url, status=status, headers=told, body=BODY, elapsed_s=2.0, address=address)

    def links(self, request):
        count = self.rng.choice([0, 0, 0, 3])
        return [request_for(f"https://{self.rng.choice(NAMES)}/{self.rng.randrange(60)}") for _ in range(count)]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One crawl; `policy` is made anew at each restart."""

    seed: int
    window: int
    delay: float
    slots: int
    jitter: float
    adaptive: bool
    per_address: int
    failures: int | None
    rest: float
    budget: BudgetConfig
    crawl_delay: float | None
    restarts: int
    hasty: float
    queue_delay: float
    desk: type[FrontDesk] = FrontDesk

    def policy(self, clock, spent=None):
        return policy_for(
            clock,
            window=self.window,
            delay=self.delay,
            concurrency=self.slots,
            jitter=self.jitter,
            adaptive=self.adaptive,
            per_address=self.per_address,
            breaker=BreakerConfig(failures=self.failures, rest_s=Duration(self.rest)),
            budget=self.budget,
            hosts={"b.test": Pace(delay_s=Duration(1.5))},
            locates=True,
            resumed=spent is not None,
            spent=spent or Spent(),
        )

    def crawl(self):
        rng, clock = random.Random(self.seed), FakeClock()
        begun = clock.now
        rules = Robots(rules=((False, "/1"),), crawl_delay_s=self.crawl_delay)
        web = Web(rng, rules)
        desk = self.desk(self.policy(clock), clock, web.answer, lambda url: rules, rng=rng, hasty=self.hasty)
        desk.connects = lambda request: rng.random() < 0.9
        desk.addresses, desk.links = ADDRESSES.get, web.links
        desk.max_parse_delay, desk.max_locate_delay, desk.max_queue_delay = 0.5, 0.5, self.queue_delay
        desk.concurrency = rng.choice([1, 3, 50])
        desk.add(*[request_for(f"{rng.choice(['http', 'https'])}://{name}/{n}") for name in NAMES for n in range(12)])
        for _ in range(self.restarts):
            desk.run(until=clock.now + rng.choice([1, 10, 100, 1000]))
            clock.advance(rng.choice([0.0, 0.5, 60.0]))
            spent = desk.spent
            desk.restart(self.policy(clock, Spent(pages=spent.pages, bytes=spent.bytes, time_s=clock.now - begun)))
        desk.run()
        return desk


BUDGETS = [
    BudgetConfig(pages=10),
    BudgetConfig(pages_per_host=4),
    BudgetConfig(bytes=Size(3_000)),
    BudgetConfig(time_s=Duration(60)),
]
PLANS = st.builds(
    Plan,
    seed=st.integers(0, 2**32),
    window=st.sampled_from([1, 2, 5, 100]),
    delay=st.sampled_from([0.0, 0.2, 1.0]),
    slots=st.integers(1, 3),
    jitter=st.sampled_from([0.0, 0.5]),
    adaptive=st.booleans(),
    per_address=st.sampled_from([1, 2, 8]),
    failures=st.sampled_from([None, 2, 4]),
    rest=st.sampled_from([5.0, 100.0]),
    budget=st.just(BudgetConfig()) | st.sampled_from(BUDGETS),
    crawl_delay=st.sampled_from([None, 2.0]),
    restarts=st.integers(0, 2),
    hasty=st.sampled_from([0.0, 0.3, 1.0]),
    queue_delay=st.sampled_from([0.0, 0.3, 20.0]),  # memory may be short for long
)


@given(plan=PLANS)
@settings(max_examples=60, deadline=None)
@pytest.mark.slow
def test_any_crawl_keeps_every_promise_at_the_wire_and_ends_every_url_once(plan):
    desk = plan.crawl()
    event(f"recalled: {desk.recalled > 0}")
    event(f"put off: {bool(desk.put_off)}")
    event(f"ended by {desk.stopped_by}")
    event(f"given up: {'breaker' in desk.ends.values()}")
    check(desk, plan)


def check(desk, plan):
    assert_all_ended(desk, plan)
    assert_gaps(desk, plan)
    assert_caps(desk, plan)
    assert_rests(desk)
    assert_budgets(desk, plan)
    assert_unresolved(desk)
    for name in NAMES:
        if plan.failures is not None and not plan.restarts:
            assert_breaker(desk, name, plan)
    assert_robots(desk)


def assert_all_ended(desk, plan):
    """Each URL, unless a budget ended the crawl, and nothing is left anywhere."""
    assert desk.policy.in_flight == sum(flight.step in {"ask", "start", "over"} for flight in desk.flights)
    if desk.stopped_by is None:
        assert desk.ends.keys() == {(url, Kind.PAGE) for url in desk.seen}
        assert not any(desk.queues.values())
        assert not desk.snoozed
    else:
        assert plan.budget != BudgetConfig()


def assert_gaps(desk, plan):
    """No two starts closer than the configured delay; nor than what the host had come to, before a restart forgot."""
    for name in NAMES:
        delay = 1.5 if name == "b.test" else plan.delay
        for a, b in pairwise(desk.begun(name)):
            assert not delay or b.begin - a.begin >= delay
            if a.run == b.run and a.begin <= b.asked:
                assert b.begin - a.begin >= max(a.delay_begun_s, b.delay_asked_s)


def assert_caps(desk, plan):
    """Of each host, and of all at one address."""
    for name in NAMES:
        assert desk.max_in_flight(name) <= plan.slots
    for address in {*ADDRESSES.values()} - {None}:
        names = [name for name in NAMES if ADDRESSES[name] == address]
        assert desk.max_in_flight(*names) <= max(plan.per_address, plan.slots)


def assert_rests(desk):
    """Nothing is let through, or sent, during a Retry-After, restarts or not."""
    for span in desk.log:
        wait_s = RETRY_AFTER[asked] if (asked := retry_after(span.answer)) else 0.0
        if wait_s:
            others = [s for s in desk.log if s.request.host_key == span.request.host_key]
            assert not [s for s in others if span.end < s.asked < span.end + wait_s]
            assert not [s for s in others if s.begin is not None and span.end < s.begin < span.end + wait_s]


def retry_after(answer):
    if not isinstance(answer, Response) or answer.status not in {429, 503}:
        return None
    return dict(answer.headers).get(b"retry-after")


def assert_budgets(desk, plan):
    """Never overdrawn; nothing is given out once bytes or time are spent."""
    kept = [url for (url, kind), how in desk.ends.items() if how == Outcome.FETCHED]
    if plan.budget.pages is not None:
        assert len(kept) <= plan.budget.pages
    if plan.budget.pages_per_host is not None:
        for name in NAMES:
            of_host = sum(f"//{name}/" in url for url in kept)
            assert of_host <= plan.budget.pages_per_host
    if plan.budget.bytes is not None:
        came = sorted(span.end for span in desk.log if isinstance(span.answer, Response))
        if len(came) >= plan.budget.bytes // len(BODY):
            spent_at = came[plan.budget.bytes // len(BODY) - 1]
            assert all(span.taken <= spent_at for span in desk.log)
    if plan.budget.time_s is not None:
        assert all(span.taken < 1_000.0 + plan.budget.time_s for span in desk.log)


def assert_robots(desk):
    """What robots.txt forbids is not asked, unless a file that a crash made us forget had allowed it."""
    for span in desk.log:
        ended = (span.request.url, span.request.kind)
        assert desk.ends.get(ended) != "robots" or span.run < desk.ended_in[ended]


def assert_unresolved(desk):
    """A name without an address is never asked."""
    assert not [span for span in desk.log if span.request.host_key == "gone.test"]
    ends = {how for (url, _), how in desk.ends.items() if "//gone.test/" in url}
    assert ends <= {"dns"}


def assert_breaker(desk, name, plan):
    """What a host went through, by its attempts in order of their ends, is what a breaker allows."""
    failures, opened_at, trial, retired = 0, None, None, False
    for span in sorted((s for s in desk.log if s.request.host_key == name), key=lambda span: span.end):
        reason = retry.failure(span.answer)
        failed = reason is not None and retry.rule_for(reason).blames_host
        well = isinstance(span.answer, Response) and span.answer.status < 500 and not failed
        assert not (retired and span.asked > opened_at), "given up, and asked again"
        if opened_at is not None and span.asked > opened_at:
            assert span.asked >= opened_at + plan.rest
            assert trial is None
            trial = span
            retired = failed
            failures, opened_at = (failures, span.end) if failed else (0, None)
            trial = trial if failed else None
        elif opened_at is None:
            failures = failures + 1 if failed else 0 if well else failures
            if failures >= plan.failures:
                opened_at, trial = span.end, None


@given(seed=st.integers(0, 2**32), delay=st.sampled_from([0.0, 0.2]), slots=st.sampled_from([1, 16]))
@settings(max_examples=10, deadline=None)
@pytest.mark.slow
def test_hosts_that_forbid_everything_do_not_delay_a_good_one(seed, delay, slots):
    clock = FakeClock()
    policy = policy_for(clock, delay=delay, concurrency=slots, hosts={"good.test": Pace(delay_s=Duration(0.2))})
    forbid = Robots(rules=((False, "/"),))
    desk = FrontDesk(policy, clock, lambda request, clock: Response(url=request.url, status=200), None)
    desk.robots = lambda url: Robots() if "good" in url else forbid
    desk.rng = random.Random(seed)
    desk.concurrency = 5
    desk.max_queue_delay = desk.max_started_delay = desk.max_answer_delay = 0.02
    desk.judging_s = 0.001
    desk.add(*[request_for(f"https://bad{h}.test/{n}", n) for h in range(10) for n in range(300)])
    desk.add(*[request_for(f"https://good.test/{n}", n) for n in range(12)])
    desk.run()
    begins = [span.begin for span in desk.log if span.request.host_key == "good.test"]
    assert len(begins) == 13
    assert max(b - a for a, b in pairwise(begins)) < 0.5
