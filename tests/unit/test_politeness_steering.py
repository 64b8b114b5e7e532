"""Hosts come, go and are paced as those who lead a shared crawl say, and nothing of them is lost or asked twice."""

from __future__ import annotations

from math import inf

import pytest

from crawler.config import Pace
from crawler.errors import FetchError
from crawler.models import HostState, Kind, Outcome, Page, Response, Robots
from crawler.politeness.schedule import GUARD_S
from crawler.politeness.tenure import UNSURE_S
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.policies import policy_for, request_for

PARSED = Page(records=(("pages.jsonl", b"{}"),))


def pages(count, host="a.test"):
    return [request_for(f"https://{host}/{n}", n) for n in range(count)]


def ok(request, status=200, *headers, address=None):
    return Response(url=request.url, status=status, headers=headers, elapsed_s=0.1, address=address)


class Desk:
    """Answers what a policy asks of the frontier."""

    def __init__(self, policy, *requests, states=()):
        self.policy = policy
        self.queues, self.states, self.back = {}, {state.host_key: state for state in states}, []
        policy.tenure.put_back = self.back.extend
        self.add(*requests)

    def add(self, *requests):
        for request in requests:
            self.queues.setdefault(request.host_key, []).append(request)
            self.policy.wake(request.host_key)

    def turn(self, room=100):
        """What starts in as many turns as there are answers to give."""
        start = []
        while True:
            turn = self.policy.turn(room - len(start))
            start += turn.start
            for key in turn.locate:
                self.policy.located(key, ["192.0.2.1"])
            self.answer(turn)
            if not (turn.wants or turn.unknown or turn.locate):
                return start

    def answer(self, turn):
        if turn.unknown:
            self.policy.adopt([self.states.get(key) or HostState(host_key=key) for key in turn.unknown])
        if turn.wants:
            taken = []
            for key, count in turn.wants:
                queue = self.queues.get(key, [])
                taken += queue[:count]
                del queue[:count]
            self.policy.supply(turn.wants, taken)

    def commit(self):
        hosts, _ = self.policy.changes(everything=True)
        self.policy.stored()
        self.states |= {state.host_key: state for state in hosts}
        return hosts


def named(requests):
    return [request.url.rpartition("/")[2] for request in requests]


def is_a(key):
    return key == "a.test"


def finish(policy, request):
    policy.started(request)
    policy.after(request, ok(request))
    return policy.after_parse(request, ok(request), PARSED)


def test_dismissed_host_starts_nothing_and_gives_back_what_it_has_at_hand_once():
    policy = policy_for(FakeClock(), delay=0, concurrency=2, obey=False)
    desk = Desk(policy, *pages(5), *pages(1, "b.test"))
    started = desk.turn(1)
    assert named(started) == ["0"]
    back = policy.dismiss(is_a)
    assert named(back) == ["1", "2", "3", "4"]
    assert [request.host_key for request in desk.turn()] == ["b.test"]
    assert not policy.dismiss(is_a)
    assert not desk.back


@pytest.mark.parametrize("obey", [True, False])
def test_dismissed_host_is_out_of_memory_and_stored_once_what_is_in_flight_has_ended(obey):
    clock = FakeClock()
    policy = policy_for(clock, delay=2.0, obey=obey)
    desk = Desk(policy, *pages(3))
    (request,) = desk.turn()
    policy.started(request)
    back = policy.dismiss(is_a)
    assert named(back) == (["0", "1"] if obey else ["1"])
    assert not policy.has_left(is_a)
    policy.after(request, ok(request, 404))
    assert policy.has_left(is_a)
    assert "a.test" not in policy._window.hosts
    (state,) = desk.commit()
    assert state.host_key == "a.test"
    assert state.ready_at == pytest.approx(clock.wall() + 2.0 + GUARD_S), "its plain pause, too"


def test_page_being_parsed_keeps_a_dismissed_host_in_memory():
    policy = policy_for(FakeClock(), delay=0, obey=False, pages=10)
    (request,) = Desk(policy, *pages(1)).turn()
    policy.started(request)
    policy.after(request, ok(request))
    policy.dismiss(is_a)
    assert not policy.has_left(is_a)
    policy.after_parse(request, ok(request), PARSED)
    assert policy.has_left(is_a)


