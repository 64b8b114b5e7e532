"""What a person reads about a URL."""

from __future__ import annotations

import pytest

from crawler.cli.telling import told
from crawler.dataset.facts import (
    FOUND_ON,
    REDIRECTED_FROM,
    BadSeed,
    Ending,
    HostWait,
    RobotsVerdict,
    Step,
    Why,
)
from crawler.models import NORMAL_PRIORITY

NOW = 1_700_000_000.0
ENDED = "2023-11-14T22:13:08.000Z"
LATER = "2023-11-14T22:14:20.000Z"
URL = "https://a.test/x"


def facts(**fields):
    plain = {"asked": URL, "url": URL, "known": True, "outcome": "fetched", "depth": 0, "kind": "page"}
    return Why(**plain | {"priority": NORMAL_PRIORITY, "seed": "a.test", "attempts": 1, "at": ENDED} | fields)


def text(**fields):
    return told(facts(**fields), NOW)


def test_a_page_is_told_in_aligned_rows():
    assert text(asked="a.test/x", status=200, has_page=True).splitlines() == [
        "URL         https://a.test/x",
        "            asked for as a.test/x",
        "Outcome     fetched, status 200",
        "Record      in pages.jsonl",
        "Attempts    1",
        "Ended       2023-11-14 22:13:08 UTC (12 s ago)",
        "Depth       0",
        "Found       from the seed a.test",
    ]


def test_the_way_back_is_read_from_the_url_to_its_seed():
    way = (Step(how=REDIRECTED_FROM, url="https://a.test/1"), Step(how=FOUND_ON, url="https://a.test/"))
    assert text(found=way).endswith(
        "Found       by the redirect of https://a.test/1\n"
        "            on https://a.test/\n"
        "            from the seed a.test"
    )
    assert text(found=way, found_more=True).endswith(
        "on https://a.test/\n            …\n            from the seed a.test"
    )


EXCLUDED = {"outcome": "excluded", "reason": "robots", "attempts": 0}


def verdict(**fields):
    plain = {"origin": "https://a.test", "allowed": False, "rule": "Disallow: /x", "closed": None, "until": LATER}
    return RobotsVerdict(**plain | fields)


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"reason": "not_html"}, ["Reason      not_html: a 2xx answer that is not HTML", "Record      none in pages"]),
        ({"outcome": "failed", "reason": "http_404", "status": 404}, ["Reason      http_404: Not Found"]),
        ({"outcome": "failed", "reason": "http_799", "status": 799}, ["Reason      http_799\n"]),
        (
            {
                "outcome": "redirected",
                "redirects": (
                    Ending(url="https://a.test/1", outcome="redirected"),
                    Ending(url="https://a.test/2", outcome="failed", reason="dns"),
                ),
            },
            ["Leads to    redirected    https://a.test/1\n            failed (dns)  https://a.test/2\n"],
        ),
        (
            {
                "outcome": "redirected",
                "redirects": (Ending(url="https://b.test/", outcome="unknown"),),
                "scope_rule": "scope.include",
            },
            ["unknown  https://b.test/\n            kept out by scope.include, of which no pattern matches"],
        ),
        (
            EXCLUDED | {"robots": verdict()},
            [
                "Attempts    none",
                "robots.txt  Disallow: /x\n            in https://a.test/robots.txt\n            holds until 2023",
                "2023-11-14 22:14:20 UTC (in 1 min 00 s)",
            ],
        ),
        (EXCLUDED | {"robots": verdict(until=ENDED)}, ["to be asked for anew since 2023-11-14 22:13:08 UTC"]),
        (EXCLUDED | {"robots": verdict(allowed=True, rule=None)}, ["now allows it (no rule is about it)"]),
        (EXCLUDED | {"robots": verdict(allowed=True, rule="Allow: /")}, ["now allows it (Allow: /)"]),
        (EXCLUDED, ["robots.txt  the file that counted then is not stored any more"]),
        (
            EXCLUDED | {"reason": "robots_unreachable", "robots": verdict(rule=None, closed="robots_unreachable")},
            [
                "robots.txt  could not be had\n            which closes all of https://a.test\n",
            ],
        ),
        (
            EXCLUDED | {"robots": verdict(closed="robots_unreachable", missing="tls: it has \x1bexpired")},
            [
                "robots.txt  could not be had: tls: it has \\x1bexpired\n            which closes all of https://a.test\n"
            ],
        ),
        (
            {"outcome": "excluded", "reason": "seed_out_of_scope", "scope_rule": "scope.exclude: */x*"},
            ["Scope       scope.exclude: */x*"],
        ),
        (
            {"outcome": "excluded", "reason": "scope_narrowed"},
            ["Scope       crawl.yaml, as it is now, would let it in"],
        ),
        (
            {"priority": 5, "kind": "sitemap"},
            ["Priority    5 (0 goes first, 32 is normal, 63 last)", "Kind        sitemap"],
        ),
        ({"priority": 0}, ["Priority    0 (0 goes first"]),
        (
            EXCLUDED | {"reason": "private_address", "url": "http://[::ffff:7f00:1]:81/", "asked": URL},
            [
                "Address     ::ffff:7f00:1 is not public: 127.0.0.1 (loopback) by IPv4-mapped\n",
                '            let in by fetch.allow_addresses: ["::ffff:7f00:1"]\n',
                "            and then tried again by crawl --resume --retry-failed\n",
            ],
        ),
        (
            EXCLUDED | {"reason": "private_address"},
            ["Address     a.test was at none that is public", "fetch.allow_addresses: [its address]"],
        ),
    ],
)
def test_each_end_is_explained(fields, lines):
    shown = text(**fields)
    for line in lines:
        assert line in shown


