"""What happens to hosts that are given up, set aside or back from an earlier run?"""

import pytest
from msgspec.structs import replace

from crawler.config import BreakerConfig, BudgetConfig, Pace
from crawler.known import Known
from crawler.models import HostState, Kind, Response, Robots
from crawler.politeness.policy import MAX_REFUSED
from crawler.politeness.schedule import GUARD_S
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for

ROBOTS_ELSEWHERE = ((b"location", b"https://retired.test/robots.txt"),)


def ok(request, clock):
    return Response(url=request.url, status=200)


def test_urls_still_to_be_refused_are_not_taken_for_those_of_hosts_set_aside():
    clock = FakeClock()
    policy = policy_for(clock, budget=BudgetConfig(pages_per_host=5))
    while policy.turn(10).refill:
        clock.advance(2.0)
    keys = ["a.test", "b.test"]
    for key in keys:
        policy.wake(key)
    policy.turn(10)
    policy.adopt([HostState(host_key=key, retired="breaker") for key in keys])
    wants = policy.turn(10).wants
    policy.supply(wants, [request_for(f"https://{key}/{n}", n) for key in keys for n in range(200)])
    assert len(policy.turn(10).refused) == MAX_REFUSED
    assert policy.all_set_aside is None
    assert len(policy.turn(10).refused) == 400 - MAX_REFUSED
    assert policy.all_set_aside == "budget.pages_per_host"


@pytest.mark.parametrize("is_known", [True, False])
def test_robots_txt_that_leads_to_a_retired_host_is_unreachable(is_known):
    def answer(request, clock):
        if request.kind is Kind.ROBOTS and request.host_key == "a.test":
            return Response(url=request.url, status=301, headers=ROBOTS_ELSEWHERE)
        return ok(request, clock)

    clock = FakeClock()
    policy = policy_for(clock, breaker=BreakerConfig(failures=2))
    desk = FrontDesk(policy, clock, answer, lambda url: Robots())
    desk.stored["retired.test"] = HostState(host_key="retired.test", failures=2, retired="breaker")
    if is_known:
        desk.add(request_for("https://retired.test/1", 1))
    desk.add(request_for("https://a.test/2", 2))
    desk.run()
    assert [span.request.host_key for span in desk.log] == ["a.test"]
    assert desk.ends["https://a.test/2", Kind.PAGE] == "robots_unreachable"


def test_resumed_host_is_given_the_pause_that_its_errors_had_earned_it():
    clock = FakeClock()
    policy = policy_for(clock, obey=False, adaptive=True, resumed=True)
    began = clock.now
    desk = FrontDesk(policy, clock, ok, lambda url: Robots())
    desk.stored["a.test"] = HostState(host_key="a.test", backoff_s=16.0)
    desk.add(request_for("https://a.test/1"))
    desk.run()
    assert [span.asked >= began + 16.0 + GUARD_S for span in desk.log] == [True]


def test_host_that_is_tried_still_makes_room_for_its_own_concurrency_at_its_address():
    clock = FakeClock()
    limits = {"a.test": Pace(delay_s=Duration(0), concurrency=20)}
    policy = policy_for(clock, obey=False, hosts=limits, breaker=BreakerConfig(failures=2), locates=True, per_address=8)
    desk = FrontDesk(policy, clock, ok, lambda url: Robots())
    desk.stored["a.test"] = HostState(host_key="a.test", failures=2)
    desk.add(*(request_for(f"https://a.test/{n}", n) for n in range(1, 200)))
    desk.run()
    assert desk.max_in_flight("a.test") > 8


@pytest.mark.parametrize("retired", [None, "breaker"])
def test_url_that_is_not_visited_this_time_ends_before_anything_is_asked(retired):
    clock = FakeClock()
    desk = FrontDesk(policy_for(clock), clock, ok, lambda url: Robots(rules=((False, "/"),)))
    desk.stored["a.test"] = HostState(host_key="a.test", failures=2 * bool(retired), retired=retired)
    for number, reason in enumerate(("not_due", "lastmod"), 1):
        url = f"https://a.test/{number}"
        desk.add(replace(request_for(url, number), known=Known(id=number, has_page=True, skip=reason)))
    desk.run()
    assert desk.log == []
    assert [desk.ends[f"https://a.test/{number}", Kind.PAGE] for number in (1, 2)] == ["not_due", "lastmod"]