def test_request_handed_out_and_not_yet_on_the_wire_goes_back_when_its_host_is_dismissed():
    policy = policy_for(FakeClock(), delay=0, concurrency=2, obey=False)
    desk = Desk(policy, *pages(2))
    first, second = desk.turn()
    assert policy.may_start(first)
    policy.dismiss(is_a)
    assert not policy.may_start(second)
    assert not policy.may_send(first)
    assert named(desk.back) == ["1", "0"]
    assert policy.in_flight == 0
    assert policy.has_left(is_a)


def test_what_the_frontier_gives_for_a_host_dismissed_meanwhile_goes_back():
    policy = policy_for(FakeClock(), delay=0, concurrency=2, obey=False)
    desk = Desk(policy, *pages(2))
    desk.answer(policy.turn(10))
    turn = policy.turn(10)
    assert turn.wants
    policy.dismiss(is_a)
    desk.answer(turn)
    assert named(desk.back) == ["0", "1"]
    assert policy.has_left(is_a)
    assert not policy.turn(10).start


def test_host_that_comes_back_starts_from_what_was_stored_of_it():
    clock = FakeClock()
    policy = policy_for(clock, delay=1.0, obey=False)
    desk = Desk(policy, *pages(3))
    finish(policy, *desk.turn())
    desk.add(*policy.dismiss(is_a))  # which wakes it again
    desk.states["a.test"] = HostState(host_key="a.test", ready_at=clock.wall() + 20, failures=2)
    assert not desk.turn()
    assert policy._window.hosts["a.test"].failures == 2
    clock.advance(19.9)
    assert not desk.turn()
    clock.advance(0.2)
    assert len(desk.turn()) == 1


def test_state_that_was_being_looked_up_when_its_host_was_dismissed_is_looked_up_anew():
    policy = policy_for(FakeClock(), obey=False)
    policy.wake("a.test")
    assert policy.turn(1).unknown == ["a.test"]
    policy.dismiss(is_a)
    policy.adopt([HostState(host_key="a.test", retired="breaker")])
    assert not policy._window.hosts
    assert policy.turn(1).unknown == ["a.test"]
    policy.adopt([HostState(host_key="a.test")])
    assert policy._window.hosts["a.test"].given_up is None


def test_host_that_is_not_ours_is_not_let_in():
    policy = policy_for(FakeClock(), obey=False)
    policy.tenure.cleared = lambda key: False
    policy.wake("a.test")
    assert policy.turn(1).unknown
    policy.adopt([HostState(host_key="a.test")])
    assert not policy._window.hosts


@pytest.mark.parametrize("lost", [True, False])
def test_state_of_a_host_is_stored_unless_it_is_lost(lost):
    policy = policy_for(FakeClock(), delay=0, concurrency=3, obey=False)
    desk = Desk(policy, *pages(3))
    first, second, third = desk.turn()
    for request in (first, second, third):
        policy.started(request)
    policy.after(first, FetchError("connect"))
    policy.dismiss(is_a, lost=lost)
    policy.after(second, ok(second, 503, (b"retry-after", b"60")))
    assert {state.host_key for state in desk.commit()} == (set() if lost else {"a.test"})
    policy.after(third, FetchError("connect"))
    states = desk.commit()
    assert [state.failures for state in states] == ([] if lost else [3])


def test_host_whose_lease_may_have_lapsed_is_left_alone_for_a_moment_and_keeps_its_requests():
    clock, held = FakeClock(), [True]
    policy = policy_for(clock, delay=0, concurrency=2, obey=False)
    policy.tenure.cleared = lambda key: held[0]
    desk = Desk(policy, *pages(3))
    first, second = desk.turn()
    assert policy.may_start(first)
    held[0] = False
    assert not policy.may_send(first)
    assert not policy.may_start(second)
    assert not desk.turn()
    held[0] = True
    assert not desk.turn()
    clock.advance(UNSURE_S)
    assert sorted(named(desk.turn())) == ["0", "1"]
    assert not desk.back


