"""What there is to tell of a URL that a crawl has never admitted, or keeps no account of."""

from __future__ import annotations

import msgspec
import pytest

from crawler.config import CrawlConfig, RobotsConfig, ScopeConfig
from crawler.config.file import dump
from crawler.dataset.facts import FOUND_ON, Ending, Step
from crawler.dataset.why import explain
from crawler.errors import ConfigError, CrawlerError
from crawler.export.outcomes import outcome_line, seed_line
from crawler.models import Finished, Outcome, Request
from crawler.seeds import read_seeds
from tests.support.stores import AT, HandMadeCrawl, configure, robots

HOME = "https://a.test/"
ENDED_AT = "2023-11-14T22:13:20.000Z"


def url(name):
    return f"{HOME}{name}"


@pytest.fixture
async def crawl(tmp_path):
    crawl = await HandMadeCrawl(tmp_path / "crawl").open(HOME)
    yield crawl
    await crawl.frontier.aclose()


def why(folder, asked):
    return explain(folder, asked, AT)


# --- what was never admitted -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "asked", "rule"),
    [
        ({}, url("x"), None),
        ({}, "https://www.a.test/", "scope.stay_on: host"),
        ({"stay_on": "domain"}, "https://www.a.test/", None),
        ({"stay_on": "domain"}, "https://b.test/", "scope.stay_on: domain"),
        ({"stay_on": "any"}, "https://b.test/", None),
        ({"exclude": ("*/logout*",)}, url("logout"), "scope.exclude: */logout*"),
        ({"include": ("*/shop/*",)}, url("x"), "scope.include"),
        ({"max_depth": 0}, url("x"), None),
    ],
)
async def test_the_scope_rule_that_keeps_it_out_is_worked_out(crawl, scope, asked, rule):
    folder = await crawl.close()
    configure(folder, scope=ScopeConfig(**scope))
    facts = why(folder, asked)
    assert (facts.known, facts.outcome, facts.scope_rule) == (False, "unknown", rule)
    assert (facts.max_depth, facts.urls_pending) == (scope.get("max_depth"), 1)


async def test_links_that_are_not_followed_are_told_of(crawl):
    folder = await crawl.close()
    assert (why(folder, url("x")).skip_rel, why(folder, url("x")).nofollow) == (("nofollow",), True)
    configure(folder, robots=RobotsConfig(skip_rel=(), nofollow=False))
    assert (why(folder, url("x")).skip_rel, why(folder, url("x")).nofollow) == ((), False)


async def test_the_crawl_stays_on_the_host_its_seed_was_redirected_to(crawl):
    await crawl.redirect(HOME, "https://www.a.test/")
    assert why(await crawl.close(), "https://www.a.test/x").scope_rule is None


async def test_the_nearest_known_urls_are_named_with_their_outcomes(crawl):
    await crawl.links(HOME, *map(url, ("Shop/List.html", "shop/item-1", "shop/item-2", "imprint", "about/")))
    await crawl.end(HOME, has_page=True)
    folder = await crawl.close()
    assert why(folder, "http://www.a.test/").nearest[0] == Ending(url=HOME, outcome="fetched")
    assert why(folder, url("About")).nearest[0].url == url("about/")
    assert why(folder, url("shop/list.html")).nearest[0].url == url("Shop/List.html")
    assert [end.url for end in why(folder, url("shop/item-3")).nearest][:2] == [url("shop/item-1"), url("shop/item-2")]


async def test_no_more_than_five_are_named(crawl):
    await crawl.links(HOME, *(url(f"item-{n}") for n in range(30)))
    assert len(why(await crawl.close(), url("item-99")).nearest) == 5


async def test_the_nearest_hosts_of_an_unknown_one_are_named(crawl):
    await crawl.links(HOME, "https://shop.a.test/", "https://unlike.example/")
    facts = why(await crawl.close(), "https://www.a.test/x")
    assert facts.nearest_hosts == ("a.test", "shop.a.test")


async def test_the_same_among_many_hosts(crawl, monkeypatch):
    monkeypatch.setattr("crawler.dataset.ledger._FEW_HOSTS", 1)
    await crawl.links(HOME, "https://shop.a.test/", "https://unlike.example/")
    facts = why(await crawl.close(), "https://www.a.test/x")
    assert facts.nearest_hosts == ("a.test", "shop.a.test")


async def test_a_redirect_that_the_scope_refused_is_named(crawl):
    await crawl.redirect(HOME, "https://b.test/", enters=False)
    assert why(await crawl.close(), "https://b.test/").redirected_here == HOME


async def test_what_robots_txt_would_say_is_told(crawl):
    facts = why(await crawl.close(robots=(robots((False, "/x")),)), url("x"))
    assert (facts.robots.allowed, facts.robots.rule) == (False, "Disallow: /x")


# --- seeds, and what is no URL -----------------------------------------------------------------------------------


def write_seeds(folder, *items):
    rows = [seed_line(seed, None) for seed in read_seeds(items)]
    (folder / "seeds.jsonl").write_bytes(b"".join(row + b"\n" for row in rows))


async def test_a_seed_that_was_no_url_is_told_with_its_error(crawl):
    folder = await crawl.close()
    write_seeds(folder, "a.test", "two words")
    facts = why(folder, "two words")
    assert (facts.known, facts.url) == (False, None)
    assert [(seed.given, seed.place) for seed in facts.bad_seeds] == [("two words", "argument 2")]
    assert "neither a URL nor a host" in facts.bad_seeds[0].error


@pytest.mark.parametrize("asked", ["two words", "", "/path", "ftp://a.test/", "mailto:x@a.test"])
async def test_what_is_no_url_is_a_usage_error(crawl, asked):
    folder = await crawl.close()
    with pytest.raises(ConfigError, match="expected the URL or host"):
        why(folder, asked)


async def test_a_directory_without_a_crawl_is_a_usage_error(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ConfigError, match="holds no crawl"):
            why(folder, HOME)


async def test_a_damaged_store_is_an_error(crawl):
    folder = await crawl.close()
    (folder / "crawl.db").write_bytes(b"x" * 5000)
    with pytest.raises(CrawlerError, match="not a crawl's store"):
        why(folder, HOME)


# --- a crawl that kept its frontier in memory --------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    """The files of a crawl without a store: a dead link and a redirect."""
    (tmp_path / "crawl.yaml").write_text(dump(CrawlConfig()))
    dead = Request(url=url("dead"), host_key="a.test", scope_host="a.test", seed="a.test", depth=1, via=HOME, attempt=2)
    ends = (
        Finished(request=dead, outcome=Outcome.FAILED, reason="http_404", status=404, at=AT),
        Finished(request=msgspec.structs.replace(dead, url=url("old")), outcome=Outcome.REDIRECTED, target=HOME, at=AT),
    )
    (tmp_path / "outcomes.jsonl").write_bytes(b"".join(outcome_line(end) + b"\n" for end in ends))
    return tmp_path


def test_its_files_are_looked_through(files):
    facts = why(files, url("dead"))
    assert (facts.known, facts.outcome, facts.reason, facts.attempts) == (True, "failed", "http_404", 2)
    assert (facts.found, facts.at, facts.account_kept) == ((Step(how=FOUND_ON, url=HOME),), ENDED_AT, False)
    assert why(files, url("old")).redirects[0].url == HOME


def test_of_what_is_not_in_them_only_spellings_are_tried(files):
    facts = why(files, url("DEAD/"))
    assert (facts.known, facts.account_kept) == (False, False)
    assert facts.nearest == (Ending(url=url("dead"), outcome="failed", reason="http_404", status=404),)
