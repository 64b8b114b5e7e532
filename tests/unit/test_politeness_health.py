"""A host that fails rests, is tried once, and is given up with all that waits for it."""

from itertools import pairwise

import pytest

from crawler.config import BreakerConfig, Pace
from crawler.errors import FetchError
from crawler.models import HostState, Kind, Outcome, Response, Robots
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for

BREAKER = BreakerConfig(failures=3, rest_s=Duration(100))


def ok(request, clock=None):
    return Response(url=request.url, status=200)


def broken(request, clock=None):
    return FetchError("reset")


def desk_for(answer, **options):
    clock = FakeClock()
    return FrontDesk(policy_for(clock, breaker=BREAKER, **options), clock, answer, lambda url: Robots())


def pages(count, host="a.test"):
    return [request_for(f"https://{host}/{n}", n) for n in range(count)]


def test_failing_host_gets_one_trial_after_its_rest_and_nothing_then():
    desk = desk_for(broken, obey=False)
    desk.add(*pages(400))
    desk.run()
    begins = [span.begin for span in desk.begun("a.test")]
    assert len(begins) == 4
    assert begins[3] - begins[2] >= 100
    assert set(desk.ends.values()) == {"breaker"}
    assert len(desk.ends) == 400


def test_redirected_robots_txt_does_not_lead_to_a_host_that_was_given_up():
    def answer(request, clock):
        assert request.kind is Kind.ROBOTS
        location = b"https://down.test/robots.txt"
        return Response(url=request.url, status=301, headers=((b"location", location),))

    for window in (1, 100):  # it has left the window, or not
        desk = desk_for(answer, window=window)
        desk.stored["down.test"] = HostState(host_key="down.test", retired="breaker")
        desk.add(*pages(2, "down.test"))
        desk.run()
        desk.add(*pages(2))
        desk.run()
        assert [span.request.host_key for span in desk.log] == ["a.test"]
        assert [*desk.ends.values()] == ["breaker"] * 2 + ["robots_unreachable"] * 2


def test_host_given_up_makes_nobody_wait_whatever_it_asked_for():
    def answer(request, clock):
        return (
            Response(url=request.url, status=503, headers=((b"retry-after", b"3000"),))
            if clock.now > 1_100
            else broken(request)
        )

    desk = desk_for(answer)
    desk.policy = policy_for(desk.clock, breaker=BreakerConfig(failures=2, rest_s=Duration(200)))
    desk.add(*pages(5))
    desk.run()
    assert [span.request.attempt for span in desk.log] == [1, 2, 3]  # at robots.txt; the third is the trial
    assert set(desk.ends.values()) == {"breaker"}
    assert desk.clock.now < desk.log[-1].end + 10
    assert desk.policy.views.slowest(5) == []


def test_host_given_up_starves_no_other_while_its_many_urls_end():
    clock = FakeClock()
    policy = policy_for(clock, obey=False)
    policy.adopt([HostState(host_key="down.test", retired="breaker"), HostState(host_key="good.test")])
    for _ in range(3):
        turn = policy.turn(10)
        policy.supply(turn.wants, [request for key, n in turn.wants for request in pages(n, key)])
        if turn.start:
            break
    assert [request.host_key for request in turn.start] == ["good.test"]
    assert len(turn.refused) > 100, "they end in large bites"


def started(policy, clock, count, **state):
    """Requests of one host, handed out together; `policy` has no delay."""
    policy.adopt([HostState(host_key="a.test", **state)])
    policy.supply(policy.turn(10).wants, pages(count))
    return policy.turn(10).start


def test_request_that_waited_through_the_rest_does_not_join_the_trial():
    clock = FakeClock()
    policy = policy_for(clock, delay=0, concurrency=4, obey=False, breaker=BREAKER)
    *failing, waiting = started(policy, clock, 4)
    for request in failing:
        assert policy.may_start(request)
        policy.after(request, broken(request))
    clock.advance(200)
    assert not policy.may_start(waiting)
    [trial] = policy.turn(10).start
    assert policy.may_start(trial)
    assert policy.turn(10).start == []


def test_pause_that_a_host_had_earned_comes_first_after_a_restart():
    for stored, pause in (
        (HostState(host_key="a.test", backoff_s=30.0), 30),
        (HostState(host_key="a.test", latency_s=4.0), 8),
    ):
        clock = FakeClock()
        policy = policy_for(clock, obey=False, adaptive=True, resumed=True)
        policy.adopt([stored])
        clock.advance(pause)
        assert policy.turn(10).wants == []
        clock.advance(0.02)
        assert policy.turn(10).wants


@pytest.mark.parametrize(
    ("stored", "answer", "told"),
    [
        ({}, Response(url="https://a.test/0", status=200, elapsed_s=0.1), {}),  # the pause stays as it is
        ({}, Response(url="https://a.test/0", status=200, elapsed_s=4.0), {"latency_s": 4.0}),
        ({"latency_s": 4.0}, Response(url="https://a.test/0", status=200, elapsed_s=4.1), {}),
        ({}, FetchError("timeout"), {"failures": 1, "backoff_s": 2.0}),
        ({"backoff_s": 1.75}, Response(url="https://a.test/0", status=200), {"backoff_s": 1.25}),
    ],
)
def test_what_changes_the_pause_of_a_host_is_stored(stored, answer, told):
    clock = FakeClock()
    policy = policy_for(clock, adaptive=True, obey=False, breaker=BREAKER)
    policy.adopt([HostState(host_key="a.test", **stored)])
    policy.supply(policy.turn(10).wants, pages(2))
    [request] = policy.turn(10).start
    policy.started(request)
    policy.after(request, answer)
    assert bool(policy._window._unsaved._changed) == bool(told), "counts alone may be stored later"
    [state] = policy.changes()[0]
    assert {key: getattr(state, key) for key in told} == told


