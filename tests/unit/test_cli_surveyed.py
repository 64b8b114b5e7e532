"""What a dry run prints of each host, and of all."""

from __future__ import annotations

from crawler.cli.surveyed import host_lines, whole_lines
from crawler.config import BudgetConfig, CrawlConfig, LimitsConfig, Pace, PerAddressConfig, ScopeConfig, SitemapsConfig
from crawler.models import Kind, Request, Robots
from crawler.survey.facts import HostFacts, RobotsFacts, SitemapFacts
from crawler.units import Duration
from crawler.url import host, host_key, origin

DEFAULTS = CrawlConfig()
NO_SITEMAPS = SitemapFacts()


def seed(url, kind=Kind.PAGE):
    return Request(url=url, host_key=host_key(url), scope_host=host(url), kind=kind)


def facts(*seeds, refused=(), sitemaps=NO_SITEMAPS, addresses=("192.0.2.1",), **robots):
    seeds = tuple(seed(url) if isinstance(url, str) else url for url in seeds)
    files = tuple(RobotsFacts(origin=asked, **robots) for asked in dict.fromkeys(origin(one.url) for one in seeds))
    return HostFacts(
        host_key=seeds[0].host_key,
        seeds=seeds,
        allowed=tuple(one for one in seeds if one.url not in refused),
        addresses=addresses,
        robots=files,
        sitemaps=sitemaps,
    )


def told(host, config=DEFAULTS):
    return list(host_lines(config, host))


def row(label, host, config=DEFAULTS):
    """The text of a row and of those that go on with it."""
    lines = told(host, config)
    start = next(number for number, line in enumerate(lines) if line.strip().startswith(label))
    end = next((n for n in range(start + 1, len(lines)) if lines[n][2:14].strip()), len(lines))
    return [line[14:] for line in lines[start:end]]


def test_a_host_is_told_in_rows():
    assert told(facts("http://a.test/", robots=Robots(rules=((False, "/private/"),)))) == [
        "a.test",
        "  robots.txt  allows the seed",
        "  delay       1s, from limits.default.delay",
        "  concurrency 1, from limits.default.concurrency",
        "  address     192.0.2.1",
        "  sitemaps    none named",
        "  time        unknown: neither a sitemap nor a budget says how many pages it has",
    ]


def test_the_rule_that_disallows_a_seed_is_named():
    disallowing = Robots(rules=((True, "/"), (False, "/p*/")))
    refused = ["http://a.test/private/x"]
    assert row("robots.txt", facts("http://a.test/", *refused, refused=refused, robots=disallowing)) == [
        "disallows 1 of 2 seeds",
        "http://a.test/private/x",
        "by Disallow: /p*/",
    ]
    assert row("robots.txt", facts(*refused, refused=refused, robots=disallowing))[0] == "disallows the seed"


def test_a_file_that_is_not_there_or_out_of_reach_is_told_with_what_follows():
    assert row("robots.txt", facts("http://a.test/", missing="http_404")) == [
        "none (http_404, Not Found): all is allowed"
    ]
    down = facts("http://a.test/", refused=["http://a.test/"], closed="timeout: no answer within 30s")
    assert row("robots.txt", down) == ["out of reach (timeout: no answer within 30s), which closes all"]
    assert row("time", down) == ["none: nothing of it may be fetched"]


def test_each_origin_of_a_host_has_its_own_verdict():
    both = facts("http://a.test/", "https://a.test/", "https://a.test/2")
    lines = [line.strip() for line in told(both)]
    assert lines[1:5] == [
        "robots.txt  allows the seed",
        "in http://a.test/robots.txt",
        "robots.txt  allows all of 2 seeds",
        "in https://a.test/robots.txt",
    ]


def test_delay_says_what_made_it_longer():
    slow = facts("http://a.test/", robots=Robots(crawl_delay_s=7.5))
    assert row("delay", slow) == ["7.5s, from Crawl-delay of robots.txt", "over 1s from limits.default.delay"]
    jittery = CrawlConfig(limits=LimitsConfig(default=Pace(delay_s=Duration(2), jitter_s=Duration(0.5))))
    assert row("delay", facts("http://a.test/"), jittery) == [
        "2s, from limits.default.delay",
        "and up to 500ms more at random, from limits.default.jitter",
    ]
    answers = facts("http://a.test/", elapsed_s=1.234567)
    assert row("delay", answers)[0] == "2.47s, from limits.adaptive, 2 times its answer time of 1.23s"


