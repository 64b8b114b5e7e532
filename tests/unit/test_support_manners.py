"""The audit finds each promise that is broken, and nothing where all are kept."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from tests.support.hits import Hit, Log
from tests.support.manners import Pace, Promised, violations, well_behaved
from tests.support.plain_robots import read

RULES = b"""
User-agent: *
Disallow: /

User-agent: crawler
User-agent: other
Disallow: /private
Allow: /private/open
Disallow: /*.cgi$
Crawl-delay: 0.5
Request-rate: 2/3s
"""


def hit(at, path="/", status=200, took_s=0.1, host="a.test", **fields):
    """A request at `at` seconds; no status: its client had no answer and went away."""
    over = {"ended": at + took_s, "status": status} if status else {"gone": at + took_s}
    return Hit(
        **({"user_agent": "", "address": "127.0.0.1", "in_flight": 1} | over | fields), at=at, host=host, path=path
    )


def robots(at=0.0, body=b"", status=200, **fields):
    return hit(at, "/robots.txt", status, body=body, **fields)


def moved(at, to, path="/robots.txt", host="a.test"):
    return hit(at, path, 301, host=host, headers=(("Location", to),))


def wait(at, value, status=503, **fields):
    return hit(at, "/busy", status, headers=(("Retry-After", str(value)),), **fields)


def found(*hits, **promised):
    """What is wrong with a log."""
    paces = {"two.test": Pace(0.0, 2), "fast.test": Pace(0.0, 1)}
    promised = {"pace": lambda host: paces.get(host, Pace(1.0, 1)), **promised}
    return [violation.what for violation in violations(Log(list(hits)), Promised(**promised))]


def told(number, *hits, **promised):
    """Of a log with so many violations, the first."""
    wrong = found(*hits, **promised)
    assert len(wrong) == number, wrong
    return wrong[0]


def failures(*times, host="fast.test", status=0):
    return [hit(at, f"/{at}", status, host=host) for at in times]


def test_a_well_behaved_crawl_has_no_violations():
    date = formatdate(time.time() - time.monotonic() + 8.0, usegmt=True)  # whole seconds: 8 or a little less
    assert not found(
        robots(0.0, RULES),
        hit(1.5),
        hit(3.0, "/private/open"),
        wait(4.5, date),
        robots(0.0, host="two.test"),
        hit(0.2, host="two.test"),
        hit(0.2, host="two.test", in_flight=2),
        hit(8.0),
        per_address=2,
        failures=2,
    )


def test_a_gap_shorter_than_the_delay_is_found_however_little():
    assert "not 1 s" in told(1, robots(0.0), hit(1.0), hit(1.999_999))
    assert not found(robots(0.0), hit(1.0), hit(2.0))


def test_a_gap_shorter_than_robots_txt_asks_for_is_found_from_its_answer_on():
    assert "not 1.5 s" in told(1, robots(0.0, RULES), hit(1.4))
    assert not found(robots(0.0, RULES), hit(1.0), max_crawl_delay_s=1.0)
    assert not found(robots(0.0, RULES, host="fast.test"), hit(1.5, host="fast.test"))
    assert "not 1.5 s" in told(1, robots(0.0, RULES, host="fast.test"), hit(1.4, host="fast.test"))


def test_only_a_page_shows_that_a_crawl_delay_was_read():
    """The robots.txt of another host, redirected here, need not wait for what this host's own says."""
    before = [robots(0.0, RULES, host="fast.test"), hit(0.2, "/for/a.test/robots.txt", host="fast.test")]
    assert not found(*before)
    assert "not 1.5 s" in told(1, *before, hit(0.4, host="fast.test"))
    after = [hit(1.8, host="fast.test"), hit(2.0, "/for/b.test/robots.txt", host="fast.test")]
    assert "not 1.5 s" in told(1, *before, *after)


def test_what_arrives_in_another_order_than_it_is_read_in_is_no_violation():
    assert not found(robots(0.0, host="two.test"), hit(0.21, host="two.test"), hit(0.2, host="two.test", in_flight=2))


def test_too_many_in_flight_to_a_host_are_found():
    assert "number 2 in flight to its host" in told(1, robots(0.0), hit(1.0, in_flight=2))
    assert "number 3 " in told(1, robots(0.0, host="two.test"), hit(1.0, in_flight=3, host="two.test"))


def test_too_many_in_flight_to_an_address_are_found_unless_one_of_its_hosts_may_have_more():
    crowd = (robots(0.0), hit(1.0, in_flight_at_address=2))
    assert "number 2 in flight to 127.0.0.1" in told(1, *crowd, per_address=1)
    assert not found(*crowd)
    assert not found(robots(0.0, host="two.test"), *crowd, per_address=1)
    assert found(robots(0.0, host="two.test", address="127.0.0.2"), *crowd, per_address=1)


@pytest.mark.parametrize("path", ["/private", "/private/x", "/a/b.cgi", "/priv%61te", "/b.cgi?x.cgi"])
def test_a_request_that_robots_txt_disallows_is_found(path):
    assert "is disallowed" in told(1, robots(0.0, RULES), hit(2.0, path))


def test_a_request_before_the_answer_to_robots_txt_is_found():
    assert "before there was an answer" in told(1, hit(0.0))
    assert "before there was an answer" in told(1, robots(0.0, took_s=2.0), hit(1.0))


@pytest.mark.parametrize("status", [429, 500, 503, 0])
def test_a_request_is_found_while_robots_txt_cannot_be_had(status):
    assert "could not be had" in told(1, robots(0.0, status=status), hit(1.0))
    assert not found(robots(0.0, status=status), robots(1.0), hit(2.0))


@pytest.mark.parametrize("status", [404, 403, 410, 304])
def test_a_robots_txt_that_does_not_exist_allows_all(status):
    assert not found(robots(0.0, RULES, status), hit(1.0, "/private"))


def test_a_redirected_robots_txt_says_what_its_target_says_once_that_is_answered():
    chain = (moved(0.0, "http://b.test/robots.txt"), moved(0.2, "/x/robots.txt", host="b.test"))
    last = hit(1.2, "/x/robots.txt", host="b.test", body=RULES)
    assert "is disallowed" in told(1, *chain, last, hit(2.0, "/private"))
    assert not found(*chain, last, hit(2.0))
    assert "before there was an answer" in told(1, *chain, hit(2.0))
    assert "before there was an answer" in told(1, *chain, hit(1.0), last)
    unwell = hit(1.2, "/x/robots.txt", 500, host="b.test")
    assert "could not be had" in told(1, *chain, unwell, hit(2.0))
    assert not found(*chain, unwell, hit(2.4, "/x/robots.txt", host="b.test", body=RULES), hit(3.0))


def test_a_robots_txt_redirected_too_often_allows_all():
    chain = [moved(float(n), f"/{n + 1}/robots.txt", f"/{n}/robots.txt" if n else "/robots.txt") for n in range(6)]
    assert not found(*chain, hit(6.0))
    assert "before there was an answer" in told(1, *chain[:5], hit(6.0))


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_during_a_rest_that_was_asked_for_is_found(status):
    assert "asked for 3.000 s" in told(1, robots(0.0), wait(1.0, 3, status), hit(4.0))
    assert not found(robots(0.0), wait(1.0, 3, status), hit(4.1))
    date = formatdate(time.time() - time.monotonic() + 5.0, usegmt=True)
    assert told(1, robots(0.0), wait(1.0, date, status), hit(3.9))
    assert not found(robots(0.0), wait(1.0, date, status), hit(5.0))


def test_a_robots_txt_may_ask_for_a_rest_too():
    assert told(1, robots(0.0, status=503, headers=(("Retry-After", "3"),)), robots(3.0))


def test_only_what_was_on_its_way_may_come_at_the_beginning_of_a_rest():
    before = (robots(0.0, host="two.test"), wait(1.0, 3, host="two.test"))
    assert not found(*before, hit(1.2, host="two.test"))
    assert found(*before, hit(1.7, host="two.test")), "however busy its client is"
    assert found(robots(0.0, host="fast.test"), wait(1.0, 3, host="fast.test"), hit(1.12, host="fast.test"))


def test_nothing_is_on_its_way_once_a_client_has_read_what_it_was_answered_later():
    before = (robots(0.0, host="two.test"), wait(1.0, 3, host="two.test"))
    for later in (robots(1.05, host="fast.test", noticed=1.19), wait(1.0, 3, host="two.test", noticed=1.19)):
        assert found(*before, later, hit(1.2, host="two.test"))
        assert not found(*before, later, hit(1.18, host="two.test"))
    earlier = robots(0.5, host="fast.test", noticed=1.15)
    assert not found(*before, earlier, hit(1.2, host="two.test")), "which says nothing of a later one"


def test_a_rest_asked_for_right_before_a_death_may_be_forgotten():
    before = (robots(0.0), wait(1.0, 8))
    assert not found(*before, hit(3.0), deaths=[1.2])
    assert found(*before, hit(3.0), deaths=[1.5])
    assert not found(*before, hit(3.0), deaths=[1.05])  # the answer came to nobody
    assert found(*before, hit(3.0), deaths=[0.9, 3.5])


def test_a_crawl_delay_learnt_right_before_a_death_may_be_forgotten():
    assert not found(robots(0.0, RULES), hit(1.0), deaths=[0.2])
    assert found(robots(0.0, RULES), hit(1.0), deaths=[0.5])


def test_a_request_during_the_rest_of_a_breaker_is_found():
    bad = [robots(0.0, host="fast.test"), *failures(1.0, 2.0, 3.0)]
    limits = {"failures": 3, "rest_s": 5.0}
    assert "3 requests in a row had failed" in told(1, *bad, hit(8.0, host="fast.test"), **limits)
    assert not found(*bad, hit(8.2, host="fast.test"), hit(8.4, host="fast.test"), **limits)
    assert not found(*bad, hit(8.0, host="fast.test"))
    assert not found(*bad[:3], hit(2.5, host="fast.test"), bad[3], hit(3.5, host="fast.test"), **limits)


def test_a_500_neither_counts_for_a_breaker_nor_ends_a_row():
    bad = [robots(0.0, host="fast.test"), *failures(1.0), *failures(2.0, status=500), *failures(3.0, status=503)]
    assert found(*bad, hit(4.0, host="fast.test"), failures=2, rest_s=5.0)
    assert not found(*bad, hit(4.0, host="fast.test"), failures=3, rest_s=5.0)


def test_a_request_to_a_host_that_failed_after_its_rest_is_found():
    bad = [robots(0.0, host="fast.test"), *failures(1.0, 2.0, 8.0)]
    assert "after the rest of the breaker" in told(1, *bad, hit(1000.0, host="fast.test"), failures=2, rest_s=5.0)
    assert not found(*bad, failures=2, rest_s=5.0)


def test_what_its_own_death_left_unanswered_is_no_failure_of_a_host():
    bad = [robots(0.0, host="fast.test"), *failures(1.0, 2.0, 3.0), hit(4.0, host="fast.test")]
    assert found(*bad, failures=3, rest_s=5.0)
    assert not found(*bad, failures=3, rest_s=5.0, deaths=[1.05])


def test_well_behaved_names_the_violations():
    with pytest.raises(AssertionError, match=r"1 violations.*/early"):
        well_behaved(Log([robots(0.0), hit(0.5, "/early")]), delay_s=1.0, concurrency=1)


def test_the_second_opinion_reads_groups_as_the_rfc_says():
    said = read(RULES, "crawler")
    assert said == read(RULES, "OTHER")
    assert said.delay_s == 1.5
    assert not read(RULES, "somebody").allows("/")
    assert read(b"user-agent: a\ndisallow: /x # y\n\nuser-agent: a\nallow: /xy", "a").rules == (
        (False, "/x"),
        (True, "/xy"),
    )
    assert read(b"", "a").allows("/")
    assert read(b"user-agent: *\ndisallow:", "a").allows("/")


@pytest.mark.parametrize(
    ("pattern", "path", "refused"),
    [
        ("/x", "/xy", True),
        ("/x$", "/xy", False),
        ("/x$", "/x", True),
        ("/*y$", "/xyxy", True),
        ("/a%2Fb", "/a/b", False),
        ("/a%2fb", "/a%2Fb", True),
        ("/\u00e4", "/%C3%A4", True),
        ("/a%62", "/ab", True),
        ("*z", "/xz", True),
    ],
)
def test_the_second_opinion_matches_as_the_rfc_says(pattern, path, refused):
    assert read(f"User-agent: *\nDisallow: {pattern}".encode(), "a").allows(path) is not refused
