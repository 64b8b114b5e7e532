"""What ends a crawl before its URLs do, and what that is called."""

import pytest

from crawler.config import BudgetConfig
from crawler.errors import FetchError
from crawler.models import HostState, Outcome, Response, Robots
from crawler.politeness.budget import Budget, Spent
from crawler.units import Duration, Size
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for


def ok(request, clock=None):
    return Response(url=request.url, status=200, body=b"x" * 100)


def missing(request, clock=None):
    return Response(url=request.url, status=404)


def desk_for(answer=ok, budget=None, **options):
    clock = FakeClock()
    policy = policy_for(clock, budget=budget, **options)
    return FrontDesk(policy, clock, answer, lambda url: Robots())


def pages(count, host="a.test"):
    return [request_for(f"https://{host}/{n}", n) for n in range(count)]


def kept(desk, host):
    return sum(f"//{host}/" in url for (url, _), how in desk.ends.items() if how == Outcome.FETCHED)


def test_nothing_is_spent_without_a_budget():
    budget = Budget(BudgetConfig(), Spent(pages=10**9, bytes=10**12, time_s=10**9), 0.0)
    assert budget.spent(10**9) is None
    assert budget.free(10**9) == float("inf")


@pytest.mark.parametrize(
    ("config", "spent", "name"),
    [
        (BudgetConfig(pages=5), Spent(pages=5), "budget.pages"),
        (BudgetConfig(bytes=Size(500)), Spent(bytes=501), "budget.bytes"),
        (BudgetConfig(time_s=Duration(5)), Spent(time_s=5.0), "budget.time"),
        (BudgetConfig(pages=5, bytes=Size(500)), Spent(pages=5, bytes=500), "budget.bytes"),
    ],
)
def test_what_earlier_runs_spent_is_spent(config, spent, name):
    assert Budget(config, spent, 0.0).spent(0.0) == name
    assert Budget(config, spent, 0.0).free(0.0) == 0


def test_bytes_end_a_crawl_once_they_have_come_robots_txt_included():
    desk = desk_for(budget=BudgetConfig(bytes=Size(350)))
    desk.add(*pages(20))
    desk.run()
    assert desk.stopped_by == "budget.bytes"
    assert len(desk.log) == 4


def test_time_ends_a_crawl_although_its_hosts_only_rest():
    desk = desk_for(lambda request, clock: FetchError("timeout"), BudgetConfig(time_s=Duration(5)), delay=60)
    desk.add(*pages(20))
    begun = desk.clock.now
    desk.run()
    assert desk.stopped_by == "budget.time"
    assert desk.clock.now == begun + 5


def test_host_that_has_given_its_pages_is_set_aside_and_the_others_go_on():
    desk = desk_for(budget=BudgetConfig(pages_per_host=3))
    desk.add(*pages(20), *pages(2, "b.test"))
    desk.run()
    assert desk.stopped_by == "budget.pages_per_host"
    assert (kept(desk, "a.test"), kept(desk, "b.test")) == (3, 2)
    assert len(desk.ends) == 5


def test_only_pages_that_are_kept_count_for_their_host():
    desk = desk_for(lambda request, clock: missing(request) if "/1" in request.url else ok(request))
    desk.policy = policy_for(desk.clock, delay=0, concurrency=5, obey=False, budget=BudgetConfig(pages_per_host=10))
    desk.add(*pages(20))
    desk.run()
    assert desk.stopped_by is None
    assert kept(desk, "a.test") == 9
    assert len(desk.ends) == 20


def test_pages_a_host_gave_in_earlier_runs_count_and_a_larger_budget_goes_on():
    for budget, more in ((3, 0), (5, 2)):
        desk = desk_for(budget=BudgetConfig(pages_per_host=budget))
        desk.stored["a.test"] = HostState(host_key="a.test", pages=3)
        desk.add(*pages(20))
        desk.run()
        assert kept(desk, "a.test") == more


def test_hosts_set_aside_leave_a_small_window_to_others():
    desk = desk_for(budget=BudgetConfig(pages_per_host=2), window=2)
    desk.add(*[page for n in range(9) for page in pages(5, f"h{n}.test")])
    desk.run()
    assert [kept(desk, f"h{n}.test") for n in range(9)] == [2] * 9


def test_crawl_of_hosts_set_aside_does_not_end_before_its_refusals_and_rests_are_told():
    clock = FakeClock()
    policy = policy_for(clock, obey=False, budget=BudgetConfig(pages_per_host=1))
    retired = HostState(host_key="down.test", retired="breaker")
    policy.adopt([HostState(host_key="a.test", pages=1), retired])
    while (turn := policy.turn(10)).wants or turn.refill:
        policy.supply(turn.wants, [])
    assert policy.all_set_aside == "budget.pages_per_host"
    policy.adopt([retired])
    turn = policy.turn(10)
    policy.supply(turn.wants, pages(2, "down.test"))
    assert policy.all_set_aside is None
    assert len(policy.turn(10).refused) == 2
    assert policy.all_set_aside == "budget.pages_per_host"
