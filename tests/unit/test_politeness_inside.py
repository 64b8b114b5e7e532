"""Hosts at no public address: whose requests are let through, and for how long that holds."""

from __future__ import annotations

from msgspec.structs import replace

from crawler.config import BreakerConfig, FetchConfig
from crawler.errors import FetchError
from crawler.models import HostState, Kind, Response, Robots
from crawler.politeness import robots as robots_txt
from crawler.politeness.places import UNRESOLVED_S
from crawler.politeness.robots import Settled
from crawler.reach import INSIDE, OUTSIDE, Reach
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for

PRIVATE, PUBLIC = "10.0.0.1", "9.9.9.9"
REFUSED = "private_address"


def seed(url):
    return replace(request_for(url), seed=url)


def found(url, of="http://a.test/"):
    return replace(request_for(url), seed=of, via=of, depth=1)


def ok(request, clock=None):
    return Response(url=request.url, status=200)


class Fetcher:
    """Answers as one that looks at addresses once more: `now` says where a host is when it is connected to."""

    def __init__(self, now=None):
        self.now = {} if now is None else now
        self.reached = []

    def __call__(self, request, clock):
        if self.now.get(request.host_key) == PRIVATE and not request.inside:
            return FetchError(REFUSED, PRIVATE)
        self.reached.append(request)
        return ok(request)


def policy(clock, **options):
    return policy_for(clock, locates=True, delay=0, reach=Reach(FetchConfig()), **options)


def desk_for(places, answer=ok, *, obey=False, **options):
    """A crawl of hosts that are where `places` says, else at a public address."""
    clock = FakeClock()
    desk = FrontDesk(policy(clock, obey=obey, **options), clock, answer, lambda url: Robots())
    desk.addresses = lambda key: places.get(key, PUBLIC)
    return desk


def ends(desk):
    return {url: str(end) for (url, _), end in desk.ends.items()}


def asked(desk):
    return [span.request.url for span in desk.log]


def test_a_host_found_at_a_private_address_is_not_even_asked_for_its_robots_txt():
    desk = desk_for({"b.test": PRIVATE}, obey=True)
    desk.add(seed("http://a.test/"), found("http://b.test/x"), found("http://b.test/y"))
    desk.run()
    assert ends(desk) == {"http://a.test/": "fetched", "http://b.test/x": REFUSED, "http://b.test/y": REFUSED}
    assert asked(desk) == ["http://a.test/robots.txt", "http://a.test/"]


def test_a_seed_at_a_private_address_is_asked_and_so_is_what_it_leads_to_there_at_any_port():
    places = dict.fromkeys(("a.test", "a.test:81", "b.test"), PRIVATE)
    fetcher = Fetcher(places)
    desk = desk_for(places, fetcher, obey=True)
    desk.add(seed("http://a.test/"))
    desk.links = lambda request: [found(f"http://{host}/x") for host in ("a.test", "a.test:81", "b.test")]
    desk.run()
    assert ends(desk) == {
        "http://a.test/": "fetched",
        "http://a.test/x": "fetched",
        "http://a.test:81/x": "fetched",
        "http://b.test/x": REFUSED,
    }
    assert {request.inside for request in fetcher.reached} == {True}
    assert {request.kind for request in fetcher.reached} == {Kind.ROBOTS, Kind.PAGE}


def test_at_the_host_of_a_private_seed_what_others_found_is_refused():
    desk = desk_for({"a.test": PRIVATE})
    desk.add(seed("http://a.test/"), found("http://a.test/y", of="http://b.test/"))
    desk.run()
    assert ends(desk) == {"http://a.test/": "fetched", "http://a.test/y": REFUSED}


def test_a_seed_that_turns_private_is_refused_from_then_on_and_after_a_restart():
    places = {}
    fetcher = Fetcher(places)
    desk = desk_for(places, fetcher)
    desk.add(seed("http://a.test/"))
    desk.run()
    assert desk.stored["a.test"].first_seen == OUTSIDE
    places["a.test"] = PRIVATE
    desk.add(found("http://a.test/1"), found("http://a.test/2"))
    desk.run()
    desk.restart(policy(desk.clock, obey=False, resumed=True))
    desk.add(found("http://a.test/3"))
    desk.run()
    assert ends(desk) == {"http://a.test/": "fetched"} | dict.fromkeys(
        (f"http://a.test/{n}" for n in (1, 2, 3)), REFUSED
    )
    assert [request.url for request in fetcher.reached] == ["http://a.test/"]


def test_a_public_seeds_other_port_is_not_first_seen_when_a_page_names_it():
    """Rebinding with another port: what is first resolved there is not the seed."""
    desk = desk_for({"a.test:6379": PRIVATE})
    desk.add(seed("http://a.test/"), found("http://a.test:6379/"))
    desk.run()
    assert ends(desk) == {"http://a.test/": "fetched", "http://a.test:6379/": REFUSED}


