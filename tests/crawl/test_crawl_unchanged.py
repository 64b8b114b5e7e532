"""What has not changed in a refresh: is it asked for under its conditions, counted once, and kept quiet about?"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from msgspec.structs import replace

from crawler import Crawl
from crawler.config import SitemapsConfig
from tests.crawl.conftest import options
from tests.crawl.test_crawl_api import config
from tests.support.changing import ChangingWeb
from tests.support.given import lines
from tests.support.server import Server

pytestmark = pytest.mark.slow


def counters(directory):
    with closing(sqlite3.connect(directory / "crawl.db")) as store:
        return dict(store.execute("SELECT name, value FROM counter"))


def visits(log, since):
    """The requests from then on, those for robots.txt and sitemaps aside."""
    return [hit for hit in log.hits[since:] if hit.path.startswith("/pages/") or hit.path == "/"]


async def test_only_what_was_read_anew_is_handed_out_and_all_of_it_is_in_files_and_counts(tmp_path):
    web = ChangingWeb(hosts=2, pages_per_host=8, styles=("etag", "same"))
    with Server(web) as server:
        first = Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d")
        async with first:
            assert len([page async for page in first]) == 16
        web.move()
        web.change(0, 3, "text")
        web.change(1, 2, "title")
        heard = []
        again = Crawl(directory=tmp_path / "d", refresh=True, on_page=lambda page: heard.append(page.url))
        async with again:
            iterated = [page.url async for page in again]
    assert sorted(heard) == sorted(iterated) == [web.url(0, 3), web.url(1, 2)]
    assert len(lines(tmp_path / "d/pages.jsonl")) == counters(tmp_path / "d")["pages"] == 16
    told = counters(tmp_path / "d")
    assert (told["reason unchanged not_modified"], told["reason unchanged same_content"]) == (7, 7)
    assert told["status 304"] == 7


async def test_url_that_a_sitemap_or_a_changed_page_names_is_asked_for_under_its_conditions_all_the_same(tmp_path):
    web = ChangingWeb(hosts=1, pages_per_host=30, styles=("both",), lastmods=("honest",))
    with Server(web) as server:
        settings = replace(config(server), sitemaps=SitemapsConfig(follow=True))
        async with Crawl(settings, seeds=web.seeds(), directory=tmp_path / "d") as first:
            await first.result()
        seen = len(server.log.hits)
        web.move()
        web.change(0, 0, "text")
        async with Crawl(directory=tmp_path / "d", refresh=True) as again:
            await again.result()
        asked = visits(server.log, seen)
    assert len(asked) == 30
    assert all(hit.if_none_match and hit.if_modified_since for hit in asked)
    assert Counter(hit.status for hit in asked) == {304: 29, 200: 1}


def test_budget_of_pages_is_spent_by_visits_and_not_by_what_is_left_out(crawler, tmp_path):
    web = ChangingWeb(hosts=1, pages_per_host=20, styles=("etag",), lastmods=("honest",))
    with Server(web) as server:
        first = crawler(*web.seeds(), *options(server, "sitemaps.follow=true"))
        assert first.code == 0, first.stderr
        seen = len(server.log.hits)
        web.move()
        for page in (3, 4):
            web.change(0, page, "text")
        ran = crawler("--refresh", "--set", "refresh.lastmod=trust", "--max-pages", "2")
        assert ran.code == 0, ran.stderr
        assert sorted(hit.path for hit in visits(server.log, seen)) == ["/pages/3", "/pages/4"]
    assert [line["reason"] for line in ran.outcomes] == ["sitemap"]
    told = counters(ran.directory)
    assert (told["pages"], told["unvisited"], told["reason unchanged lastmod"]) == (20, 18, 18)
