"""A survey learns what hosts say of themselves, at the price of robots.txt and sitemaps, politely asked for.

Sitemaps are read by a parser of the tests' own here: a URL a line, those of further sitemaps after a ``>``.
"""

from __future__ import annotations

import contextlib

import pytest

from crawler.clock import SystemClock
from crawler.config import CrawlConfig, LimitsConfig, Pace, PerAddressConfig, RobotsConfig
from crawler.errors import ParseError
from crawler.extract import robots as robots_txt
from crawler.fetch.http import HttpFetcher
from crawler.fetch.resolver import Resolver
from crawler.models import Kind, Link, Page, ParseFailure, Refusal, Request
from crawler.politeness import retry
from crawler.survey import ask
from crawler.survey.ask import Survey
from crawler.units import Duration
from crawler.url import host, host_key
from tests.support.server import Server
from tests.support.web import Reply


class Site:
    """Replies by URL; 404 for others."""

    def __init__(self, **replies):
        self.replies = replies

    def respond(self, host, path, visit=1):
        found = self.replies.get(f"{host}{path}", Reply(404))
        return found[min(visit, len(found)) - 1] if isinstance(found, list) else found


class LineParser:
    """Reads robots.txt as ever, and sitemaps as above."""

    def __init__(self, error=None):
        self.error = error

    async def parse(self, jobs):
        if self.error:
            raise self.error
        return [self._page(job.request, job.response.body) for job in jobs]

    def _page(self, request, body):
        if request.kind is Kind.ROBOTS:
            return Page(robots=robots_txt.parse(body, "crawler"))
        if body.startswith(b"<"):
            return ParseFailure(reason="bad_sitemap")
        lines = body.decode().split()
        links = [
            Link(
                url=line.lstrip(">"),
                host_key=host_key(line.lstrip(">")),
                fingerprint=1,
                kind=Kind.SITEMAP if line[0] == ">" else Kind.PAGE,
            )
            for line in lines
            if "elsewhere" not in line
        ]
        refused = len(lines) - len(links)
        refusals = (Refusal(rule="scope.stay_on: host", count=refused),) if refused else ()
        return Page(links=tuple(links), refusals=refusals, reason="sitemap")


def seed(url, kind=Kind.PAGE):
    return Request(url=url, host_key=host_key(url), scope_host=host(url), kind=kind)


@contextlib.asynccontextmanager
async def surveying(server, parser=None, *, delay=0.0, **config):
    pace = Pace(delay_s=Duration(delay))
    limits = LimitsConfig(default=pace, adaptive=False, per_address=PerAddressConfig(concurrency=2))
    config = CrawlConfig(**{"limits": limits, **config})
    resolver = Resolver(server.resolve, lookup=lambda *_: [])
    fetcher = HttpFetcher(config.fetch, SystemClock(), concurrency=config.limits.concurrency, resolver=resolver)
    try:
        yield Survey(config, fetcher, parser or LineParser(), SystemClock())
    finally:
        await fetcher.aclose()


async def asked(replies, *seeds, parser=None, delay=0.0, **config):
    """The facts on each seed's host in order, and the server's log."""
    by_host = {}
    for one in seeds:
        by_host.setdefault(one.host_key, []).append(one)
    with Server(Site(**replies)) as server:
        async with surveying(server, parser, delay=delay, **config) as survey:
            facts = []
            await survey.ask(by_host, facts.append)
    return facts, server.log


def robots(*lines, status=200, delay_s=0.0):
    return Reply(status, (), "\n".join(("User-agent: *", *lines)).encode(), delay_s)


def paths(log):
    return [f"{hit.host}{hit.path}" for hit in log.hits]


async def test_file_decides_which_seeds_may_be_fetched():
    seeds = [seed("http://a.test/"), seed("http://a.test/private/x")]
    [facts], log = await asked({"a.test/robots.txt": robots("Disallow: /private/", "Crawl-delay: 7")}, *seeds)
    assert facts.allowed == (seeds[0],)
    assert facts.seeds == tuple(seeds)
    assert facts.crawl_delay_s == 7.0
    assert facts.addresses == ("127.0.0.1",)
    assert 0 < facts.answer_s < 20
    assert paths(log) == ["a.test/robots.txt"]


