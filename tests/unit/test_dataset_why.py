"""What there is to tell of a URL, worked out from stores made by hand."""

from __future__ import annotations

import pytest

from crawler.cli.telling import told
from crawler.config import BudgetConfig, RobotsConfig, ScopeConfig, UrlsConfig
from crawler.dataset.facts import FOUND_ON, MAX_STEPS, REDIRECTED_FROM, Ending, LastVisit, Step
from crawler.dataset.why import explain
from crawler.directory import CrawlDirectory, Summary
from crawler.known import Known
from crawler.models import HostState, Outcome, Request
from tests.support.frontiers import put_off
from tests.support.stores import AT, HandMadeCrawl, configure, robots

HOME = "https://a.test/"
ENDED_AT = "2023-11-14T22:13:20.000Z"


@pytest.fixture
async def crawl(tmp_path):
    crawl = await HandMadeCrawl(tmp_path / "crawl").open(HOME)
    yield crawl
    await crawl.frontier.aclose()


def url(name):
    return f"{HOME}{name}"


def why(folder, asked):
    return explain(folder, asked, AT)


# --- how it ended ------------------------------------------------------------------------------------------------


async def test_a_page_is_told_with_its_record_and_its_seed(crawl):
    await crawl.end(HOME, status=200, has_page=True)
    facts = why(await crawl.close(), HOME)
    assert (facts.known, facts.outcome, facts.status, facts.has_page) == (True, "fetched", 200, True)
    assert (facts.at, facts.attempts, facts.depth, facts.seed, facts.found) == (ENDED_AT, 1, 0, "a.test/", ())


@pytest.mark.parametrize("asked", ["a.test", "HTTPS://A.test:443/x/../#top", " https://a.test/?utm_source=x "])
async def test_the_url_is_read_as_the_crawl_would_read_it(crawl, asked):
    folder = await crawl.close()
    configure(folder, urls=UrlsConfig(drop_params=("utm_*",)))
    facts = why(folder, asked)
    assert (facts.asked, facts.url, facts.known) == (asked, HOME, True)


async def test_a_host_is_tried_as_https_then_as_http(crawl):
    await crawl.links(HOME, "http://b.test/", "http://c.test/", "https://c.test/")
    folder = await crawl.close()
    assert why(folder, "b.test").url == "http://b.test/"
    assert why(folder, "c.test").url == "https://c.test/"
    assert why(folder, "d.test").url == "https://d.test/"


async def test_the_way_back_leads_over_pages_and_redirects_to_the_seed(crawl):
    await crawl.links(HOME, url("1"))
    await crawl.redirect(url("1"), url("2"))
    await crawl.redirect(url("2"), url("3"))
    await crawl.links(url("3"), url("4"))
    facts = why(await crawl.close(), url("4"))
    assert facts.found == (
        Step(how=FOUND_ON, url=url("3")),
        Step(how=REDIRECTED_FROM, url=url("2")),
        Step(how=REDIRECTED_FROM, url=url("1")),
        Step(how=FOUND_ON, url=HOME),
    )
    assert not facts.found_more


async def test_a_long_way_back_is_cut(crawl):
    page = HOME
    for number in range(MAX_STEPS + 1):
        await crawl.links(page, url(number))
        await crawl.commit()
        page = url(number)
    folder = await crawl.close()
    last, last_but_one = why(folder, url(MAX_STEPS)), why(folder, url(MAX_STEPS - 1))
    assert (len(last.found), last.found_more) == (MAX_STEPS, True)
    assert (len(last_but_one.found), last_but_one.found_more) == (MAX_STEPS, False)


async def test_a_redirect_is_followed_to_its_end(crawl):
    await crawl.redirect(HOME, url("2"))
    await crawl.redirect(url("2"), url("3"))
    await crawl.end(url("3"), Outcome.FAILED, reason="http_404", status=404)
    facts = why(await crawl.close(), HOME)
    assert facts.redirects == (
        Ending(url=url("2"), outcome="redirected", status=301),
        Ending(url=url("3"), outcome="failed", reason="http_404", status=404),
    )


async def test_redirects_in_a_circle_are_followed_once_round(crawl):
    await crawl.redirect(HOME, url("2"))
    await crawl.redirect(url("2"), HOME)
    facts = why(await crawl.close(), HOME)
    assert [end.url for end in facts.redirects] == [url("2"), HOME]