@pytest.mark.parametrize("obey", [True, False])
@pytest.mark.parametrize("downtime", [0.0, 50.0, 500.0])
def test_restart_in_the_middle_of_a_rest_neither_shortens_it_nor_wins_another_trial(downtime, obey):
    desk = desk_for(broken, obey=obey)
    desk.stored["a.test"] = HostState(host_key="a.test", failures=2)
    desk.add(*pages(40))
    while not desk.policy.views.slowest(1):
        desk.run(until=desk.clock.now + 0.5)
    [opened] = desk.log
    desk.clock.advance(downtime)
    desk.restart(policy_for(desk.clock, breaker=BREAKER, obey=obey, resumed=True))
    desk.run()
    trial = desk.log[1]
    assert trial.begin >= opened.end + 100
    assert len(desk.log) == 2
    desk.restart(policy_for(desk.clock, breaker=BREAKER, obey=obey, resumed=True))
    desk.add(request_for("https://a.test/more"))
    desk.run()
    assert len(desk.log) == 2
    assert set(desk.ends.values()) == {"breaker"}


def test_host_that_comes_back_is_asked_as_ever():
    desk = desk_for(
        lambda request, clock: broken(request) if clock.now < 1_100 else ok(request), concurrency=3, delay=0, obey=False
    )
    desk.add(*pages(40))
    desk.run()
    assert set(desk.ends.values()) == {Outcome.FETCHED}
    trial = next(span for span in desk.log if span.asked > 1_100)
    assert not [span for span in desk.log if trial.asked < span.asked < trial.end]
    assert desk.max_in_flight("a.test") == 3


def test_robots_txt_may_be_the_trial():
    desk = desk_for(lambda request, clock: broken(request) if clock.now < 1_050 else ok(request))
    desk.stored["a.test"] = HostState(host_key="a.test", failures=2)
    desk.add(*pages(4))
    desk.run()
    assert [span.request.kind for span in desk.log] == [Kind.ROBOTS] * 2 + [Kind.PAGE] * 4
    assert desk.log[1].begin >= desk.log[0].end + 100
    assert set(desk.ends.values()) == {Outcome.FETCHED}


def test_back_off_outlives_a_restart_and_ends_after_ten_good_answers():
    desk = desk_for(lambda request, clock: FetchError("timeout") if clock.now < 1_020 else ok(request), obey=False)
    desk.policy = policy_for(desk.clock, adaptive=True, obey=False)
    desk.add(*pages(40))
    desk.run(until=1_060)
    state = desk.stored["a.test"]
    assert state.backoff_s >= 8
    desk.restart(policy_for(desk.clock, adaptive=True, obey=False, resumed=True))
    desk.run()
    gaps = [b.begin - a.begin for a, b in pairwise(desk.begun("a.test"))]
    first = next(n for n, span in enumerate(desk.begun("a.test")) if span.run)
    assert gaps[first] > state.backoff_s / 2
    assert gaps[first + 12] < 3  # a second, and a latency


def test_why_hosts_wait_is_said_in_words():
    clock = FakeClock()
    policy = policy_for(
        clock, obey=False, adaptive=True, breaker=BREAKER, hosts={"often.test": Pace(delay_s=Duration(0))}
    )
    wait = Response(url="https://asked.test/0", status=429, headers=((b"retry-after", b"60"),))
    slow = Response(url="https://slow.test/0", status=200, elapsed_s=4.25)
    answers = {
        "asked.test": wait,
        "slow.test": slow,
        "error.test": FetchError("timeout"),
        "often.test": ok(pages(1)[0]),
    }
    policy.adopt([HostState(host_key=key, failures=2 * (key == "down.test")) for key in (*answers, "down.test")])
    turn = policy.turn(10)
    policy.supply(turn.wants, [page for key, _ in turn.wants for page in pages(9, key)])
    for request in policy.turn(10).start:
        policy.started(request)
        policy.after(request, answers.get(request.host_key, FetchError("reset")))
    told = {host.host_key: (host.why, round(host.wait_s)) for host in policy.views.slowest(10)}
    assert told == {
        "asked.test": ("it asked to be left alone", 60),
        "slow.test": ("it takes 4.2 s to answer", 9),
        "error.test": ("2 s between requests after errors", 2),
        "down.test": ("it failed 3 times in a row", 100),
    }
    assert [host.host_key for host in policy.views.slowest(2)] == ["down.test", "asked.test"]


@pytest.mark.parametrize(
    ("state", "delay", "why"),
    [
        (HostState(host_key="a.test"), 7200.0, "7200 s between requests"),
        (HostState(host_key="a.test", delay_s=45.0), 1.0, "its robots.txt asks for 45 s between requests"),
    ],
)
def test_pauses_are_told_in_seconds_however_long(state, delay, why):
    clock = FakeClock()
    policy = policy_for(clock, delay=delay, resumed=True)
    policy.adopt([state])
    [host] = policy.views.slowest(1)
    assert host.why == why