@pytest.mark.parametrize(
    ("reply", "missing", "closed"),
    [
        (Reply(404), "http_404", None),
        (Reply(300), "http_300", None),
        (Reply(503), None, "http_503"),
        (Reply(429, (("Retry-After", "60"),)), None, "http_429"),
    ],
)
async def test_host_without_a_file_is_open_or_closed_by_the_answer(reply, missing, closed):
    [facts], log = await asked({"a.test/robots.txt": reply}, seed("http://a.test/"))
    assert [(one.missing, one.closed) for one in facts.robots] == [(missing, closed)]
    assert bool(facts.allowed) is (closed is None)
    assert len(log.hits) == 1, "what takes long to mend is not tried again"


async def test_what_may_be_mended_soon_is_tried_once_more(monkeypatch):
    monkeypatch.setitem(retry._RULES, "http_502", retry.Rule(9, 0.001, blames_host=True))
    [facts], log = await asked({"a.test/robots.txt": [Reply(502), robots()]}, seed("http://a.test/"))
    assert (facts.robots[0].closed, len(log.hits)) == (None, 2)
    [facts], log = await asked({"a.test/robots.txt": Reply(502)}, seed("http://a.test/"))
    assert (facts.robots[0].closed, len(log.hits)) == ("http_502", 2)


async def test_file_that_cannot_be_parsed_closes_its_origin():
    class Failing(LineParser):
        def _page(self, request, body):
            return ParseFailure(reason="bad_encoding")

    [facts], _ = await asked({"a.test/robots.txt": robots()}, seed("http://a.test/"), parser=Failing())
    assert (facts.robots[0].closed, facts.allowed) == ("bad_encoding", ())


async def test_redirected_file_counts_for_the_origin_that_was_asked():
    moved = {
        "a.test/robots.txt": Reply(301, (("Location", "http://b.test/elsewhere.txt"),)),
        "b.test/elsewhere.txt": robots("Disallow: /x"),
    }
    [facts], log = await asked(moved, seed("http://a.test/x"), seed("http://a.test/y"))
    assert [one.url for one in facts.allowed] == ["http://a.test/y"]
    assert paths(log) == ["a.test/robots.txt", "b.test/elsewhere.txt"]


async def test_name_that_does_not_resolve_is_said_so():
    [facts], log = await asked({}, seed("http://nowhere.invalid/"))
    assert facts.unresolved.startswith("dns")
    assert (facts.allowed, facts.robots, log.hits) == ((), (), [])


async def test_nothing_is_asked_where_robots_txt_is_not_obeyed():
    [facts], log = await asked({}, seed("http://a.test/"), robots=RobotsConfig(obey=False))
    assert len(facts.allowed) == 1
    assert facts.robots[0].missing == "robots.obey: false"
    assert log.hits == []


SITEMAPS = {
    "a.test/robots.txt": robots("Disallow: /secret", "Sitemap: http://a.test/index", "Sitemap: /secret"),
    "a.test/index": Reply(200, (), b">http://a.test/1 >http://a.test/2 >http://a.test/moved >http://a.test/gone"),
    "a.test/1": Reply(200, (), b"http://a.test/p1 http://a.test/p2"),
    "a.test/2": Reply(200, (), b"http://a.test/p3 http://elsewhere.test/"),
    "a.test/moved": Reply(302, (("Location", "/3"),)),
    "a.test/3": Reply(200, (), b"<html>"),
}


async def test_urls_of_sitemaps_are_counted_through_their_indexes():
    [facts], log = await asked(SITEMAPS, seed("http://a.test/"))
    found = facts.sitemaps
    assert (found.known, found.read, found.failed, found.left) == (6, 3, 3, 0)
    assert (found.urls, found.refused) == (3, 1)
    assert dict(found.failures) == {
        "http://a.test/secret": "robots",
        "http://a.test/moved": "bad_sitemap",
        "http://a.test/gone": "http_404",
    }
    assert sorted(paths(log)) == sorted(
        f"a.test/{path}" for path in ("robots.txt", "index", "1", "2", "moved", "3", "gone")
    )