WAITING = {"outcome": "pending", "attempts": 0, "at": None}


def wait(**fields):
    plain = {"host": "a.test", "ready_at": None, "retired": None, "failures": 0, "urls": 1, "ahead": 0, "more": False}
    return HostWait(**plain | {"backoff_s": 0.0, "pages": 0, "pages_per_host": None} | fields)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"wait": wait()}, "Host        no other URL of a.test waits"),
        ({"wait": wait(urls=2)}, "2 URLs of a.test wait, none of them before this one"),
        ({"wait": wait(urls=1_234, ahead=12)}, "1,234 URLs of a.test wait, 12 of them before this one"),
        (
            {"wait": wait(urls=100_000, ahead=12, more=True)},
            "over 100,000 URLs of a.test wait, at least 12 of them before this\n            one",
        ),
        ({"wait": wait(ready_at=LATER)}, "a.test rests until 2023-11-14 22:14:20 UTC (in 1 min 00 s)"),
        ({"wait": wait(retired="robots")}, "a.test is asked no more: robots: robots.txt disallows it"),
        ({"wait": wait(failures=3)}, "the last 3 attempts at a.test failed"),
        ({"wait": wait(failures=1)}, "the last attempt at a.test failed"),
        ({"wait": wait(retired="breaker", failures=11)}, "a.test is asked no more: breaker: its host failed"),
        ({"wait": wait(backoff_s=16.0)}, "for its errors, 16 s pass between two requests to a.test"),
        (
            {"wait": wait(pages=100, pages_per_host=100)},
            "a.test is set aside: 100 of 100 pages (budget.pages_per_host)",
        ),
        (
            {"wait": wait(), "stopped_by": "budget.pages"},
            "Crawl       stopped by budget.pages: what is pending waits for --resume",
        ),
        ({"wait": wait(), "robots": verdict()}, "robots.txt  Disallow: /x"),
        (
            {"outcome": "snoozed", "attempts": 2, "due_at": LATER, "wait": wait(urls=None, ready_at=LATER)},
            "snoozed: attempt 2 failed, the next is due\n            2023-11-14 22:14:20 UTC (in 1 min 00 s)\nHost  ",
        ),
        (
            {"outcome": "snoozed", "attempts": 2, "due_at": ENDED, "wait": wait(urls=None)},
            "the next has been due since",
        ),
        (
            {"outcome": "snoozed", "attempts": 2, "due_at": ENDED, "reason": "http_503"},
            "UTC (12 s ago)\nReason      http_503: Service Unavailable",
        ),
        (
            {"outcome": "snoozed", "attempts": 0, "due_at": LATER},
            "Outcome     snoozed: put off for its host, it is due\n            2023-11-14 22:14:20 UTC",
        ),
    ],
)
def test_what_it_waits_for_is_told(fields, line):
    shown = text(**WAITING | fields)
    assert line in shown
    assert "Ended" not in shown


