"""No crawl makes the whole policy ask a host too soon or too much at once, or forget a URL."""

import random
from itertools import pairwise

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from crawler.config import Pace
from crawler.errors import FetchError
from crawler.models import Kind, Response, Robots
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for


def answers(rng):
    """A server with every kind of trouble."""

    def answer_robots(request, dice):
        if dice < 0.2:
            return FetchError("timeout")
        if dice < 0.4:
            location = rng.choice([b"https://c.test/robots.txt", b"/other.txt"])
            return Response(url=request.url, status=301, headers=((b"location", location),))
        return Response(url=request.url, status=rng.choice([200, 200, 404, 503]))

    def answer(request, clock):
        dice = rng.random()
        if request.kind is Kind.ROBOTS:
            return answer_robots(request, dice)
        if dice < 0.2:
            return FetchError(rng.choice(["timeout", "connect", "tls", "reset"]))
        if dice < 0.3:
            status, wait = rng.choice([429, 503]), rng.choice([b"3", b"soon", b"Tue, 14 Nov 2023 22:30:00 GMT"])
            return Response(url=request.url, status=status, headers=((b"retry-after", wait),))
        if dice < 0.5:
            location = f"https://{rng.choice('abc')}.test/{rng.randrange(30)}".encode()
            return Response(url=request.url, status=302, headers=((b"location", location),))
        return Response(url=request.url, status=rng.choice([200, 200, 200, 404, 500]))

    return answer


@given(
    seed=st.integers(0, 2**32),
    window=st.sampled_from([1, 2, 100]),
    delay=st.sampled_from([0.0, 0.2, 1.0]),
    slots=st.integers(1, 3),
    crawl_delay=st.sampled_from([None, 2.0]),
)
@settings(max_examples=40, deadline=None)
@pytest.mark.slow
def test_any_crawl_keeps_gaps_and_caps_and_ends_every_request_once(seed, window, delay, slots, crawl_delay):
    rng = random.Random(seed)
    clock = FakeClock()
    policy = policy_for(
        clock, delay=delay, concurrency=slots, window=window, hosts={"b.test": Pace(delay_s=Duration(1.5))}
    )
    rules = Robots(rules=((False, "/1"),), crawl_delay_s=crawl_delay)
    desk = FrontDesk(policy, clock, answers(rng), lambda origin: rules, rng=rng)
    desk.connects = lambda request: rng.random() < 0.9
    requests = [request_for(f"{rng.choice(['http', 'https'])}://{h}.test/{n}", n) for h in "abcd" for n in range(12)]
    desk.add(*requests)
    desk.run()
    assert {(request.url, Kind.PAGE) for request in requests} <= desk.ends.keys()
    event(f"recalled: {desk.recalled > 0}")
    assert policy.in_flight == 0
    assert not any(desk.queues.values())
    for key, host_delay in (("a.test", delay), ("b.test", 1.5), ("c.test", delay), ("d.test", delay)):
        if host_delay:
            assert desk.smallest_gap_s(key) >= host_delay
        assert desk.max_in_flight(key) <= slots
    for span in desk.log:
        assert span.request.kind is Kind.ROBOTS or desk.ends[span.request.url, Kind.PAGE] != "robots"


@given(seed=st.integers(0, 2**32), delay=st.sampled_from([0.0, 0.2]), slots=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
@pytest.mark.slow
def test_nothing_is_let_through_while_its_host_rests(seed, delay, slots):
    rng = random.Random(seed)
    clock = FakeClock()
    rests = []

    def answer(request, clock):
        if request.kind is Kind.PAGE and rng.random() < 0.2:
            rests.append((request.host_key, clock.now, clock.now + 7))
            return Response(url=request.url, status=429, headers=((b"retry-after", b"7"),))
        return Response(url=request.url, status=200)

    policy = policy_for(clock, delay=delay, concurrency=slots)
    desk = FrontDesk(policy, clock, answer, lambda origin: Robots(), rng=rng)
    desk.add(*[request_for(f"https://{h}.test/{n}", n) for h in "ab" for n in range(20)])
    desk.run()
    assert len(desk.ends) == 40
    for key, begin, end in rests:
        assert not [s for s in desk.log if s.request.host_key == key and begin < s.asked < end]


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
