"""A running crawl that is told to pause, to go on, and how many requests to make at once; seen from the server."""

from __future__ import annotations

import asyncio
import time

import pytest

from crawler import Crawl, CrawlerError, Response
from tests.crawl.test_crawl_api import config
from tests.support.given import Folder, quick
from tests.support.server import Server
from tests.support.web import Web

pytestmark = pytest.mark.slow

SETTLED_S = 0.005
NOTHING_WITHIN_S = 0.3


async def until(settled):
    while not settled():  # noqa: ASYNC110 - a server in another thread has no event to set
        await asyncio.sleep(SETTLED_S)


async def paused_after(crawling, pages):
    """Pause once so many pages are committed, and return when what was in flight has come to its end."""
    async for _ in crawling:
        pages -= 1
        if not pages:
            break
    crawling.pause()
    await until(lambda: not crawling.snapshot().in_flight)


async def nothing_ends(crawling):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(NOTHING_WITHIN_S):
            await crawling.result()


async def test_while_paused_nothing_is_requested_and_afterwards_everything_is_once(tmp_path):
    web = Web(hosts=60, pages_per_host=5, error_share=0.1, redirect_share=0.1, latency_s=0.005)
    with Server(web) as server:
        settings = config(server, **{"limits.concurrency": "3", "limits.adaptive": "false"})
        async with Crawl(settings, seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            await until(lambda: len(server.log.hits) > 10)
            crawling.pause()
            await until(lambda: not crawling.snapshot().in_flight)
            asked = len(server.log.hits)
            assert len(server.log.hosts()) < web.hosts, "some have not been asked for their robots.txt yet"
            assert crawling.snapshot().paused
            await nothing_ends(crawling)
            assert len(server.log.hits) == asked
            told = crawling.snapshot()
            assert not told.uncommitted, "checkpoints go on"
            assert told.admitted == sum(told.outcomes.values()) + told.queued
            crawling.unpause()
            assert (await crawling.result()).ending.complete
        counts = server.log.counts()
    robots = {f"http://{host}/robots.txt" for host in server.log.hosts()}
    assert set(counts) == set(web.expected(stay_on_host=True)) | robots
    assert set(counts.values()) == {1}


async def test_a_host_keeps_its_pause_when_the_crawl_goes_on_after_one(tmp_path):
    web = Web(hosts=2, pages_per_host=6)
    with Server(web) as server:
        settings = config(server, **{"limits.default": "{delay: 100ms}"})
        async with Crawl(settings, seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            await paused_after(crawling, 1)
            await nothing_ends(crawling)
            crawling.unpause()
            await crawling.result()
        assert min(server.log.smallest_gap_s(host) for host in server.log.hosts()) >= 0.1


async def test_a_crawl_that_is_paused_can_be_stopped_and_resumed(tmp_path):
    web = Web(pages_per_host=300, latency_s=0.002)
    with Server(web) as server:
        async with Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            await paused_after(crawling, 1)
        assert (await crawling.result()).ending.stopped_by == "stop"
        async with Crawl(directory=tmp_path / "d", resume=True) as crawling:
            assert (await crawling.result()).ending.complete
    assert len((tmp_path / "d/pages.jsonl").read_bytes().splitlines()) == 300


@pytest.mark.parametrize("budget", ["budget.time", "budget.pages"])
async def test_a_budget_that_runs_out_while_paused_ends_the_crawl(tmp_path, budget):
    web = Web(pages_per_host=300, latency_s=0.02)
    limit = {"budget.time": "300ms", "budget.pages": "9"}[budget]
    with Server(web) as server:
        settings = config(server, **{budget: limit})
        async with Crawl(settings, seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            if budget == "budget.pages":
                await until(lambda: len(server.log.hits) == 10)  # the last of them is in flight
            crawling.pause()
            assert (await crawling.result()).ending.stopped_by == budget
            assert crawling.snapshot().paused


async def test_while_what_is_in_flight_outlasts_the_time_a_paused_crawl_only_waits(tmp_path):
    turns = 0

    class Slow(Folder):
        async def fetch(self, request, started):
            nonlocal turns
            started()
            crawling.pause()
            await asyncio.sleep(0.15)  # more than all that the crawl may take
            before = turns
            await asyncio.sleep(0.1)
            turns -= before
            return Response(url=request.url, status=404)

    settings = quick(**{"budget.time": "100ms", "limits.adaptive": "false"})
    async with Crawl(settings, seeds=["https://a.test/"], directory=tmp_path / "d", fetcher=Slow({})) as crawling:
        changed = crawling._running._engine._changed
        waited = changed.wait_until

        async def counted(until):
            nonlocal turns
            turns += 1
            await waited(until)

        changed.wait_until = counted
        assert (await crawling.result()).ending.stopped_by == "budget.time"
    assert turns < 20  # some are made by checkpoints; one that spins makes thousands


async def test_there_are_never_more_requests_in_flight_than_was_said(tmp_path):
    web = Web(hosts=12, pages_per_host=80, latency_s=0.01)
    with Server(web) as server:
        settings = config(
            server,
            **{"limits.concurrency": "2", "limits.per_address.concurrency": "64", "limits.adaptive": "false"},
        )
        async with Crawl(settings, seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            spans = []
            for concurrency in (2, 7, 3):
                assert crawling.set_concurrency(concurrency) == concurrency
                await until(lambda most=concurrency: crawling.snapshot().in_flight <= most)
                since, seen = time.monotonic(), len(server.log.hits)
                await until(lambda seen=seen: len(server.log.hits) > seen + 60)
                spans.append((since, time.monotonic(), concurrency))
        hits = list(server.log.hits)
    for since, before, concurrency in spans:
        at_once = [hit.in_flight_at_address for hit in hits if since < hit.at < before]
        assert max(at_once) == concurrency


async def test_concurrency_stays_within_what_is_possible(tmp_path):
    web = Web(pages_per_host=300, latency_s=0.002)
    with Server(web) as server:
        async with Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            assert crawling.set_concurrency(0) == 1
            most = crawling.set_concurrency(10**9)
            assert most == crawling.snapshot().concurrency >= 200


async def test_what_has_not_been_entered_can_be_told_nothing(tmp_path):
    crawling = Crawl(seeds=["https://a.test/"], directory=tmp_path / "d")
    for tell in (crawling.pause, crawling.unpause, crawling.snapshot, crawling.hosts):
        with pytest.raises(CrawlerError, match="async with"):
            tell()