def test_pause_is_kept_from_the_time_at_which_a_dead_worker_may_have_asked_last():
    clock = FakeClock()
    policy = policy_for(clock, delay=5.0, obey=False)
    policy.tenure.asked_at = {"a.test": clock.now, "b.test": -inf}.__getitem__
    desk = Desk(policy, *pages(1), *pages(1, "b.test"))
    assert [request.host_key for request in desk.turn()] == ["b.test"]
    clock.advance(4.9)
    assert not desk.turn()
    clock.advance(0.2)
    assert [request.host_key for request in desk.turn()] == ["a.test"]


def moved(policy, desk):
    """a.test's robots.txt is at b.test."""
    (robots,) = desk.turn()
    policy.started(robots)
    policy.after(robots, ok(robots, 301, (b"location", b"https://b.test/robots.txt")))
    return robots


def test_robots_txt_at_a_host_that_is_not_ours_is_asked_by_others_or_counts_as_unreachable():
    for takes in (True, False):
        policy, sent = policy_for(FakeClock(), delay=0), []
        policy.tenure.cleared = is_a
        policy.tenure.abroad = lambda origin, request, sent=sent, takes=takes: sent.append(request) or takes
        desk = Desk(policy, *pages(1))
        moved(policy, desk)
        assert [request.url for request in sent] == ["https://b.test/robots.txt"]
        turn = policy.turn(10)
        assert not turn.start
        ends = [finish.reason for _, finish in turn.refused]
        assert ends == ([] if takes else ["robots_unreachable"])


def test_robots_txt_of_another_host_is_sought_elsewhere_when_its_place_is_dismissed():
    policy, sent = policy_for(FakeClock(), delay=0), []
    policy.tenure.abroad = lambda origin, request: sent.append(request) or True
    desk = Desk(policy, *pages(1))
    moved(policy, desk)
    (robots,) = desk.turn()
    assert robots.host_key == "b.test"
    policy.dismiss(lambda key: key == "b.test")
    assert not policy.may_start(robots)
    assert sent == [robots]


def test_robots_txt_that_others_asked_for_lets_the_host_go_on():
    for closed, follow in ((None, True), ("robots_unreachable", False)):
        clock, sent = FakeClock(), []
        here, there = policy_for(clock, delay=0), policy_for(clock, delay=0)
        here.tenure.cleared, there.tenure.cleared = is_a, lambda key: not is_a(key)
        here.tenure.abroad = lambda origin, request, sent=sent: sent.append((origin, request)) or True
        brought = []
        there.tenure.brought = brought.append
        desk, others = Desk(here, *pages(1)), Desk(there)
        moved(here, desk)
        assert there.steering.run_errand(*sent[0])
        (robots,) = others.turn()
        there.started(robots)
        there.after(robots, ok(robots) if follow else ok(robots, 500))
        if follow:
            assert there.robots_parsed(robots, Robots(sitemaps=("https://a.test/s.xml",))) == []
        else:
            there.steering._judge.settle(robots, Robots(), closed)  # as it does after some tries
        (file,) = brought
        assert (file.origin, file.closed) == ("https://a.test", closed)
        here.steering.answered(sent[0][1], file)
        here.steering.answered(sent[0][1], file)  # again
        assert named(desk.turn()) == ["0"] * follow


def test_errand_to_a_host_that_is_not_ours_is_not_run():
    policy = policy_for(FakeClock(), delay=0)
    policy.tenure.cleared = lambda key: False
    assert not policy.steering.run_errand("https://a.test", request_for("https://b.test/robots.txt"))


def test_robots_txt_that_a_dismissed_host_asked_for_is_nobodys():
    policy = policy_for(FakeClock(), delay=0)
    desk = Desk(policy, *pages(1))
    (robots,) = desk.turn()
    policy.started(robots)
    assert named(policy.dismiss(is_a)) == ["0"]
    policy.after(robots, ok(robots))
    assert policy.has_left(is_a)
    assert policy.robots_parsed(robots, Robots(sitemaps=("https://a.test/s.xml",))) == []
    assert policy.changes()[1] == []


def faster(delay, concurrency=None):
    return {"a.test": Pace(delay_s=Duration(delay), concurrency=concurrency)}