def test_a_private_seed_is_remembered_over_a_restart_even_where_nothing_of_its_host_is_left():
    places = dict.fromkeys(("a.test", "a.test:81"), PRIVATE)
    desk = desk_for(places)
    desk.add(seed("http://a.test/"))
    desk.run()
    assert desk.stored["a.test"] == HostState(
        host_key="a.test", ready_at=desk.stored["a.test"].ready_at, first_seen=INSIDE, requests=1
    )
    desk.restart(policy(desk.clock, obey=False, resumed=True))
    desk.add(found("http://a.test:81/x"))
    desk.run()
    assert ends(desk)["http://a.test:81/x"] == "fetched"
    assert "a.test" not in desk.policy._window.hosts


def test_where_no_seed_has_been_judged_nothing_is_its_own():
    """As after a repair: the store has lost where the seed's host was."""
    desk = desk_for({"a.test": PRIVATE})
    desk.add(found("http://a.test/x"))
    desk.run()
    assert ends(desk) == {"http://a.test/x": REFUSED}
    desk.add(seed("http://a.test/"), found("http://a.test/y"))
    desk.run()
    assert {ends(desk)[url] for url in ("http://a.test/", "http://a.test/y")} == {"fetched"}


def test_a_name_that_did_not_resolve_for_long_is_first_seen_where_it_then_is():
    places = {"a.test": None}
    desk = desk_for(places)
    desk.add(seed("http://a.test/1"))
    desk.run()
    assert ends(desk) == {"http://a.test/1": "dns"}
    desk.clock.advance(UNRESOLVED_S)
    del places["a.test"]
    desk.add(seed("http://a.test/2"))
    desk.run()
    assert desk.stored["a.test"].first_seen == OUTSIDE


def test_a_seed_that_comes_late_counts_for_another_port_from_then_on():
    places = dict.fromkeys(("a.test", "a.test:81"), PRIVATE)
    desk = desk_for(places)
    desk.add(found("http://a.test:81/1"))
    desk.run()
    desk.add(seed("http://a.test/"))
    desk.run()
    desk.policy._window.hosts.pop("a.test")
    desk.add(found("http://a.test:81/2"))
    desk.run()
    assert ends(desk) == {"http://a.test:81/1": REFUSED, "http://a.test/": "fetched", "http://a.test:81/2": "fetched"}


def test_what_turns_private_after_it_was_looked_up_is_refused_without_blame_or_another_try():
    fetcher = Fetcher({"a.test": PRIVATE})
    desk = desk_for({}, fetcher, breaker=BreakerConfig(failures=1))
    desk.add(seed("http://a.test/"), *(found(f"http://a.test/{n}") for n in range(20)))
    desk.run()
    assert set(ends(desk).values()) == {REFUSED}
    assert len(desk.log) <= 5  # those in hand by then
    assert desk.snoozed == []
    assert desk.policy.tally.counts().given_up == 0


def test_a_robots_txt_that_may_not_be_asked_for_ends_its_urls_for_that_reason():
    desk = desk_for({}, Fetcher({"a.test": PRIVATE}), obey=True)
    desk.add(found("http://a.test/x"), found("http://a.test/y"))
    desk.run()
    assert ends(desk) == dict.fromkeys(("http://a.test/x", "http://a.test/y"), REFUSED)
    assert desk.verdicts["http://a.test"].closed == REFUSED
    desk.answer = ok  # by a configuration that allows it
    desk.restart(policy(desk.clock, resumed=True))
    desk.add(found("http://a.test/z"))
    desk.run()
    assert ends(desk)["http://a.test/z"] == "fetched"


def test_a_robots_txt_inside_may_redirect_at_its_own_host_and_nowhere_else():
    asking = replace(robots_txt.request_for(request_for("http://a.test/x")), inside=True)
    for target, inside in (("https://a.test/r", True), ("http://a.test:81/r", True), ("http://b.test/r", False)):
        answer = Response(url=asking.url, status=301, headers=((b"Location", target.encode()),))
        assert robots_txt.after(asking, answer, now=0, wall=0).request.inside is inside
    assert robots_txt.after(asking, FetchError(REFUSED), now=0, wall=0) == Settled(REFUSED)


def test_hosts_are_judged_as_seldom_as_can_be():
    """Only what must be: a seed, once a host, and what is found at a host that is, or was first, private."""
    desk = desk_for({})
    judged = []
    real = desk.policy.inside.judged
    desk.policy.inside.judged = lambda host, request: judged.append(request.url) or real(host, request)
    desk.add(seed("http://a.test/"), *(found(f"http://a.test/x{n}") for n in range(50)))
    desk.run()
    assert judged == ["http://a.test/"]
