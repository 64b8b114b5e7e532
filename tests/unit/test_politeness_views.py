"""What a person is shown of hosts, whatever these are doing."""

from __future__ import annotations

import pytest

from crawler.config import BreakerConfig, BudgetConfig
from crawler.errors import FetchError
from crawler.models import HostState, Page, Response
from crawler.politeness.policy import Deliver
from crawler.units import Duration
from crawler.views import HostCondition
from tests.support.clock import FakeClock
from tests.support.policies import policy_for, request_for


class Shown:
    """A policy in the engine's hands, as far as these tests need it."""

    def __init__(self, urls=("https://a.test/1", "https://a.test/2"), state=None, **options):
        self.clock = FakeClock()
        self.policy = policy_for(self.clock, obey=False, **options)
        requests = [request_for(url, number) for number, url in enumerate(urls, 1)]
        keys = dict.fromkeys(request.host_key for request in requests)
        self.policy.adopt([state or HostState(host_key=key) for key in keys])
        self.left = requests
        self.supply(self.policy.turn(100))

    def supply(self, turn):
        if turn.wants:
            given = [r for r in self.left if r.host_key in {key for key, _ in turn.wants}]
            self.left = [r for r in self.left if r not in given]
            self.policy.supply(turn.wants, given)

    def start(self, room=100):
        started = self.policy.turn(room).start
        for request in started:
            self.policy.started(request)
        return started

    def end(self, request, answer=None):
        answer = answer or Response(url=request.url, status=200)
        decision = self.policy.after(request, answer)
        if isinstance(decision, Deliver):
            self.policy.after_parse(request, answer, Page(records=(("pages", b"{}"),)))
        return decision

    def of(self, key="a.test"):
        views = self.policy.views.hosts(100)
        (view,) = (self.policy.views._view(host, self.clock.now) for host in (self.policy._window.hosts[key],))
        assert sum(views.conditions.values()) == len(self.policy._window.hosts)
        assert views.conditions[view.condition] >= 1
        return view.condition, view.why, round(view.wait_s, 2), view.in_flight


BREAKER = BreakerConfig(failures=1, rest_s=Duration(300.0))


def test_host_is_ready_then_fetching_then_pacing_then_ready():
    shown = Shown()
    assert shown.of() == (HostCondition.READY, "", 0.0, 0)
    (request,) = shown.start()
    assert shown.of() == (HostCondition.FETCHING, "", 0.0, 1)
    shown.clock.advance(0.25)
    shown.end(request)
    assert shown.of() == (HostCondition.PACING, "1 s between requests", 0.76, 0)
    shown.clock.advance(1.0)
    assert shown.of() == (HostCondition.READY, "", 0.0, 0)


def test_host_with_a_slot_free_is_ready_while_others_are_taken():
    shown = Shown(delay=0.0, concurrency=2)
    shown.start(room=1)
    assert shown.of() == (HostCondition.READY, "", 0.0, 1)
    shown.start()
    assert shown.of() == (HostCondition.FETCHING, "", 0.0, 2)


def test_host_with_nothing_left_is_idle():
    shown = Shown(urls=["https://a.test/1"])
    (request,) = shown.start()
    shown.end(request)
    shown.clock.advance(10.0)
    assert shown.of()[:1] == (HostCondition.IDLE,)


@pytest.mark.parametrize("urls", [1, 2])
@pytest.mark.parametrize("rest", [b"20", b"90"])
def test_host_that_asked_for_a_rest_backs_off_whether_its_urls_are_at_hand_or_not(urls, rest):
    shown = Shown(urls=[f"https://a.test/{n}" for n in range(urls)])
    (request,) = shown.start()
    shown.end(request, Response(url=request.url, status=503, headers=((b"retry-after", rest),)))
    assert shown.of() == (HostCondition.BACKING_OFF, "it asked to be left alone", float(rest), 0)
    assert shown.policy.views.hosts(1).slowest[0].host_key == "a.test" if urls > 1 or rest == b"90" else True


def test_host_whose_errors_lengthened_its_pause_backs_off():
    shown = Shown(adaptive=True)
    (request,) = shown.start()
    shown.end(request, Response(url=request.url, status=500))
    condition, why, wait_s, _ = shown.of()
    assert (condition, wait_s) == (HostCondition.BACKING_OFF, 2.01)
    assert why == "2 s between requests after errors"


def test_open_breaker_is_shown_until_its_trial_and_its_end():
    shown = Shown(breaker=BREAKER, delay=0.0)
    (request,) = shown.start()
    shown.end(request, FetchError("connect"))
    assert shown.of() == (HostCondition.BREAKER_OPEN, "it failed 1 times in a row", 300.0, 0)
    shown.clock.advance(301.0)
    shown.policy.wake("a.test")
    shown.left = [request_for("https://a.test/9", 9)]
    shown.supply(shown.policy.turn(100))
    (trial,) = shown.start()
    assert shown.of()[0] is HostCondition.FETCHING
    shown.end(trial, FetchError("connect"))
    assert shown.of() == (HostCondition.GIVEN_UP, "it failed again after a rest", 0.0, 0)


def test_host_stored_with_an_open_breaker_is_shown_with_it():
    state = HostState(host_key="a.test", failures=3, ready_at=1_700_000_000.0 + 100)
    shown = Shown(state=state, breaker=BREAKER)
    assert shown.of() == (HostCondition.BREAKER_OPEN, "it failed 3 times in a row", 100.0, 0)


def test_host_that_has_given_its_pages_is_set_aside():
    shown = Shown(budget=BudgetConfig(pages_per_host=1))
    (request,) = shown.start()
    shown.end(request)
    assert shown.of()[:2] == (HostCondition.SET_ASIDE, "")


def test_host_whose_name_is_looked_up_and_does_not_resolve():
    shown = Shown(locates=True)
    assert shown.of()[0] is HostCondition.LOOKING_UP
    for _ in range(2):
        shown.policy.not_located("a.test", FetchError("dns"))
        if shown.of()[0] is not HostCondition.GIVEN_UP:
            assert shown.of()[:2] == (HostCondition.BACKING_OFF, "its name does not resolve")
            shown.clock.advance(10.0)
            shown.policy.turn(100)
    assert shown.of() == (HostCondition.GIVEN_UP, "its name does not resolve", 0.0, 0)


def test_host_that_waits_for_others_at_its_address():
    urls = [f"https://{key}.test/{n}" for key in "ab" for n in range(2)]
    shown = Shown(urls=urls, locates=True, per_address=1, delay=0.0)
    for key in ("a.test", "b.test"):
        shown.policy.located(key, ["192.0.2.1"])
    shown.supply(shown.policy.turn(100))
    (request,) = shown.start()
    other = "b.test" if request.host_key == "a.test" else "a.test"
    shown.policy.turn(100)
    assert shown.of(other) == (HostCondition.ADDRESS_BUSY, "other hosts at its address are being asked", 0.0, 0)


def test_no_more_hosts_are_shown_than_asked_for_and_the_busiest_and_slowest_come_first():
    states = [HostState(host_key=f"h{n}.test", requests=n, ready_at=1_700_000_000.0 + n) for n in range(1, 30)]
    policy = policy_for(FakeClock(), obey=False)
    policy.adopt(states)
    shown = policy.views.hosts(3)
    assert [view.host_key for view in shown.busiest] == ["h29.test", "h28.test", "h27.test"]
    assert [view.host_key for view in shown.slowest] == ["h29.test", "h28.test", "h27.test"]
    assert shown.conditions == {HostCondition.PACING: 29}
