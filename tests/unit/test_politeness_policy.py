"""What the engine may count on."""

import random

import pytest

from crawler.config import Pace
from crawler.errors import FetchError
from crawler.models import HostState, Kind, Outcome, Page, ParseFailure, Response, Robots, RobotsFile
from crawler.politeness.host import HAND_MAX, HAND_UNPROVEN
from crawler.politeness.policy import MAX_REFUSED, Finish, Handled, Snooze, Spent
from crawler.politeness.schedule import GUARD_S
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for


def ok(request, clock=None):
    return Response(url=request.url, status=200)


ALLOW_ALL = Robots()
FORBID_ALL = Robots(rules=((False, "/"),))


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


def test_hosts_without_a_delay_take_turns_and_one_alone_starts_all_it_may_at_once():
    clock = FakeClock()
    policy = policy_for(clock, delay=0.0, concurrency=4, obey=False)
    both = [*pages(6), *pages(3, "b.test")]
    policy.adopt([HostState(host_key="a.test"), HostState(host_key="b.test")])
    policy.supply(policy.turn(10).wants, both)
    assert [r.host_key[0] for r in policy.turn(5).start] == ["a", "b", "a", "b", "a"]
    assert [r.host_key[0] for r in policy.turn(5).start] == ["b", "a"], "the rest of its slots, and of its pages"


def test_origins_of_one_host_have_their_own_robots_txt_and_one_pace():
    desk = desk_for()
    desk.add(request_for("http://a.test/1"), request_for("https://a.test/2"))
    desk.run()
    asked = {span.request.url for span in desk.log if span.request.kind is Kind.ROBOTS}
    assert asked == {"http://a.test/robots.txt", "https://a.test/robots.txt"}
    assert desk.smallest_gap_s("a.test") >= 1.0


def test_disallowed_urls_are_refused_without_cost():
    desk = desk_for(rules=FORBID_ALL)
    desk.add(*pages(50))
    desk.run()
    assert [span.request.kind for span in desk.log] == [Kind.ROBOTS]
    assert set(desk.ends.values()) == {"robots"}
    assert len(desk.ends) == 50


def test_without_obedience_robots_txt_is_never_asked_for():
    desk = desk_for(rules=FORBID_ALL, obey=False)
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
    policy = policy_for(FakeClock(), pages=5, spent=Spent(pages=5))
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
    (request,) = supplied(policy, *pages(1)).start
    policy.started(request)
    policy.after(request, ok(request))
    clock.advance(10)
    assert policy.turn(10).wants == []
    policy.wake("a.test")
    assert policy.turn(10).wants == [("a.test", 2)]


def test_window_full_of_busy_hosts_takes_the_others_later():
    desk = desk_for(window=3)
    for number in range(20):
        desk.add(*pages(2, f"h{number}.test"))
    desk.run()
    assert len(desk.ends) == 40


def test_stored_rest_is_kept_but_never_believed_beyond_an_hour():
    for stored_s, kept_s in ((50.0, 50.0), (-50.0, 0.0), (10**9, 3600.0)):
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
    policy = policy_for(clock, resumed=True)
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
    assert policy.turn(10).refused == [(request, Finish(Outcome.EXCLUDED, "breaker")) for request in requests]


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
    decision = policy.after(request, Response(url=request.url, status=503, headers=((b"retry-after", b"60"),)))
    assert isinstance(decision, Snooze)
    state = HostState(host_key="a.test", ready_at=clock.wall() + 60, failures=1, requests=1, waited_s=60.0)
    assert policy.changes() == ([state], [])
    assert policy.changes() == ([state], [])
    policy.stored()
    assert policy.changes() == ([], [])


def test_verdict_stored_by_an_earlier_run_saves_the_request_unless_it_is_stale():
    for left_s, kind in ((60, Kind.PAGE), (-1, Kind.ROBOTS)):
        clock = FakeClock()
        policy = policy_for(clock)
        policy.adopt([HostState(host_key="a.test")])
        turn = policy.turn(10)
        assert policy.supply(turn.wants, pages(2)) == ["https://a.test"]
        policy.recall([RobotsFile(origin="https://a.test", expires_at=clock.wall() + left_s)])
        assert policy.turn(10).start[0].kind is kind


def test_what_was_said_to_another_agent_is_not_recalled():
    for agent, kind in (("alpha", Kind.PAGE), ("", Kind.PAGE), ("beta", Kind.ROBOTS)):
        clock = FakeClock()
        policy = policy_for(clock, agent="alpha")
        policy.adopt([HostState(host_key="a.test")])
        policy.supply(policy.turn(10).wants, pages(2))
        robots = Robots(agent=agent)
        policy.recall([RobotsFile(origin="https://a.test", expires_at=clock.wall() + 60, robots=robots)])
        assert policy.turn(10).start[0].kind is kind


