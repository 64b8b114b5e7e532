"""One table decides what an answer means."""

import pytest
from msgspec.structs import replace

from crawler.errors import FetchError
from crawler.models import MAX_REDIRECTS, Kind, Outcome, Page, ParseFailure, Response
from crawler.politeness import retry
from crawler.politeness.retry import Deliver, Finish, Redirect, Snooze
from tests.support.frontdesk import PAGE
from tests.support.policies import request_for

REQUEST = request_for("https://a.test/x")
WALL = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def response(status, location=None, **headers):
    pairs = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    pairs += [(b"Location", location)] if location is not None else []
    return Response(url=REQUEST.url, status=status, headers=tuple(pairs))


def after(answer, request=REQUEST):
    return retry.after(request, answer, now=100.0, wall=WALL)


@pytest.mark.parametrize("status", [200, 204, 206, 299])
def test_2xx_is_delivered(status):
    assert after(response(status)) == Deliver(response(status))


@pytest.mark.parametrize("status", [300, 304, 305, 306, 400, 404, 410, 501, 505])
def test_final_statuses_fail_at_once(status):
    assert after(response(status)) == Finish(Outcome.FAILED, f"http_{status}", status)


@pytest.mark.parametrize("reason", ["tls", "protocol", "too_large", "bad_encoding"])
def test_final_errors_fail_at_once(reason):
    assert after(FetchError(reason)) == Finish(Outcome.FAILED, reason)


@pytest.mark.parametrize(
    "answer",
    [*map(FetchError, ("timeout", "connect", "reset", "incomplete", "dns", "too_slow", "proxy"))]
    + [response(status) for status in (408, 429, 500, 502, 503, 504, 520, 524)],
    ids=str,
)
def test_trouble_is_retried_with_growing_waits_and_then_fails(answer):
    request, waits = REQUEST, []
    while isinstance(decision := after(answer, request), Snooze):
        assert decision.request == replace(request, attempt=request.attempt + 1)
        assert decision == after(answer, request), "a wait is the same every time"
        request = decision.request
        waits.append(decision.until - 100.0)
    assert waits
    assert waits == sorted(waits)
    assert decision.reason == retry.failure(answer)
    assert request.attempt == retry.rule_for(decision.reason).attempts


def test_proxy_that_fails_is_no_fault_of_the_host():
    assert not retry.rule_for("proxy").blames_host


