"""What the engine may count on."""

import random

import pytest

from crawler.config import Pace
from crawler.errors import FetchError
from crawler.models import HostState, Kind, Outcome, Page, ParseFailure, Response, Robots, RobotsFile
from crawler.politeness.policy import Deliver, Finish, Handled, Snooze
from crawler.politeness.schedule import GUARD_S
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.frontdesk import PAGE, FrontDesk, policy_for, request_for


def ok(request, clock=None):
    return Response(url=request.url, status=200)


ALLOW_ALL = Robots()


def desk_for(answer=ok, rules=ALLOW_ALL, **options):
    clock = FakeClock()
    return FrontDesk(policy_for(clock, **options), clock, answer, lambda url: rules)


def pages(count, host="a.test"):
    return [request_for(f"https://{host}/{n}", n) for n in range(count)]


def supplied(policy, *requests):
    """Lead a policy to the turn that starts the first of `requests`, all of one host."""
    policy.wake(requests[0].host_key)
    policy.adopt([HostState(host_key=key) for key in policy.turn(10).unknown])
    turn = policy.turn(10)
    policy.supply(turn.wants, requests)
    return policy.turn(10)


def test_robots_txt_comes_first_and_is_paced_like_any_other_request():
    desk = desk_for()
    desk.add(*pages(3))
    desk.run()
    assert [span.request.kind for span in desk.log] == [Kind.ROBOTS, Kind.PAGE, Kind.PAGE, Kind.PAGE]
    assert desk.smallest_gap_s("a.test") >= 1.0 + GUARD_S


def test_origins_of_one_host_have_their_own_robots_txt_and_one_pace():
    desk = desk_for()
    desk.add(request_for("http://a.test/1"), request_for("https://a.test/2"))
    desk.run()
    asked = {span.request.url for span in desk.log if span.request.kind is Kind.ROBOTS}
    assert asked == {"http://a.test/robots.txt", "https://a.test/robots.txt"}
    assert desk.smallest_gap_s("a.test") >= 1.0


def test_disallowed_urls_are_refused_without_cost():
    desk = desk_for(rules=Robots(rules=((False, "/"),)))
    desk.add(*pages(50))
    desk.run()
    assert [span.request.kind for span in desk.log] == [Kind.ROBOTS]
    assert set(desk.ends.values()) == {"robots"}
    assert len(desk.ends) == 50


def test_without_obedience_robots_txt_is_never_asked_for():
    desk = desk_for(rules=Robots(rules=((False, "/"),)), obey=False)
    desk.add(*pages(3))
    desk.run()
    assert [span.request.kind for span in desk.log] == [Kind.PAGE] * 3


@pytest.mark.parametrize(("asked_s", "kept_s"), [(5.0, 5.0), (0.1, 1.0), (500.0, 60.0)])
def test_crawl_delay_lengthens_the_pause_up_to_its_cap_and_never_shortens_it(asked_s, kept_s):
    desk = desk_for(rules=Robots(crawl_delay_s=asked_s))
    desk.add(*pages(4))
    desk.run()
    assert kept_s <= desk.smallest_gap_s("a.test") < kept_s + 1


def test_redirected_robots_txt_is_charged_to_the_host_that_is_asked():
    def answer(request, clock):
        if request.url == "https://a.test/robots.txt":
            return Response(url=request.url, status=301, headers=((b"location", b"https://b.test/robots.txt"),))
        return ok(request)

    desk = desk_for(answer, hosts={"b.test": Pace(delay_s=Duration(3))})
    desk.add(*pages(2), *pages(2, "b.test"))
    desk.run()
    assert desk.smallest_gap_s("b.test") >= 3.0
    assert sum(span.request.host_key == "b.test" for span in desk.log) == 4
    assert len(desk.ends) == 4


def test_unreachable_robots_txt_refuses_the_host_after_some_attempts():
    desk = desk_for(lambda request, clock: FetchError("timeout"))
    desk.add(*pages(2))
    desk.run()
    assert [span.request.kind for span in desk.log] == [Kind.ROBOTS] * 3
    assert set(desk.ends.values()) == {"robots_unreachable"}


def test_robots_txt_that_cannot_be_parsed_closes_the_origin():
    desk = desk_for(rules=None)
    desk.add(*pages(1))
    desk.run()
    assert set(desk.ends.values()) == {"robots_unreachable"}


def test_retry_after_rests_the_whole_host():
    def answer(request, clock):
        if request.url.endswith("/0") and request.attempt == 1:
            return Response(url=request.url, status=503, headers=((b"retry-after", b"100"),))
        return ok(request)

    desk = desk_for(answer, obey=False)
    desk.add(*pages(3))
    desk.run()
    first, second, *_ = sorted(span.begin for span in desk.log)
    assert second - first >= 100.0
    assert set(desk.ends.values()) == {Outcome.FETCHED}


def test_failed_page_waits_alone():
    def answer(request, clock):
        return FetchError("reset") if request.url.endswith("/0") else ok(request)

    desk = desk_for(answer, obey=False)
    desk.add(*pages(3))
    desk.run()
    assert [span.request.url[-1] for span in desk.log] == ["0", "1", "2", "0", "0"]