async def test_sitemaps_are_counted_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(ask, "MAX_SITEMAPS", 3)
    [facts], log = await asked(SITEMAPS, seed("http://a.test/"))
    assert len(log.hits) <= 1 + 3
    assert facts.sitemaps.left > 0


async def test_sitemap_among_the_seeds_is_read_like_any():
    listed = {"a.test/robots.txt": robots("Disallow: /no"), "a.test/map": Reply(200, (), b"http://a.test/p")}
    seeds = [seed("http://a.test/map", Kind.SITEMAP), seed("http://a.test/no", Kind.SITEMAP)]
    [facts], log = await asked(listed, *seeds)
    assert (facts.allowed, facts.sitemaps.urls, facts.sitemaps.known) == ((seeds[0],), 1, 1)
    assert paths(log) == ["a.test/robots.txt", "a.test/map"]


async def test_sitemap_on_another_host_is_subject_to_the_rules_there():
    replies = {
        "a.test/robots.txt": robots("Sitemap: http://b.test/no", "Sitemap: http://b.test/map"),
        "b.test/robots.txt": robots("Disallow: /no"),
        "b.test/map": Reply(200, (), b"http://a.test/p"),
    }
    facts, log = await asked(replies, seed("http://a.test/"), seed("http://b.test/"))
    assert [one.sitemaps.urls for one in facts] == [1, 0]
    assert sorted(paths(log)) == ["a.test/robots.txt", "b.test/map", "b.test/robots.txt"]


async def test_sitemap_whose_turn_comes_too_late_is_left():
    patient = {"a.test/robots.txt": robots("Crawl-delay: 300", "Sitemap: /map"), "a.test/map": Reply(200)}
    [facts], log = await asked(patient, seed("http://a.test/"), delay=0.001)
    assert (facts.sitemaps.known, facts.sitemaps.left) == (1, 1)
    assert paths(log) == ["a.test/robots.txt"]


async def test_host_that_asks_for_a_rest_gets_it():
    tired = {
        "a.test/robots.txt": robots("Sitemap: /1", "Sitemap: /2"),
        "a.test/1": Reply(503, (("Retry-After", "300"),)),
    }
    [facts], log = await asked(tired, seed("http://a.test/"))
    assert dict(facts.sitemaps.failures) == {"http://a.test/1": "http_503"}
    assert facts.sitemaps.left == 1
    assert paths(log) == ["a.test/robots.txt", "a.test/1"]


async def test_host_is_asked_one_thing_at_a_time_and_its_delay_apart():
    slow = {"a.test/robots.txt": robots("Crawl-delay: 0.1", "Sitemap: /1", "Sitemap: /2", delay_s=0.02)}
    seeds = [seed("http://a.test/"), seed("http://a.test/1", Kind.SITEMAP), seed("http://b.test/", Kind.SITEMAP)]
    facts, log = await asked(slow, *seeds, delay=0.05)
    assert log.smallest_gap_s("a.test") >= 0.1
    assert log.smallest_gap_s("b.test") >= 0.05
    assert log.max_in_flight() == 1
    assert [one.host_key for one in facts] == ["a.test", "b.test"]


async def test_hosts_at_one_address_share_its_slots():
    hosts = [f"h{number}.test" for number in range(6)]
    replies = {f"{name}/robots.txt": robots(delay_s=0.03) for name in hosts}
    _, log = await asked(replies, *[seed(f"http://{name}/") for name in hosts])
    most = max(sum(other.at <= hit.at < other.ended for other in log.hits) for hit in log.hits)
    assert most <= 2


async def test_failing_parser_ends_the_survey_with_its_own_error():
    broken = LineParser(ParseError("no workers"))
    with pytest.raises(ParseError, match="no workers"):
        await asked({"a.test/robots.txt": robots()}, seed("http://a.test/"), parser=broken)
