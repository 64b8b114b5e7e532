"""Hosts that share an address, and names that have none."""

import pytest

from crawler.config import BreakerConfig, Pace
from crawler.errors import FetchError
from crawler.models import HostState, Outcome, Response, Robots
from crawler.politeness.places import UNRESOLVED_S
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for


def ok(request, clock=None, address=None):
    return Response(url=request.url, status=200, address=address)


def desk_for(answer=ok, **options):
    clock = FakeClock()
    policy = policy_for(clock, locates=True, obey=False, **options)
    return FrontDesk(policy, clock, answer, lambda url: Robots())


def pages(count, host="a.test"):
    return [request_for(f"https://{host}/{n}", n) for n in range(count)]


def names(count):
    return [f"h{n}.test" for n in range(count)]


def test_names_at_one_address_share_its_slots_and_use_them_all():
    desk = desk_for(delay=0, per_address=3)
    desk.add(*[page for name in names(10) for page in pages(4, name)])
    desk.run()
    assert desk.max_in_flight(*names(10)) == 3
    assert len(desk.ends) == 40


def test_names_at_different_addresses_do_not_wait_for_each_other():
    desk = desk_for(delay=0, per_address=1)
    desk.addresses = lambda key: f"192.0.2.{key[1]}"
    desk.add(*[page for name in names(5) for page in pages(4, name)])
    desk.run()
    assert desk.max_in_flight(*names(5)) == 5


def test_own_larger_concurrency_counts_for_the_address_while_its_host_is_there():
    desk = desk_for(delay=0, per_address=2, hosts={"big.test": Pace(concurrency=5)})
    desk.add(*pages(30, "big.test"), *pages(1, "h0.test"))
    desk.run()
    assert desk.max_in_flight("big.test") == 5
    desk.policy._places.move(desk.policy._window.hosts["big.test"], "192.0.2.9")
    desk.add(*[page for name in names(10)[1:] for page in pages(4, name)])
    desk.run()
    assert desk.max_in_flight(*names(10)) == 2


def test_own_larger_concurrency_counts_even_if_the_host_came_with_an_open_breaker():
    desk = desk_for(delay=0, per_address=2, breaker=BreakerConfig(failures=1), hosts={"big.test": Pace(concurrency=5)})
    desk.stored["big.test"] = HostState(host_key="big.test", failures=1)
    desk.add(*pages(30, "big.test"))
    desk.run()
    assert desk.max_in_flight("big.test") == 5


def test_address_of_an_answer_that_came_from_elsewhere_counts_from_then_on():
    desk = desk_for(lambda request, clock: ok(request, address="192.0.2.7"), delay=0, per_address=1)
    desk.addresses = lambda key: f"192.0.2.{key[1]}"
    desk.add(*[page for name in names(5) for page in pages(1, name)])
    desk.run()
    first = len(desk.log)
    desk.add(*[request_for(f"https://{name}/more/{n}") for name in names(5) for n in range(4)])
    desk.run()
    later = desk.log[first:]
    assert len(later) == 20
    assert max(sum(o.begin <= span.begin < o.end for o in later) for span in later) == 1


def test_host_without_a_known_address_is_bound_by_its_own_limits_alone():
    desk = desk_for(lambda request, clock: ok(request, address="192.0.2.7"), delay=0, concurrency=3, per_address=1)
    desk.policy.located, located = lambda key, addresses: located(key, ()), desk.policy.located  # as behind a proxy
    desk.add(*pages(9), *pages(9, "b.test"))
    desk.run()
    assert desk.max_in_flight("a.test", "b.test") == 6


def test_name_that_does_not_resolve_fails_its_host_once():
    desk = desk_for()
    desk.addresses = lambda key: None
    desk.add(*pages(20))
    desk.run()
    assert desk.looked_up == ["a.test"] * 2, "in case it was a hiccup"
    assert desk.log == []
    assert len(desk.ends) == 20
    assert set(desk.ends.values()) == {"dns"}


def test_name_is_looked_up_again_for_urls_that_come_much_later_and_is_then_paced_as_ever():
    desk = desk_for(delay=1.0, concurrency=3)
    desk.addresses = lambda key: None
    desk.add(*pages(3))
    desk.run()
    desk.add(*[request_for(f"https://a.test/soon/{n}") for n in range(3)])
    desk.run()
    assert len(desk.looked_up) == 2
    desk.clock.advance(UNRESOLVED_S)
    desk.addresses = lambda key: "192.0.2.1"
    desk.add(*[request_for(f"https://a.test/later/{n}") for n in range(6)])
    desk.run()
    assert len(desk.looked_up) == 3
    assert [*desk.ends.values()] == ["dns"] * 6 + [Outcome.FETCHED] * 6
    assert desk.smallest_gap_s("a.test") >= 1.0


@pytest.mark.parametrize("attempts", [1, 2])
def test_name_that_resolves_at_the_second_try_is_a_name_like_any(attempts):
    answers = [None] * (attempts - 1) + ["192.0.2.1"]
    desk = desk_for()
    desk.addresses = lambda key: answers.pop(0)
    desk.add(*pages(3))
    desk.run()
    assert set(desk.ends.values()) == {Outcome.FETCHED}


def test_robots_txt_redirected_to_a_name_that_does_not_resolve_closes_the_origin():
    def answer(request, clock):
        location = b"https://gone.test/robots.txt"
        return Response(url=request.url, status=301, headers=((b"location", location),))

    clock = FakeClock()
    desk = FrontDesk(policy_for(clock, locates=True), clock, answer, None)
    desk.addresses = {"a.test": "192.0.2.1"}.get
    desk.add(*pages(3))
    desk.run()
    assert set(desk.ends.values()) == {"robots_unreachable"}
    assert [span.request.host_key for span in desk.log] == ["a.test"]


def test_failed_look_up_says_why_the_host_waits():
    clock = FakeClock()
    policy = policy_for(clock, locates=True)
    policy.adopt([HostState(host_key="a.test")])
    assert policy.turn(10).locate == ["a.test"]
    policy.not_located("a.test", FetchError("dns", "a.test"))
    [slow] = policy.views.slowest(3)
    assert (slow.host_key, slow.why, slow.wait_s) == ("a.test", "its name does not resolve", 5.0)


def test_request_under_way_counts_for_its_host_when_that_moves():
    clock = FakeClock()
    policy = policy_for(clock, locates=True, obey=False, delay=0, concurrency=2, per_address=2)
    policy.adopt([HostState(host_key=key) for key in ("a.test", "b.test")])
    policy.turn(10)
    policy.located("a.test", ["192.0.2.1"])
    policy.located("b.test", ["192.0.2.2"])
    turn = policy.turn(10)
    policy.supply(turn.wants, [*pages(3), *pages(3, "b.test")])
    start = policy.turn(10).start
    of_a = [request for request in start if request.host_key == "a.test"]
    assert len(start) == 4
    policy.after(of_a[0], ok(of_a[0], address="192.0.2.2"))  # now three are in flight where two may be
    assert policy.turn(10).start == []
    for request in start:
        if request is not of_a[0]:
            policy.after(request, ok(request, address="192.0.2.2"))
    assert len(policy.turn(10).start) == 2


def test_hosts_at_one_full_address_each_get_their_turn():
    desk = desk_for(delay=0.5, per_address=1)
    desk.add(*[page for name in names(8) for page in pages(5, name)])
    desk.run()
    order = [span.request.host_key for span in sorted(desk.log, key=lambda span: span.begin)]
    assert set(order[:10]) == set(names(8))
