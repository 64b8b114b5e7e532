"""What robots.txt says, and what its absence says."""

import pytest
from msgspec.structs import replace

from crawler.config import UrlsConfig
from crawler.errors import FetchError
from crawler.models import SITEMAP_PRIORITY, Kind, Response, Robots, RobotsFile
from crawler.politeness import robots
from crawler.politeness.retry import Deliver, Redirect, Snooze
from crawler.politeness.robots import MAX_SITEMAPS, Settled, Verdicts, sitemap_requests, why_not
from tests.support.clock import FakeClock
from tests.support.policies import request_for

ASKED = robots.request_for(request_for("https://a.test:81/x"))
PRIVATE = Robots(rules=((False, "/private"),))


def after(answer, request=ASKED):
    return robots.after(request, answer, now=0.0, wall=0.0)


def named(*sitemaps, page=None, **rules):
    page = page or request_for("https://a.test:81/x")
    return sitemap_requests(Robots(sitemaps=sitemaps), page, UrlsConfig(**rules))


def answer(status, location=None):
    return Response(url=ASKED.url, status=status, headers=((b"location", location),) if location else ())


def test_robots_txt_is_asked_for_per_origin():
    assert ASKED.url == "https://a.test:81/robots.txt"
    assert ASKED.host_key == "a.test:81"


def test_robots_txt_is_asked_for_in_the_name_of_the_seed():
    page = replace(request_for("http://a.test/x"), seed="https://a.test/")
    assert robots.request_for(page).seed == "https://a.test/"  # which keeps secrets from going over http


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 410, 304])
def test_unavailable_file_allows_all(status):
    assert after(answer(status)) == Settled()


@pytest.mark.parametrize("trouble", [answer(500), answer(503), answer(429), FetchError("timeout"), FetchError("dns")])
def test_unreachable_file_is_tried_again_and_then_closes_the_origin(trouble):
    assert isinstance(after(trouble), Snooze)
    assert after(trouble, replace(ASKED, attempt=9)) == Settled("robots_unreachable")


@pytest.mark.parametrize("reason", ["too_large", "tls", "protocol"])
def test_file_that_cannot_be_read_closes_the_origin(reason):
    assert after(FetchError(reason)) == Settled("robots_unreachable")


def test_2xx_is_for_the_parser():
    assert after(answer(200)) == Deliver(answer(200))


def test_five_redirects_are_followed_to_any_host_and_the_sixth_means_unavailable():
    request = ASKED
    for number in range(5):
        step = after(answer(301, f"https://h{number}.test/r".encode()), request)
        assert isinstance(step, Redirect)
        request = step.request
        assert request.host_key == f"h{number}.test"
        assert robots.asking_origin(request) == "https://a.test:81"
    assert after(answer(301, b"/again"), request) == Settled()
    assert after(answer(301)) == Settled()


def test_verdict_holds_a_day_and_a_closed_one_ten_minutes():
    clock = FakeClock()
    verdicts = Verdicts(clock)
    verdicts.settle("https://a.test", PRIVATE)
    verdicts.settle("https://b.test", Robots(), "robots_unreachable")
    clock.advance(599)
    assert verdicts.get("https://b.test", clock.now).refusal("/") == "robots_unreachable"
    clock.advance(1)
    assert verdicts.get("https://b.test", clock.now) is None
    clock.advance(24 * 3600 - 601)
    verdict = verdicts.get("https://a.test", clock.now)
    assert (verdict.refusal("/private/x"), verdict.refusal("/x")) == ("robots", None)
    clock.advance(1)
    assert verdicts.get("https://a.test", clock.now) is None


def test_least_recently_used_verdicts_are_forgotten_when_memory_is_short():
    verdicts = Verdicts(FakeClock(), max_bytes=3_500)
    for name in "abc":
        verdicts.settle(name, PRIVATE)
    verdicts.get("a", 0.0)
    verdicts.settle("d", PRIVATE)
    assert [name for name in "abcd" if verdicts.get(name, 0.0)] == ["a", "c", "d"]


def test_stored_verdict_is_believed_until_it_expires_and_a_day_at_most():
    clock = FakeClock()
    verdicts = Verdicts(clock)
    verdicts.restore(RobotsFile(origin="a", expires_at=clock.wall() - 1, robots=PRIVATE))
    verdicts.restore(RobotsFile(origin="b", expires_at=clock.wall() + 10**9, robots=PRIVATE))
    assert verdicts.get("a", clock.now) is None
    assert verdicts.get("b", clock.now + 24 * 3600 - 1) is not None
    assert verdicts.get("b", clock.now + 24 * 3600) is None
    assert verdicts.changes() == []


def test_verdict_is_reported_until_a_checkpoint_holds_it():
    verdicts = Verdicts(FakeClock(wall=0.0))
    verdicts.settle("a", PRIVATE)
    file = RobotsFile(origin="a", expires_at=24 * 3600.0, robots=PRIVATE)
    assert verdicts.changes() == [file]
    assert verdicts.changes() == [file]
    verdicts.committed()
    assert verdicts.changes() == []


def test_sitemaps_that_robots_txt_names_are_requests_of_the_same_seed():
    page = replace(request_for("https://a.test:81/x"), seed="a.test", scope_host="www.a.test", depth=3, via="http://v/")
    (request,) = named("https://cdn.test/Map.xml#x", page=page)
    assert (request.url, request.host_key) == ("https://cdn.test/Map.xml", "cdn.test")
    assert (request.kind, request.priority, request.depth) == (Kind.SITEMAP, SITEMAP_PRIORITY, 0)
    assert (request.seed, request.scope_host, request.via) == ("a.test", "www.a.test", "https://a.test:81/robots.txt")


def test_sitemap_lines_are_made_canonical_and_each_url_is_asked_for_once():
    lines = (
        "/sitemap.xml?s=1",
        "sitemap.xml",
        "HTTPS://A.test:81/sitemap.xml",
        "ftp://a.test/x",
        "http://[",
        "//b.test",
    )
    assert [request.url for request in named(*lines, drop_params=("s",))] == [
        "https://a.test:81/sitemap.xml",
        "https://b.test/",
    ]


def test_no_robots_txt_names_any_number_of_sitemaps():
    requests = named("ftp://x/", *(f"/{number}.xml" for number in range(MAX_SITEMAPS + 1)))
    assert [request.url for request in requests] == [
        f"https://a.test:81/{number}.xml" for number in range(MAX_SITEMAPS)
    ]


@pytest.mark.parametrize(
    ("given", "closed", "why"),
    [
        (answer(404), None, None),
        (answer(503), "robots_unreachable", "status 503"),
        (FetchError("tls", "certificate has expired"), "robots_unreachable", "tls: certificate has expired"),
        (FetchError("private_address", "127.0.0.1"), "private_address", None),
    ],
)
def test_what_was_wrong_with_robots_txt_is_told_where_the_reason_does_not(given, closed, why):
    assert why_not(given, closed) == why