@pytest.mark.parametrize("seed", range(5))
def test_budget_is_used_up_and_never_overdrawn(seed):
    def answer(request, clock):
        return Response(url=request.url, status=404) if rng.random() < 0.5 else ok(request)

    rng = random.Random(seed)
    desk = desk_for(answer, delay=0, concurrency=8, pages=5)
    desk.add(*pages(60))
    desk.run()
    assert list(desk.ends.values()).count(Outcome.FETCHED) == 5
    assert desk.policy.stopped_by == "budget.pages"
    assert desk.policy.turn(10).start == []


def test_budget_counts_what_earlier_runs_kept():
    policy = policy_for(FakeClock(), pages=5, pages_kept=5)
    assert policy.stopped_by == "budget.pages"


@pytest.mark.parametrize("result", [ParseFailure(reason="parse_deadline"), Page(reason="not_html")])
def test_response_without_a_page_gives_its_slot_back_by_itself(result):
    policy = policy_for(FakeClock(), delay=0, obey=False, pages=1)
    (request,) = supplied(policy, *pages(2)).start
    policy.after(request, ok(request))
    assert isinstance(policy.after_parse(request, ok(request), result), Finish)
    assert len(policy.turn(10).start) == 1


def test_url_found_while_the_frontier_is_asked_is_not_forgotten():
    policy = policy_for(FakeClock(), obey=False)
    policy.wake("a.test")
    policy.adopt([HostState(host_key="a.test")])
    turn = policy.turn(10)
    policy.wake("a.test")
    policy.supply(turn.wants, [])
    assert policy.turn(10).wants == [("a.test", 2)]


def test_exhausted_host_is_asked_for_again_once_woken_and_not_before():
    clock = FakeClock()
    policy = policy_for(clock, obey=False)
    assert supplied(policy, *pages(1)).start
    clock.advance(10)
    assert policy.turn(10).wants == []
    policy.wake_at("a.test", clock.now + 5)
    assert policy.turn(10).next_at == clock.now + 5


def test_window_full_of_busy_hosts_takes_the_others_later():
    desk = desk_for(window=3)
    for number in range(20):
        desk.add(*pages(2, f"h{number}.test"))
    desk.run()
    assert len(desk.ends) == 40


def test_stored_rest_is_kept_but_never_believed_beyond_a_day():
    for stored_s, kept_s in ((50.0, 50.0), (-50.0, 0.0), (10**9, 24 * 3600.0)):
        clock = FakeClock()
        policy = policy_for(clock, obey=False)
        policy.adopt([HostState(host_key="a.test", ready_at=clock.wall() + stored_s)])
        turn = policy.turn(10)
        if kept_s:
            assert turn.wants == []
            clock.advance(kept_s)
            turn = policy.turn(10)
        assert turn.wants


def test_resumed_crawl_gives_every_host_its_pause_first():
    clock = FakeClock()
    policy = policy_for(clock, obey=False, resumed=True)
    policy.adopt([HostState(host_key="a.test"), HostState(host_key="b.test", delay_s=30.0)])
    policy.turn(10)
    clock.advance(1.0)
    assert policy.turn(10).wants == []
    clock.advance(GUARD_S + 0.001)
    assert policy.turn(10).wants == [("a.test", 2)]


def test_retired_host_has_its_urls_refused():
    policy = policy_for(FakeClock())
    policy.adopt([HostState(host_key="a.test", retired="breaker")])
    turn = policy.turn(10)
    requests = pages(2)
    policy.supply(turn.wants, requests)
    assert policy.turn(10).refused == [(request, "breaker") for request in requests]


def test_request_refused_by_others_costs_not_even_a_robots_txt():
    desk = desk_for(refusal=lambda request: "seed_out_of_scope")
    desk.add(*pages(3))
    desk.run()
    assert desk.log == []
    assert set(desk.ends.values()) == {"seed_out_of_scope"}


def test_failures_and_rests_are_stored_until_committed():
    clock = FakeClock()
    policy = policy_for(clock, obey=False)
    (request,) = supplied(policy, *pages(1)).start
    policy.started(request)
    assert policy.changes() == ([], [])
    decision = policy.after(request, Response(url=request.url, status=503, headers=((b"retry-after", b"60"),)))
    assert isinstance(decision, Snooze)
    state = HostState(host_key="a.test", ready_at=clock.wall() + 60, delay_s=1.0, failures=1)
    assert policy.changes() == ([state], [])
    assert policy.changes() == ([state], [])
    policy.stored()
    assert policy.changes() == ([], [])


def test_stored_verdict_saves_the_request():
    clock = FakeClock()
    policy = policy_for(clock)
    policy.robots_stored(RobotsFile(origin="https://a.test", expires_at=clock.wall() + 60))
    assert supplied(policy, *pages(1)).start[0].kind is Kind.PAGE


def test_robots_requests_are_nobody_elses_business():
    policy = policy_for(FakeClock())
    (request,) = supplied(policy, *pages(1)).start
    assert policy.after(request, Response(url=request.url, status=404)) == Handled()
    assert policy.in_flight == 0


def test_more_verdicts_than_memory_holds_still_let_every_host_go_on(monkeypatch):
    monkeypatch.setattr("crawler.politeness.policy.Verdicts.__init__.__defaults__", (1,))
    desk = desk_for(delay=0)
    for number in range(10):
        desk.add(*pages(9, f"h{number}.test"))
    desk.run()
    assert len(desk.ends) == 90