def test_rest_and_longer_delay_press_for_a_checkpoint_until_it_is_made():
    clock = FakeClock()
    policy = policy_for(clock)
    (robots,) = supplied(policy, *pages(2)).start
    policy.started(robots)
    policy.after(robots, ok(robots))
    assert not policy.pressing
    policy.robots_parsed(robots, Robots(crawl_delay_s=5.0))
    assert policy.pressing
    policy.changes()
    assert not policy.pressing
    clock.advance(6)
    (page,) = policy.turn(10).start
    policy.started(page)
    policy.after(page, Response(url=page.url, status=429, headers=((b"retry-after", b"60"),)))
    assert policy.pressing


def test_stored_verdict_saves_the_request():
    clock = FakeClock()
    policy = policy_for(clock)
    policy.recall([RobotsFile(origin="https://a.test", expires_at=clock.wall() + 60)])
    assert supplied(policy, *pages(1)).start[0].kind is Kind.PAGE


def test_robots_requests_are_nobody_elses_business():
    policy = policy_for(FakeClock())
    (request,) = supplied(policy, *pages(1)).start
    assert policy.after(request, Response(url=request.url, status=404)) == Handled()
    assert policy.in_flight == 0


def test_more_verdicts_than_memory_holds_still_let_every_host_go_on(monkeypatch):
    monkeypatch.setattr("crawler.politeness.judge.Verdicts.__init__.__defaults__", (1,))
    desk = desk_for(delay=0)
    for number in range(10):
        desk.add(*pages(9, f"h{number}.test"))
    desk.run()
    assert len(desk.ends) == 90


def verdicts_stored(clock, policy, *hosts, rules=ALLOW_ALL):
    for host in hosts:
        policy.recall([RobotsFile(origin=f"https://{host}", expires_at=clock.wall() + 60, robots=rules)])


def test_host_that_forbids_everything_holds_up_no_other():
    clock = FakeClock()
    policy = policy_for(clock)
    verdicts_stored(clock, policy, "bad.test", rules=FORBID_ALL)
    verdicts_stored(clock, policy, "good.test")
    policy.adopt([HostState(host_key="bad.test"), HostState(host_key="good.test", ready_at=clock.wall() + 1)])
    clock.advance(2)
    for _ in range(4):
        turn = policy.turn(1)
        policy.supply(turn.wants, [request for key, n in turn.wants for request in pages(n, key)])
        if turn.start:
            break
    assert [request.host_key for request in turn.start] == ["good.test"]


def test_host_takes_in_much_only_while_its_urls_may_be_requested():
    def wanted_after(rules):
        clock = FakeClock()
        policy = policy_for(clock, delay=0, concurrency=HAND_MAX)
        verdicts_stored(clock, policy, "a.test", rules=rules)
        policy.adopt([HostState(host_key="a.test")])
        assert policy.turn(1).wants == [("a.test", HAND_UNPROVEN)]
        policy.supply([("a.test", HAND_UNPROVEN)], pages(HAND_UNPROVEN))
        [(_, wanted)] = policy.turn(1).wants
        return wanted

    assert wanted_after(FORBID_ALL) == HAND_UNPROVEN
    assert wanted_after(ALLOW_ALL) > HAND_MAX / 2


def test_refusals_waiting_for_a_turn_are_bounded():
    clock = FakeClock()
    policy = policy_for(clock, delay=0, concurrency=HAND_MAX)
    names = [f"h{n}.test" for n in range(2 * MAX_REFUSED)]
    verdicts_stored(clock, policy, *names, rules=FORBID_ALL)
    policy.adopt([HostState(host_key=name) for name in names])
    waiting = 0
    for _ in range(20):
        turn = policy.turn(2 * MAX_REFUSED)
        waiting -= len(turn.refused)
        supply = [request for key, n in turn.wants for request in pages(n, key)]
        policy.supply(turn.wants, supply)
        waiting += len(supply)
        assert 0 < waiting <= MAX_REFUSED + HAND_MAX


def answered_429(policy, request, wait=b"20"):
    policy.after(request, Response(url=request.url, status=429, headers=((b"retry-after", wait),)))


def test_retry_after_recalls_requests_not_yet_on_the_wire():
    clock = FakeClock()
    policy = policy_for(clock, delay=0, concurrency=3, obey=False, pages=3)
    first, second, third = supplied(policy, *pages(3)).start
    assert policy.may_start(first)
    policy.started(first)
    answered_429(policy, first)
    assert not policy.may_start(second)
    assert not policy.may_start(third)
    assert policy.in_flight == 0
    assert policy.turn(10).start == []
    clock.advance(19)
    assert policy.turn(10).start == []
    clock.advance(1)
    again = policy.turn(10).start
    assert {request.url for request in again} == {second.url, third.url}
    assert all(map(policy.may_start, again))
    for request in again:
        policy.started(request)
        assert isinstance(policy.after_parse(request, ok(request), Page(reason="not_html")), Finish)
        policy.after(request, ok(request))
    assert policy.in_flight == 0