async def test_the_rule_against_a_redirects_target_is_told(crawl):
    await crawl.links(HOME, url("1"))
    await crawl.redirect(url("1"), "https://b.test/", enters=False)
    facts = why(await crawl.close(), url("1"))
    assert facts.redirects == (Ending(url="https://b.test/", outcome="unknown"),)
    assert facts.scope_rule == "scope.stay_on: host"


async def test_a_seeds_own_redirect_may_leave_its_host_but_not_meet_an_exclude(crawl):
    await crawl.redirect(HOME, "https://b.test/logout", enters=False)
    folder = await crawl.close()
    configure(folder, scope=ScopeConfig(exclude=("*/logout*",)))
    assert why(folder, HOME).scope_rule == "scope.exclude: */logout*"


async def test_the_rule_that_keeps_out_what_was_admitted_is_told(crawl):
    await crawl.links(HOME, url("old"), "https://b.test/")
    await crawl.end(HOME, Outcome.EXCLUDED, reason="seed_out_of_scope")
    await crawl.end(url("old"), Outcome.EXCLUDED, reason="scope_narrowed")
    await crawl.end("https://b.test/", Outcome.EXCLUDED, reason="scope_narrowed")
    folder = await crawl.close()
    configure(folder, scope=ScopeConfig(include=("*/new*",)))
    assert why(folder, HOME).scope_rule == "scope.include"
    assert why(folder, url("old")).scope_rule == "scope.include"
    assert why(folder, "https://b.test/").scope_rule == "scope.stay_on: host"
    configure(folder, scope=ScopeConfig(stay_on="any"))
    assert why(folder, HOME).scope_rule is None


async def test_the_rule_of_robots_txt_is_told_with_its_file_and_term(crawl):
    await crawl.links(HOME, url("private/x"))
    await crawl.end(url("private/x"), Outcome.EXCLUDED, reason="robots")
    facts = why(await crawl.close(robots=(robots((True, "/"), (False, "/private/")),)), url("private/x"))
    assert (facts.robots.rule, facts.robots.origin) == ("Disallow: /private/", "https://a.test")
    assert (facts.robots.allowed, facts.robots.closed, facts.robots.until) == (False, None, "2023-11-14T22:14:20.000Z")
    assert facts.attempts == 0


async def test_an_origin_that_is_closed_disallows_all(crawl):
    await crawl.end(HOME, Outcome.EXCLUDED, reason="robots_unreachable")
    facts = why(await crawl.close(robots=(robots(closed="robots_unreachable"),)), HOME)
    assert (facts.robots.allowed, facts.robots.closed, facts.robots.rule) == (False, "robots_unreachable", None)


async def test_robots_txt_is_no_matter_where_it_is_not_obeyed(crawl):
    folder = await crawl.close(robots=(robots((False, "/")),))
    assert not why(folder, HOME).robots.allowed
    configure(folder, robots=RobotsConfig(obey=False))
    assert why(folder, HOME).robots is None


# --- what it waits for -------------------------------------------------------------------------------------------


async def test_a_pending_url_waits_in_the_queue_of_its_host(crawl):
    await crawl.links(HOME, url("1"), url("2"))
    await crawl.end(HOME)
    state = HostState(host_key="a.test", ready_at=AT + 12, failures=3)
    facts = why(await crawl.close(hosts=(state,)), url("2"))
    assert (facts.outcome, facts.attempts) == ("pending", 0)
    assert (facts.wait.urls, facts.wait.ahead, facts.wait.more) == (2, 1, False)
    assert (facts.wait.ready_at, facts.wait.failures, facts.wait.retired) == ("2023-11-14T22:13:32.000Z", 3, None)


async def test_a_queue_is_told_in_the_order_that_is_configured(crawl):
    await crawl.links(HOME, url("1"))
    await crawl.links(url("1"), url("2"))
    await crawl.links(HOME, url("3"))
    folder = await crawl.close()
    assert why(folder, url("2")).wait.ahead == 3
    configure(folder, order="depth")
    assert why(folder, url("2")).wait.ahead == 0


async def test_what_a_host_is_slowed_by_and_its_budget_are_told(crawl):
    state = HostState(host_key="a.test", pages=3, backoff_s=8.0)
    folder = await crawl.close(hosts=(state,))
    facts = why(folder, HOME)
    assert (facts.wait.pages, facts.wait.pages_per_host, facts.wait.backoff_s) == (3, None, 8.0)
    configure(folder, budget=BudgetConfig(pages_per_host=3))
    assert why(folder, HOME).wait.pages_per_host == 3


