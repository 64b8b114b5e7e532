"""A refresh of what is due, within a budget of pages: known pages have their slots, and it comes to its end."""

from __future__ import annotations

import time

import msgspec
import pytest

from tests.crawl.conftest import options, start
from tests.support.changing import ChangingWeb
from tests.support.server import Server

pytestmark = pytest.mark.slow

SLOWLY = ("--delay", "50ms")
"""So that what is found at once comes before what lies deeper."""


@pytest.fixture
def web():
    return ChangingWeb(hosts=2, pages_per_host=14, styles=("etag", "same"))


@pytest.fixture
def server(web):
    with Server(web) as served:
        yield served


@pytest.fixture
def first(crawler, web, server):
    ran = crawler(*web.seeds(), *options(server))
    assert ran.code == 0, ran.stderr
    return {page["url"] for page in ran.pages}


def summary(ran):
    return msgspec.json.decode((ran.directory / "summary.json").read_bytes())


@pytest.mark.parametrize(
    ("budget", "stopped_by"),
    [(["--max-pages", "28"], "budget.pages"), (["--set", "budget.pages_per_host=14"], "budget.pages_per_host")],
)
def test_new_pages_take_no_slots_of_those_that_are_due(crawler, web, server, first, budget, stopped_by, tmp_path):
    web.move()
    new = {web.url(host, web.add(host, 0)) for host in (0, 1) for _ in range(10)}
    seen = len(server.log.hits)
    ran = crawler("--refresh", "--due", *budget, *SLOWLY)
    assert ran.code == 0, ran.stderr
    assert ran.stderr.count("Generation 2 of ") == 1
    assert "Of the known pages 28 were due and visited, 0 were not due." in ran.stderr
    assert {page["url"] for page in ran.pages} == first
    asked = {f"http://{hit.host.partition(':')[0]}{hit.path}" for hit in server.log.hits[seen:]}
    assert not asked & new
    assert summary(ran)["generation"] == 2
    assert summary(ran)["stopped_by"] == stopped_by
    assert not (tmp_path / "crawl@2").exists()
    ran = crawler("--refresh", "--max-pages", "1000", "--set", "budget.pages_per_host=null")
    assert {page["url"] for page in ran.pages} == first | new


def test_new_pages_get_what_is_left(crawler, web, server, first):
    web.move()
    new = {web.url(0, web.add(0, 0)) for _ in range(10)}
    web.remove(1, 13)
    ran = crawler("--refresh", "--due", "--max-pages", "31", *SLOWLY)
    assert ran.code == 0, ran.stderr
    pages = {page["url"] for page in ran.pages}
    assert pages >= first - {web.url(1, 13)}
    assert len(pages & new) == 4  # three, and the slot of the one that is gone
    assert summary(ran)["stopped_by"] == "budget.pages"


def test_a_refresh_whose_budget_is_spent_before_all_urls_are_admitted_goes_on(crawler, web, server, first):
    ran = crawler("--refresh", "--due", "--max-pages", "1")
    assert ran.code == 0, ran.stderr
    assert "Of the known pages 1 were due and visited, 0 were not due, 27 left for the budget." in ran.stderr
    assert {page["url"] for page in ran.pages} == first
    assert summary(ran)["generation"] == 2


def test_a_due_refresh_that_is_killed_keeps_its_promises(crawler, web, server, first, tmp_path):
    web.move()
    for _ in range(10):
        web.add(0, 0)
    made = tmp_path / "crawl@2" / "pages.jsonl"
    with server.slow_after(8), start(tmp_path, "--refresh", "--due", "-d", "crawl", "--max-pages", "28") as process:
        while not (made.exists() and made.read_bytes()):
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.005)
        process.kill()
        process.communicate(timeout=30)
    ran = crawler("--refresh", *SLOWLY)
    assert ran.code == 0, ran.stderr
    assert {page["url"] for page in ran.pages} == first
    assert summary(ran)["stopped_by"] == "budget.pages"
    assert summary(ran)["generation"] == 2