def test_request_let_through_is_recalled_when_its_host_has_asked_for_a_rest_before_its_head_is_written():
    clock = FakeClock()
    policy = policy_for(clock, delay=0, concurrency=2, obey=False, pages=2)
    first, second = supplied(policy, *pages(2)).start
    assert policy.may_start(first)
    assert policy.may_start(second)
    assert policy.may_send(first)
    policy.started(first)
    answered_429(policy, first)
    assert not policy.may_send(second)
    assert policy.in_flight == 0
    clock.advance(20)
    (again,) = policy.turn(10).start
    assert again.url == second.url
    assert again.attempt == 1
    assert policy.may_start(again)
    assert policy.may_send(again)


def test_recalled_request_gives_its_budget_back_and_is_the_next_of_its_host():
    clock = FakeClock()
    policy = policy_for(clock, delay=0, concurrency=2, obey=False, pages=2)
    first, second = supplied(policy, *pages(9)).start
    answered_429(policy, first)
    assert not policy.may_start(second)
    clock.advance(20)
    assert [request.url[-1] for request in policy.turn(10).start] == ["1", "2"]


@pytest.mark.parametrize("delay", [0, 1.0])
def test_withdrawn_request_leaves_its_slot_and_its_budget_to_the_next_and_is_the_frontiers(delay):
    clock = FakeClock()
    policy = policy_for(clock, delay=delay, obey=False, pages=1)
    (first,) = supplied(policy, *pages(9)).start
    policy.withdraw(first)
    assert policy.in_flight == 0
    (second,) = policy.turn(10).start
    assert second.url != first.url
    assert policy.may_start(second)


def test_longer_crawl_delay_recalls_requests_not_yet_on_the_wire():
    clock = FakeClock()
    policy = policy_for(clock, delay=0, concurrency=2)
    verdicts_stored(clock, policy, "a.test")
    policy.adopt([HostState(host_key="a.test")])
    turn = policy.turn(10)
    policy.supply(turn.wants, [*pages(2), request_for("http://a.test/")])
    turn = policy.turn(10)
    first, second = turn.start
    policy.supply(turn.wants, [])
    policy.started(first)
    policy.after(first, ok(first))
    (robots,) = policy.turn(10).start
    policy.started(robots)
    policy.after(robots, ok(robots))
    policy.robots_parsed(robots, Robots(crawl_delay_s=5.0))
    assert not policy.may_start(second)
    clock.advance(5.0 + GUARD_S)
    assert policy.turn(10).start[0] is second


def test_robots_request_is_recalled_too_and_comes_first_again():
    clock = FakeClock()
    policy = policy_for(clock, delay=0, concurrency=2)
    verdicts_stored(clock, policy, "a.test")
    policy.adopt([HostState(host_key="a.test")])
    turn = policy.turn(10)
    policy.supply(turn.wants, [*pages(1), request_for("http://a.test/")])
    page, robots = policy.turn(10).start
    assert robots.kind is Kind.ROBOTS
    answered_429(policy, page)
    assert not policy.may_start(robots)
    clock.advance(20)
    assert policy.turn(10).start == [robots]


def test_pace_of_a_host_recalls_nothing():
    desk = desk_for(concurrency=3)
    desk.add(*pages(20))
    desk.run()
    assert desk.recalled == 0


def test_crawl_delay_outlives_the_stay_in_memory():
    policy = policy_for(FakeClock())
    (robots,) = supplied(policy, *pages(1)).start
    policy.started(robots)
    policy.after(robots, ok(robots))
    policy.robots_parsed(robots, Robots(crawl_delay_s=5.0))
    [state], _ = policy.changes()
    assert (state.host_key, state.delay_s) == ("a.test", 5.0)


@pytest.mark.parametrize(
    ("limit", "stored", "kept"),
    [(1.0, 5.0, 5.0), (7.0, 5.0, 7.0), (1.0, 500.0, 60.0)],
)
def test_stored_crawl_delay_counts_as_if_robots_txt_had_just_asked_for_it(limit, stored, kept):
    clock = FakeClock()
    policy = policy_for(clock, delay=limit)
    verdicts_stored(clock, policy, "a.test")
    policy.adopt([HostState(host_key="a.test", delay_s=stored)])
    turn = policy.turn(10)
    policy.supply(turn.wants, pages(2))
    (request,) = policy.turn(10).start
    policy.started(request)
    policy.after(request, ok(request))
    assert policy.turn(10).next_at == clock.now + kept + GUARD_S


def test_without_obedience_no_stored_crawl_delay_counts():
    clock = FakeClock()
    policy = policy_for(clock, delay=0, obey=False)
    policy.adopt([HostState(host_key="a.test", delay_s=5.0)])
    turn = policy.turn(10)
    policy.supply(turn.wants, pages(2))
    (request,) = policy.turn(1).start
    policy.started(request)
    policy.after(request, ok(request))
    assert len(policy.turn(10).start) == 1


def test_delay_of_the_configuration_is_not_stored():
    clock = FakeClock()
    policy = policy_for(clock, delay=9.0)
    (robots,) = supplied(policy, *pages(1)).start
    policy.after(robots, ok(robots))
    policy.robots_parsed(robots, Robots(crawl_delay_s=5.0))
    assert policy.changes()[0] == []