def test_shorter_delay_holds_from_the_latest_start_on_and_a_longer_one_too():
    clock = FakeClock()
    policy = policy_for(clock, delay=10.0, obey=False)
    desk = Desk(policy, *pages(9))
    finish(policy, *desk.turn())
    clock.advance(2)
    policy.relimit(faster(3.0))
    assert not desk.turn()
    clock.advance(1 + GUARD_S)
    finish(policy, *desk.turn())
    policy.relimit(faster(20.0))
    clock.advance(19.9)
    assert not desk.turn()
    clock.advance(0.2)
    finish(policy, *desk.turn())
    policy.relimit({})
    clock.advance(10.1)
    assert len(desk.turn()) == 1, "as configured"


def test_rest_that_a_host_asked_for_is_no_shorter_with_a_shorter_delay():
    clock = FakeClock()
    policy = policy_for(clock, delay=10.0, obey=False)
    desk = Desk(policy, *pages(9))
    (request,) = desk.turn()
    policy.started(request)
    policy.after(request, ok(request, 503, (b"retry-after", b"20")))
    policy.relimit(faster(0))
    clock.advance(19.9)
    assert not desk.turn()
    clock.advance(0.2)
    assert desk.turn()


def test_delay_that_robots_txt_asks_for_holds_though_a_longer_one_held_before():
    clock = FakeClock()
    policy = policy_for(clock, delay=10.0)
    desk = Desk(policy, *pages(9))
    (robots,) = desk.turn()
    policy.started(robots)
    policy.after(robots, ok(robots))
    policy.robots_parsed(robots, Robots(crawl_delay_s=4.0))
    policy.relimit(faster(1.0))
    clock.advance(3.9)
    assert not desk.turn()
    clock.advance(0.2)
    assert len(desk.turn()) == 1


def test_concurrency_changes_for_hosts_that_are_here_and_that_come():
    policy = policy_for(FakeClock(), delay=0, concurrency=1, obey=False, per_address=2, locates=True)
    desk = Desk(policy, *pages(9))
    assert len(desk.turn()) == 1
    policy.relimit(faster(0, 4))
    assert len(desk.turn()) == 3, "more than what an address bears, as that is its own"
    policy.relimit(faster(0, 1))
    assert not desk.turn()
    policy.relimit({"*.test": Pace(concurrency=2)})
    desk.add(*pages(9, "b.test"))
    assert policy._window.hosts["a.test"].slots == 2
    desk.turn()
    assert policy._window.hosts["b.test"].slots == 2


def test_host_given_up_stays_so_whatever_its_limits():
    policy = policy_for(FakeClock(), delay=1, obey=False)
    desk = Desk(policy, *pages(2), states=[HostState(host_key="a.test", retired="breaker")])
    desk.turn()
    policy.relimit(faster(0))
    turn = policy.turn(10)
    assert not turn.start
    assert [finish.outcome for _, finish in turn.refused] in ([], [Outcome.EXCLUDED] * 2)


def test_part_of_what_an_address_bears_is_kept_and_may_change():
    policy = policy_for(FakeClock(), delay=0, concurrency=3, obey=False, per_address=6, locates=True)
    desk = Desk(policy, *(page for host in "abc" for page in pages(9, f"{host}.test")))
    policy.allow_at_address(2)
    started = desk.turn()
    assert len(started) == policy.steering.most_at_address == 2
    policy.allow_at_address(0)
    for request in started:
        policy.started(request)
        policy.after(request, ok(request, 404, address="192.0.2.1"))
    assert not desk.turn()
    policy.allow_at_address(5)
    assert len(desk.turn()) == 5
    assert all(request.kind is Kind.PAGE for request in started)


def test_what_is_refused_is_told_though_nothing_may_be_started():
    policy = policy_for(FakeClock(), delay=0, obey=False, pages=9)
    policy.budget.portion(["budget.pages"])
    policy.budget.grant("budget.pages", 2, 0)
    desk = Desk(policy, *pages(3), states=[HostState(host_key="a.test", retired="breaker")])
    while not (turn := policy.turn(9)).wants:
        desk.answer(turn)
    desk.answer(turn)
    policy.budget.grant("budget.pages", -2, 0)  # which another worker has now
    assert named(request for request, _ in policy.turn(9).refused) == ["0", "1", "2"]
    assert not policy.refusals().refused