def test_sitemaps_are_told_with_what_is_not_known_of_them():
    found = SitemapFacts(
        known=40, read=5, failed=1, failures=(("http://a.test/x.xml", "http_404"),), urls=1_234, refused=3
    )
    host = facts("http://a.test/", sitemaps=found)
    assert row("sitemaps", host) == [
        "1,234 URLs in 5 of 40 sitemaps",
        "34 more were not read",
        "3 URLs more are out of scope",
        "not http://a.test/x.xml (http_404, Not Found)",
        "not taken in, from sitemaps.follow: false",
    ]
    following = CrawlConfig(sitemaps=SitemapsConfig(follow=True))
    assert "not taken in, from sitemaps.follow: false" not in row("sitemaps", host, following)
    seeded = facts(seed("http://a.test/map.xml", Kind.SITEMAP), sitemaps=SitemapFacts(known=1, read=1, urls=1))
    assert row("sitemaps", seeded) == ["1 URL in 1 sitemap"]


def test_time_says_from_what_it_is_estimated():
    sized = facts("http://a.test/", sitemaps=SitemapFacts(known=2, read=1, urls=1_234))
    assert row("time", sized) == ["over 21 min: 1,234 URLs in its sitemaps, 1s apart"]
    budget = CrawlConfig(budget=BudgetConfig(pages_per_host=100))
    assert row("time", sized, budget) == ["~1.7 min: 100 pages (budget.pages_per_host), 1s apart"]
    assert row("time", facts("http://a.test/"), CrawlConfig(scope=ScopeConfig(max_depth=0))) == [
        "~1 s: 1 seed, 1s apart"
    ]
    at_full_speed = CrawlConfig(limits=LimitsConfig(default=Pace(delay_s=Duration(0))))
    assert row("time", sized, at_full_speed)[0].startswith("unknown: without a delay")


def test_a_name_that_does_not_resolve_is_all_there_is_to_tell():
    lost = HostFacts(host_key="a.test", seeds=(seed("http://a.test/"),), unresolved="dns: a.test: no address")
    assert told(lost) == [
        "a.test",
        "  address     none (dns: a.test: no address)",
        "  time        none: nothing of it may be fetched",
    ]


def test_addresses_may_be_several_or_a_proxys_business():
    assert row("address", facts("http://a.test/", addresses=("192.0.2.1", "192.0.2.2", "::1"))) == [
        "192.0.2.1, and 2 others"
    ]
    assert row("address", facts("http://a.test/", addresses=())) == ["not known here: a proxy looks it up"]


def test_nothing_from_a_server_reaches_the_terminal_as_a_control_character():
    evil = SitemapFacts(known=1, failed=1, failures=(("http://a.test/\x1b[2J", "x\x07"),))
    assert all(line.isprintable() for line in told(facts("http://a.test/", sitemaps=evil)))


def test_hosts_at_one_address_and_the_slowest_host_are_named():
    sized = SitemapFacts(known=1, read=1, urls=600)
    hosts = [facts(f"http://h{number}.test/", sitemaps=sized) for number in range(5)]
    hosts[2] = facts("http://h2.test/", sitemaps=SitemapFacts(known=1, read=1, urls=6_000))
    hosts.append(facts("http://alone.test/", addresses=("192.0.2.9",), sitemaps=sized))
    config = CrawlConfig(limits=LimitsConfig(per_address=PerAddressConfig(concurrency=3)))
    assert list(whole_lines(config, hosts, others=0)) == [
        "Address     5 hosts share 192.0.2.1: h0.test, h1.test, h2.test and 2 more",
        "            at most 3 requests at once in all, from",
        "            limits.per_address.concurrency",
        "Time        ~1.7 h, as long as h2.test takes",
    ]


def test_whole_time_is_unknown_where_that_of_a_host_is():
    sized = facts("http://a.test/", sitemaps=SitemapFacts(known=1, read=1, urls=600))
    unsized = facts("http://b.test/", addresses=())
    closed = facts("http://c.test/", refused=["http://c.test/"], addresses=(), closed="http_503")

    def time(*hosts, others=0):
        return [line[12:] for line in whole_lines(DEFAULTS, hosts, others=others)]

    assert time(sized, unsized) == ["unknown, as that of 1 host is; of the others ~10 min, as long as", "a.test takes"]
    assert time(unsized) == ["unknown, as that of each host is"]
    assert time(closed) == ["none: no seed may be fetched"]
    assert time(sized, closed, others=1_200) == ["~10 min, as long as a.test takes", "1,200 other hosts"]
