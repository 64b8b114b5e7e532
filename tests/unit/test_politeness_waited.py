"""How often each host was asked and how long it had to wait: counted to the millisecond, and kept."""

from __future__ import annotations

from collections import Counter

import pytest

from crawler.config import BreakerConfig
from crawler.errors import FetchError
from crawler.models import HostState, Response
from crawler.politeness.schedule import GUARD_S
from crawler.politeness.unsaved import MOST_LATER
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.policies import policy_for
from tests.unit.test_politeness_policy import desk_for, ok, pages, supplied

ANSWERED_AFTER_S = 0.3


def made(policy, clock, answer=ok):
    """Make all requests that may be made now; each is answered after a while."""
    (request,) = policy.turn(10).start
    policy.started(request)
    clock.advance(ANSWERED_AFTER_S)
    given = answer(request)
    return policy.after(request, given)


def waited(policy, key="a.test"):
    """As seen, and as stored."""
    host = policy._window.hosts[key]
    (view,) = (view for view in policy.views.hosts(10).busiest if view.host_key == key)
    return view.waited_s, host.waited_s


def policy_with(clock, *requests, **options):
    """Of which these may be requested, and perhaps more."""
    policy = policy_for(clock, obey=False, **options)
    policy.adopt([HostState(host_key=key) for key in {request.host_key for request in requests}])
    policy.supply(policy.turn(10).wants, requests)
    return policy


def test_a_host_waits_from_the_answer_until_its_pause_is_over():
    clock = FakeClock()
    policy = policy_with(clock, *pages(2))
    made(policy, clock)
    pause = 1.0 + GUARD_S - ANSWERED_AFTER_S
    clock.advance(pause / 2)
    assert waited(policy)[0] == pytest.approx(pause / 2)
    clock.advance(5.0)
    assert waited(policy)[0] == pytest.approx(pause), "after that, it might have been asked"
    made(policy, clock)
    assert waited(policy)[1] == pytest.approx(pause)


def test_a_host_with_nothing_to_request_does_not_wait():
    clock = FakeClock()
    policy = policy_with(clock, *pages(2))
    for _ in range(2):
        made(policy, clock)
        clock.advance(10.0)
    pause = 1.0 + GUARD_S - ANSWERED_AFTER_S
    turn = policy.turn(10)
    assert turn.wants, "it might have had more"
    policy.supply(turn.wants, [])
    clock.advance(10.0)
    assert waited(policy) == pytest.approx((pause, pause))


def test_a_host_without_a_pause_does_not_wait_for_its_slots():
    clock = FakeClock()
    policy = policy_with(clock, *pages(4), delay=0.0)
    for _ in range(4):
        made(policy, clock)
        clock.advance(1.0)
    assert waited(policy) == (0.0, 0.0)


@pytest.mark.parametrize("left", [1, 2])
@pytest.mark.parametrize("rest_s", [20, 90])
def test_a_rest_is_waited_for_whether_its_urls_stay_at_hand_or_not(left, rest_s):
    clock = FakeClock()

    def busy(request):
        return Response(url=request.url, status=503, headers=((b"retry-after", b"%d" % rest_s),))

    policy = policy_with(clock, *pages(left), delay=0.0)
    made(policy, clock, busy)
    clock.advance(5.0)
    assert waited(policy)[0] == pytest.approx(5.0)
    clock.advance(500.0)
    assert waited(policy) == pytest.approx((rest_s, rest_s))


def test_an_open_breaker_is_waited_for():
    clock = FakeClock()
    breaker = BreakerConfig(failures=1, rest_s=Duration(300.0))
    policy = policy_with(clock, *pages(2), delay=0.0, breaker=breaker)
    made(policy, clock, lambda _: FetchError("connect"))
    clock.advance(100.0)
    assert waited(policy)[0] == pytest.approx(100.0)
    (state,) = policy.changes()[0]
    assert state.waited_s == 300.0, "what begins is stored whole: the host may leave meanwhile"


def test_what_was_stored_is_counted_on_and_a_rest_not_twice():
    clock = FakeClock()
    policy = policy_for(clock, obey=False)
    stored = HostState(host_key="a.test", ready_at=clock.wall() + 200, requests=7, waited_s=300.0)
    policy.adopt([stored])
    clock.advance(250.0)
    policy.supply(policy.turn(10).wants, pages(2))
    made(policy, clock)
    (state,) = policy.changes()[0]
    assert (state.requests, state.waited_s) == (8, 300.0)


def test_requests_are_counted_over_leaving_the_window_again_and_again():
    desk = desk_for(window=2, delay=0.0)
    hosts = [f"h{n}.test" for n in range(6)]
    for host in hosts:
        desk.add(*pages(3, host))
    desk.run()
    for host in hosts:
        desk.add(*[request for request in pages(6, host) if request.url not in desk.seen])
        desk.run()
    asked = Counter(span.request.host_key for span in desk.log)
    assert {host: desk.stored[host].requests for host in hosts} == asked
    assert len(desk.policy._window.hosts) <= 2


def test_of_many_hosts_counts_are_stored_bit_by_bit_and_all_at_the_end():
    clock = FakeClock()
    keys = [f"h{n}.test" for n in range(2 * MOST_LATER + 10)]
    policy = policy_with(clock, *[page for key in keys for page in pages(2, key)])
    for request in policy.turn(10_000).start:
        policy.started(request)
    stored = [len(policy.changes()[0])]
    policy.stored()
    stored.append(len(policy.changes()[0]))
    policy.stored()
    assert stored == [MOST_LATER, MOST_LATER]
    assert {state.requests for state in policy.changes(everything=True)[0]} == {1}


def test_a_request_that_is_not_made_is_not_counted():
    clock = FakeClock()
    policy = policy_for(clock, obey=False)
    (request,) = supplied(policy, *pages(1)).start
    policy.withdraw(request, keep=True)
    assert not policy.changes(everything=True)[0]