def test_a_host_with_pages_left_is_not_set_aside():
    assert "set aside" not in text(**WAITING, wait=wait(pages=99, pages_per_host=100))


def test_a_robots_txt_that_allows_it_is_not_worth_a_line():
    assert "robots.txt" not in text(**WAITING, wait=wait(), robots=verdict(allowed=True))


def unknown(**fields):
    return told(
        Why(**{"asked": URL, "url": URL, "known": False, "outcome": "unknown", "urls_pending": 0} | fields), NOW
    )


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "Outcome     unknown: this crawl has never admitted it"),
        ({"scope_rule": "scope.stay_on: host"}, "Scope       scope.stay_on: host keeps it out"),
        ({"scope_rule": "scope.include"}, "scope.include, of which no pattern matches, keeps it out"),
        ({}, "Scope       would let it in: no page fetched so far links to it"),
        ({"max_depth": 3}, "or only such as lie at the limit of scope.max_depth: 3"),
        ({"skip_rel": ("nofollow", "ugc")}, "or only links with rel=nofollow or ugc lead to it (robots.skip_rel)"),
        ({"nofollow": True}, "or only pages that say nofollow link to it (robots.nofollow)"),
        ({"urls_pending": 1_234}, "1,234 URLs are pending, which may lead to it"),
        (
            {"urls_pending": 9, "stopped_by": "budget.pages"},
            "the crawl was stopped by budget.pages; 9 URLs are pending",
        ),
        ({"redirected_here": "https://a.test/1"}, "Redirect    https://a.test/1 leads to it"),
        (
            {"nearest": (Ending(url="https://a.test/X", outcome="failed", reason="dns"),)},
            "Nearest     failed (dns)  https://a.test/X",
        ),
        ({"nearest_hosts": ("b.test", "c.test")}, "Known hosts b.test\n            c.test"),
        ({"robots": verdict()}, "robots.txt  Disallow: /x"),
        ({"account_kept": False}, "a crawl with frontier: memory\n            keeps no account"),
        (
            {
                "url": None,
                "asked": "two words",
                "bad_seeds": (BadSeed(given="two words", place="s.txt:3", error="no URL"),),
            },
            "URL         two words\nOutcome     none: no URL could be made of it\nBad seed    s.txt:3: no URL",
        ),
    ],
)
def test_what_was_never_admitted_is_explained(fields, line):
    assert line in unknown(**fields)


def test_what_comes_from_pages_cannot_reach_the_terminal():
    hostile = "https://a.test/\x1b[2J\u202e\n"
    shown = text(asked=hostile, seed=hostile, found=(Step(how=FOUND_ON, url=hostile),))
    assert all(line.isprintable() for line in shown.splitlines())
    assert shown.count("\\x1b[2J\\u202e") == 3


def test_prose_is_wrapped_and_urls_are_not_cut():
    long = f"https://a.test/{'x' * 200}"
    shown = text(outcome="excluded", reason="seed_out_of_scope", url=long, asked=long)
    assert f"URL         {long}\n" in shown
    assert max(len(line) for line in shown.splitlines() if "://" not in line) <= 80