async def test_a_host_that_may_be_asked_rests_no_more(crawl):
    facts = why(await crawl.close(hosts=(HostState(host_key="a.test", ready_at=AT - 1, retired="breaker"),)), HOME)
    assert (facts.wait.ready_at, facts.wait.retired) == (None, "breaker")


async def test_a_snoozed_url_is_due_at_a_time(crawl):
    await crawl.snooze(HOME, 60)
    facts = why(await crawl.close(), HOME)
    assert (facts.outcome, facts.attempts, facts.due_at) == ("snoozed", 1, "2023-11-14T22:14:20.000Z")
    assert facts.reason == "http_503"
    assert facts.wait.urls is None


async def test_a_url_put_off_before_it_was_tried_has_no_attempts(crawl):
    await crawl.snooze(HOME, 60, reason=None)
    facts = why(await crawl.close(), HOME)
    assert (facts.outcome, facts.attempts, facts.reason, facts.due_at) == (
        "snoozed",
        0,
        None,
        "2023-11-14T22:14:20.000Z",
    )


async def test_the_reason_of_the_last_failure_outlives_being_put_off(crawl):
    await crawl.snooze(HOME, 0)
    await crawl.commit()
    await crawl.frontier.wake()
    (again,) = await crawl.frontier.take([("a.test", 1)])
    await put_off(crawl.frontier, again, until=crawl.clock.monotonic() + 60)
    facts = why(await crawl.close(), HOME)
    assert (facts.outcome, facts.attempts, facts.reason) == ("snoozed", 1, "http_503")


async def test_what_stopped_the_crawl_is_told_of_what_is_pending(crawl):
    folder = await crawl.close()
    CrawlDirectory(folder).write_summary(summary(stopped_by="budget.pages"))
    assert why(folder, HOME).stopped_by == "budget.pages"


def summary(stopped_by):
    empty = {key: {} for key in ("outcomes", "reasons", "refusals", "seeds")}
    counts = dict.fromkeys(("admitted", "pending", "pages", "wire_bytes", "elapsed_s"), 0)
    times = dict.fromkeys(("started_at", "ended_at"), ENDED_AT)
    return Summary(complete=False, stopped_by=stopped_by, **empty, **counts, **times)


# --- of a refresh ------------------------------------------------------------------------------------------------


async def test_what_has_not_changed_is_told_with_since_when_and_how_it_was_asked(crawl):
    known = Known(id=7, has_page=True, etag='"1"', at=AT - 50, since=AT - 100, digest="sha256:1")
    request = Request(url=url("x"), host_key="a.test", scope_host="a.test", seed="a.test/", known=known)
    crawl.frontier.add([request])
    await crawl.end(url("x"), Outcome.UNCHANGED, reason="not_modified", status=304, has_page=True)
    facts = why(await crawl.close(), url("x"))
    assert (facts.outcome, facts.reason, facts.has_page) == ("unchanged", "not_modified", True)
    assert facts.last_visit == LastVisit(
        at="2023-11-14T22:12:30.000Z",
        since="2023-11-14T22:11:40.000Z",
        asked_with=('If-None-Match: "1"',),
        content_digest="sha256:1",
    )
    lines = told(facts, AT).splitlines()
    assert "Unchanged   since 2023-11-14 22:11:40 UTC (1 min 40 s ago)" in lines
    assert 'Asked with  If-None-Match: "1"' in lines
    assert "Record      in pages.jsonl" in lines


async def test_what_was_not_asked_for_was_asked_with_nothing(crawl):
    known = Known(id=7, has_page=True, etag='"1"', at=AT - 50, skip="not_due")
    request = Request(url=url("x"), host_key="a.test", scope_host="a.test", seed="a.test/", known=known)
    crawl.frontier.add([request])
    await crawl.end(url("x"), Outcome.UNCHANGED, reason="not_due", has_page=True)
    facts = why(await crawl.close(), url("x"))
    assert facts.attempts == 0
    assert "Asked with" not in told(facts, AT)


async def test_of_a_page_that_has_changed_the_visit_before_is_told(crawl):
    known = Known(id=7, has_page=True, etag='"1"', at=AT - 50, since=AT - 100)
    crawl.frontier.add([Request(url=url("x"), host_key="a.test", scope_host="a.test", seed="a.test/", known=known)])
    await crawl.end(url("x"), status=200, has_page=True)
    assert "Last visit  2023-11-14 22:12:30 UTC (50 s ago)" in told(why(await crawl.close(), url("x")), AT)