def test_waits_are_spread_within_their_bounds():
    rule = retry.rule_for("timeout")
    waits = {retry.retry_wait_s(request_for(f"https://a.test/{n}"), rule) for n in range(200)}
    assert len(waits) == 200
    assert min(waits) >= rule.wait_s * (1 - retry.JITTER)
    assert max(waits) <= rule.wait_s * (1 + retry.JITTER)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b"0", 0.0),
        (b" 7 ", 7.0),
        (b"99999999", 3600.0),
        (b"9" * 400, 3600.0),
        (b"Tue, 14 Nov 2023 22:15:20 GMT", 120.0),
        (b"Tue, 14 Nov 2023 22:15:20 -0000", 120.0),
        (b"Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        (b"Tue, 14 Nov 2033 22:00:00 GMT", 3600.0),
        (b"soon", None),
        (b"-5", None),
        (b"\xb2", None),
        (b"", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date_and_capped(value, seconds):
    assert retry.retry_after_s(response(503, retry_after=value), WALL) == seconds


def test_retry_after_counts_on_429_and_503_only():
    assert retry.retry_after_s(response(429, retry_after=b"5"), WALL) == 5.0
    assert retry.retry_after_s(response(200, retry_after=b"5"), WALL) is None
    assert retry.retry_after_s(FetchError("timeout"), WALL) is None


def test_retry_waits_at_least_as_long_as_asked():
    assert after(response(503, retry_after=b"900")).until == 1000.0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_makes_a_new_request_that_remembers_its_way(status):
    asked = replace(REQUEST, depth=2, via="https://a.test/", priority=3, context=b"c", attempt=2, seed="a.test")
    assert after(response(status, b"/y#part"), asked) == Redirect(
        replace(asked, url="https://a.test/y", attempt=1, redirected_from=(REQUEST.url,), id=0), status
    )


@pytest.mark.parametrize(
    ("depth", "via", "scope_host"), [(0, None, "www.b.test"), (1, "https://a.test/", "a.test"), (0, "x", "a.test")]
)
def test_scope_follows_the_redirects_of_a_seed_only(depth, via, scope_host):
    decision = after(response(301, b"https://www.b.test:81/"), replace(REQUEST, depth=depth, via=via))
    assert decision.request.scope_host == scope_host
    assert decision.request.host_key == "www.b.test:81"


@pytest.mark.parametrize(
    ("location", "url"),
    [("/é".encode(), "https://a.test/%C3%A9"), (b"/\xe9", "https://a.test/%C3%A9"), (b"//b.test", "https://b.test/")],
)
def test_locations_are_resolved_as_browsers_do(location, url):
    assert after(response(302, location)).request.url == url


@pytest.mark.parametrize(("via", "scope_host"), [(None, "www.b.test"), ("https://a.test/robots.txt", "a.test")])
def test_scope_follows_the_redirects_of_a_sitemap_that_is_a_seed(via, scope_host):
    asked = replace(REQUEST, depth=0, via=via, kind=Kind.SITEMAP)
    assert after(response(301, b"https://www.b.test/"), asked).request.scope_host == scope_host


@pytest.mark.parametrize(
    "location",
    [
        None,
        b"",
        b" \t ",
        b"ftp://a.test/",
        b"http://",
        b"mailto:x@a.test",
        b"http://a.test:25/",
        b"https://[::1]:6000/",
    ],
)
def test_redirect_that_leads_nowhere_fails(location):
    assert after(response(302, location)) == Finish(Outcome.FAILED, "bad_redirect", 302)


def test_redirect_to_two_places_fails_but_to_one_place_told_twice_does_not():
    twice = Response(url=REQUEST.url, status=302, headers=((b"Location", b"/y"), (b"location", b"/y ")))
    assert isinstance(after(twice), Redirect)
    split = Response(url=REQUEST.url, status=302, headers=((b"Location", b"/y"), (b"Location", b"/z")))
    assert after(split) == Finish(Outcome.FAILED, "bad_redirect", 302)


def test_redirect_within_a_port_that_a_seed_has_chosen_is_followed():
    asked = request_for("http://a.test:6000/x")
    assert after(response(302, b"/y"), asked).request.url == "http://a.test:6000/y"


def test_redirect_into_its_own_chain_is_a_loop():
    assert after(response(302, b"/x")).reason == "redirect_loop"
    earlier = replace(REQUEST, redirected_from=("https://a.test/0", "https://a.test/1"))
    assert after(response(302, b"/0"), earlier) == Finish(Outcome.FAILED, "redirect_loop", 302, "https://a.test/0")


def test_hop_21_is_a_loop_and_hop_20_is_not():
    chain = tuple(f"https://a.test/{n}" for n in range(MAX_REDIRECTS))
    assert isinstance(after(response(302, b"/new"), replace(REQUEST, redirected_from=chain[1:])), Redirect)
    assert after(response(302, b"/new"), replace(REQUEST, redirected_from=chain)).reason == "redirect_loop"


def test_parsed_response_is_fetched_and_says_whether_it_is_a_page():
    ok = response(200)
    assert retry.after_parse(ok, PAGE) == Finish(Outcome.FETCHED, None, 200, has_page=True)
    assert retry.after_parse(ok, Page(reason="not_html")) == Finish(Outcome.FETCHED, "not_html", 200)


def test_page_that_asks_not_to_be_indexed_is_excluded_after_all_and_keeps_its_status():
    assert retry.after_parse(response(203), Page(reason="noindex")) == Finish(Outcome.EXCLUDED, "noindex", 203)


@pytest.mark.parametrize("reason", ["parser_crashed", "parse_deadline", "parse_memory", "too_large"])
def test_parse_failures_are_final(reason):
    assert retry.after_parse(response(200), ParseFailure(reason=reason)) == Finish(Outcome.FAILED, reason, 200)


def test_what_ended_for_a_passing_reason_is_mendable():
    passing = ("timeout", "dns", "http_429", "http_503", "robots_unreachable", "breaker")
    lasting = ("http_404", "robots", "noindex", "tls", "redirect_loop", "parse_error")
    assert [reason for reason in (*passing, *lasting) if retry.mendable(reason)] == [*passing]
