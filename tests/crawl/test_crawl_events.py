"""A crawl inside somebody's program calls their functions, and can be looked at."""

from __future__ import annotations

import asyncio

import pytest

from crawler import ConfigError, Crawl, CrawlerError, crawl
from tests.crawl.test_crawl_api import config
from tests.support.given import FRONT, awaits_what_is_cancelled, lines
from tests.support.server import Server
from tests.support.web import Web

pytestmark = pytest.mark.slow

WEB = Web(pages_per_host=40, error_share=0.2)


@pytest.fixture
def server():
    with Server(WEB) as server:
        yield server


async def iterated(crawling):
    async with crawling:
        return [page.url async for page in crawling]


@pytest.mark.parametrize("kind", ["plain", "asynchronous"])
async def test_each_page_and_each_failure_is_told_once_and_in_order(server, tmp_path, kind):
    pages, failures = [], []

    async def on_page(page):
        await asyncio.sleep(0)
        pages.append(page.url)

    on_page = pages_of(pages) if kind == "plain" else on_page
    crawling = Crawl(
        config(server), seeds=WEB.seeds(), directory=tmp_path / "d", on_page=on_page, on_failure=failures.append
    )
    async with crawling:
        iterated = [page.url async for page in crawling]
    assert pages == iterated == [line["url"] for line in lines(tmp_path / "d/pages.jsonl")]
    told = [(failure.url, failure.reason, failure.status, failure.attempts) for failure in failures]
    failed = [line for line in lines(tmp_path / "d/outcomes.jsonl") if line["outcome"] == "failed"]
    assert told == [(line["url"], "http_404", 404, 1) for line in failed]
    assert failed


def pages_of(found):
    return lambda page: found.append(page.url)


def test_a_blocking_crawl_tells_too(server, tmp_path):
    pages = []
    result = crawl(WEB.seeds(), config(server), directory=tmp_path / "d", on_page=pages_of(pages))
    assert len(pages) == result.snapshot.pages


async def test_a_notebook_is_told_too(server, tmp_path):
    pages = []
    result = crawl(WEB.seeds(), config(server), directory=tmp_path / "d", on_page=pages_of(pages))
    assert len(pages) == result.snapshot.pages


@pytest.mark.parametrize("event", ["on_page", "on_failure"])
async def test_an_exception_in_a_function_stops_the_crawl_and_the_rest_can_be_had(tmp_path, event):
    web = Web(pages_per_host=400, error_share=0.1, latency_s=0.002)
    told = []

    def fail(one):
        told.append(one.url)
        raise LookupError("no place for it")

    with Server(web) as server:
        crawling = Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d", **{event: fail})
        with pytest.raises(LookupError, match="no place for it"):
            await iterated(crawling)
        assert len(told) == 1
        before = {line["url"] for line in lines(tmp_path / "d/pages.jsonl")}
        rest = []
        async with Crawl(directory=tmp_path / "d", resume=True, on_page=pages_of(rest)) as crawling:
            assert (await crawling.result()).ending.complete
    assert not before & set(rest), "what was committed is not told again"
    assert before | set(rest) == {line["url"] for line in lines(tmp_path / "d/pages.jsonl")}
    assert len(before) + len(rest) == len(lines(tmp_path / "d/pages.jsonl"))


async def test_a_function_that_awaits_what_is_cancelled_stops_the_crawl_and_nothing_is_lost(tmp_path):
    web = Web(pages_per_host=400, latency_s=0.002)
    with Server(web) as server:
        crawling = Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d", on_page=awaits_what_is_cancelled)
        with pytest.raises(CrawlerError, match="what on_page or on_failure awaited was cancelled"):
            await iterated(crawling)
        async with Crawl(directory=tmp_path / "d", resume=True) as crawling:
            assert (await crawling.result()).snapshot.pages == 400
    assert len(lines(tmp_path / "d/pages.jsonl")) == 400


@pytest.mark.parametrize("waits", [Crawl.result, Crawl.__anext__])
async def test_a_function_that_waits_for_the_crawl_is_told_that_this_waits_for_it(server, tmp_path, waits):
    crawling = Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", on_page=lambda _: waits(crawling))
    with pytest.raises(CrawlerError, match="the crawl waits for on_page"):
        async with crawling:
            await crawling.result()


async def test_a_function_can_stop_the_crawl(tmp_path):
    web = Web(pages_per_host=3000, latency_s=0.002)
    with Server(web) as server:
        crawling = Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d", on_page=lambda _: crawling.stop())
        async with crawling:
            assert (await crawling.result()).ending.stopped_by == "stop"
    assert len(lines(tmp_path / "d/pages.jsonl")) < 3000


def test_what_cannot_be_called_is_refused():
    with pytest.raises(ConfigError, match="on_page: 'print': expected a function"):
        Crawl(seeds=[FRONT], on_page="print")


async def test_a_crawl_can_be_looked_at_while_it_runs(server, tmp_path):
    seen = []

    def look(_):
        snapshot, hosts = crawling.snapshot(), crawling.hosts(5)
        assert snapshot.admitted == sum(snapshot.outcomes.values()) + snapshot.queued
        seen.append((snapshot, hosts))

    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", on_page=look) as crawling:
        result = await crawling.result()
    snapshot, hosts = seen[-1]
    assert snapshot.pages == result.snapshot.pages
    assert hosts.busiest[0].host_key == "h0.test"
    assert hosts.busiest[0].requests == sum(result.snapshot.statuses.values())
