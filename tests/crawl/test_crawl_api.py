"""The Python face: pages as they are committed, in scripts, notebooks and under any loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from crawler import ConfigError, Crawl, CrawlConfig, CrawlerError, crawl
from crawler.config import ScopeConfig
from crawler.config.file import loads
from tests.crawl.conftest import environment
from tests.support.server import Server
from tests.support.web import Web

pytestmark = pytest.mark.slow

WEB = Web(pages_per_host=40)


def config(server, **overrides) -> CrawlConfig:
    settings = {
        "fetch.resolve": f'{{"*.test": "127.0.0.1:{server.port}"}}',
        "limits.default": "{delay: 0s, concurrency: 8}",
        "checkpoint.every": "20ms",
        **overrides,
    }
    return loads("", "test", [f"{key}={value}" for key, value in settings.items()]).config


@pytest.fixture
def server():
    with Server(WEB) as server:
        yield server


async def test_pages_are_handed_out_once_each_and_after_they_are_in_the_file(server, tmp_path):
    urls = []
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d") as crawling:
        async for page in crawling:
            urls.append(page.url)
            assert page.url.encode() in (tmp_path / "d/pages.jsonl").read_bytes()
    assert len(urls) == len(set(urls)) == 40
    assert (await crawling.result()).ending.complete


async def test_a_crawl_goes_on_where_another_was_left(server, tmp_path):
    first, second = [], []
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d") as crawling:
        async for page in crawling:
            first.append(page.url)
            if len(first) == 5:
                break
    with pytest.raises(ConfigError, match="resume=True"):
        async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d"):
            pass
    async with Crawl(directory=tmp_path / "d", resume=True) as crawling:
        second += [page.url async for page in crawling]
    committed = (tmp_path / "d/pages.jsonl").read_bytes().splitlines()
    assert len(committed) == 40
    assert len(second) + len(first) <= 40  # what was committed after the break was nobody's
    assert not set(first) & set(second)


async def test_break_leaves_whole_records_behind_and_stops_asking(tmp_path):
    web = Web(pages_per_host=3000, latency_s=0.002)
    with Server(web) as server:
        async with Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            async for _ in crawling:
                break
        asked = len(server.log.hits)
        assert asked < 3000
    lines = (tmp_path / "d/pages.jsonl").read_bytes().splitlines()
    assert 0 < len(lines) < 3000
    assert (await crawling.result()).ending.stopped_by == "stop"


async def test_a_consumer_that_stops_reading_holds_the_crawl_back(tmp_path):
    web = Web(pages_per_host=500)
    with Server(web) as server:
        async with Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            first = 0
            async for _ in crawling:
                first += 1
                crawling.stop()
        assert first == len((tmp_path / "d/pages.jsonl").read_bytes().splitlines())


def test_crawl_blocks_and_returns_the_counts(server, tmp_path):
    result = crawl(WEB.seeds(), config(server), directory=tmp_path / "d")
    assert result.ending.complete
    assert result.snapshot.outcomes["fetched"] == 40
    assert result.seeds.fetched == 1


async def test_blocking_crawl_works_where_a_loop_already_runs(server, tmp_path):
    assert crawl(WEB.seeds(), config(server), directory=tmp_path / "d").ending.complete


async def test_entering_without_seeds_or_over_another_crawl_is_refused(server, tmp_path):
    with pytest.raises(ConfigError, match="nothing to crawl"):
        async with Crawl(config(server), directory=tmp_path / "d"):
            pass
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d") as crawling:
        await crawling.result()
    with pytest.raises(ConfigError, match="finished crawl"):
        async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d"):
            pass


def test_a_script_without_a_main_guard_crawls_once(server, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from crawler import crawl\n"
        "from crawler.config.file import loads\n"
        f"config = loads('', 'script', ['fetch.resolve={{\"*.test\": \"127.0.0.1:{server.port}\"}}',"
        " 'limits.default={delay: 0s, concurrency: 8}']).config\n"
        f"result = crawl({WEB.seeds()!r}, config, directory='d')\n"
        "print(result.snapshot.outcomes['fetched'])\n"
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, env=environment(), timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.strip() == b"40"


def test_importing_the_package_imports_neither_client_nor_parser():
    code = "import crawler, sys; assert not {'aiohttp', 'selectolax', 'asyncio'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment(), timeout=20)


async def test_iteration_ends_when_somebody_else_waits_for_the_result(server, tmp_path):
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d") as crawling:

        async def consume():
            return [page.url async for page in crawling]

        consumer = asyncio.create_task(consume())
        assert (await crawling.result()).ending.complete
        assert len(await consumer) <= 40


async def test_iterating_again_goes_on_where_a_break_left_off(server, tmp_path):
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d") as crawling:
        urls = []
        async for page in crawling:
            urls.append(page.url)
            break
        urls += [page.url async for page in crawling]
    assert len(urls) == len(set(urls)) == 40


async def test_giving_up_waiting_leaves_what_was_fetched_in_the_files(tmp_path):
    web = Web(pages_per_host=3000, latency_s=0.002)
    with Server(web) as server:
        async with Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            async for _ in crawling:
                break
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(crawling.result(), 0.05)
        answered = sum(hit.ended is not None and "robots" not in hit.path for hit in server.log.hits)
    assert 0 < answered < 3000
    assert answered == len((tmp_path / "d/pages.jsonl").read_bytes().splitlines())


async def test_stopping_twice_is_stopping_once(tmp_path):
    web = Web(pages_per_host=3000, latency_s=0.05)
    with Server(web) as server:
        async with Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            async for _ in crawling:
                break
            crawling.stop()
            crawling.stop()
        asked = sum("robots" not in hit.path for hit in server.log.hits)
    assert asked == len((tmp_path / "d/pages.jsonl").read_bytes().splitlines())


async def test_entering_that_is_cancelled_leaves_nothing_running(tmp_path):
    web = Web(pages_per_host=3000)
    with Server(web) as server:
        crawling = Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d")
        entering = asyncio.create_task(crawling.__aenter__())
        await asyncio.sleep(0)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "crawl"] == []


async def test_a_crawl_is_entered_once_and_its_directory_by_one_crawl(server, tmp_path):
    async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d") as crawling:
        with pytest.raises(CrawlerError, match="this process"):
            async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "d", fresh=True):
                pass
        assert (await crawling.result()).ending.complete
    with pytest.raises(CrawlerError, match="entered before"):
        await crawling.__aenter__()


def test_one_seed_may_be_given_as_a_string(server, tmp_path):
    assert crawl(WEB.seeds()[0], config(server), directory=tmp_path / "d").snapshot.pages == 40
    with pytest.raises(ConfigError, match="CrawlConfig or the path"):
        Crawl({"seeds": []})


def test_a_configuration_made_in_python_is_checked_like_a_file():
    with pytest.raises(ConfigError, match=r"scope\.exclude"):
        Crawl(CrawlConfig(scope=ScopeConfig(exclude=("/private/*",))))


async def test_a_consumer_that_gives_up_a_page_loses_none(tmp_path):
    web = Web(pages_per_host=60, latency_s=0.02)
    with Server(web) as server:
        urls = []
        async with Crawl(config(server), seeds=web.seeds(), directory=tmp_path / "d") as crawling:
            ended = False
            while not ended:
                try:
                    urls.append((await asyncio.wait_for(anext(crawling), 0.003)).url)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    ended = True
    assert len(urls) == len(set(urls)) == 60
