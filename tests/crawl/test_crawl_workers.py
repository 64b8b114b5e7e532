"""Workers that share a crawl through a real Redis: as processes of the command, and from Python."""

from __future__ import annotations

from collections import Counter

import pytest

from crawler import ConfigError, Crawl
from crawler.config.file import load
from tests.support.fleet_crawl import Fleet, alone
from tests.support.redis_server import RedisServer, require_redis
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

WEB = Web(hosts=4, pages_per_host=15)
LONG = Web(hosts=4, pages_per_host=60)
QUICK = {"delay_s": 0.0, "lease_s": 2.0}


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    require_redis()
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def url(redis):
    redis.client().flushall()
    return redis.url


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    return alone(tmp_path_factory.mktemp("alone"), WEB)


@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_workers_make_the_records_that_one_machine_does(names, url, lone, tmp_path):
    with Fleet(tmp_path, WEB, url, **QUICK) as fleet:
        for name in names:
            fleet.start(name)
        assert fleet.ended() == [0] * len(names)
        assert fleet.is_whole().records == lone.records


def test_a_worker_that_joins_late_has_its_share_and_one_that_leaves_is_not_missed(url, tmp_path):
    with Fleet(tmp_path, LONG, url, delay_s=0.1) as fleet:
        first = fleet.start("first")
        fleet.until_asked(20, "first")
        fleet.start("second")
        fleet.until_asked(5, "second")
        first.interrupt()
        assert first.end() == 130
        assert fleet.ended()[1:] == [0]
        fleet.is_whole()


def test_a_crawl_that_all_left_is_gone_on_with_and_one_that_is_over_is_not(url, tmp_path):
    with Fleet(tmp_path, LONG, url, delay_s=0.02) as fleet:
        worker = fleet.start("first")
        fleet.until_asked(30, "first")
        worker.interrupt()
        assert worker.end() == 130
        again = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--frontier", url)
        assert again.returncode == 0, again.stderr
        assert "No worker of this crawl is left: it goes on from where it was" in again.stderr
        assert "Admitted URLs, all workers" in again.stderr
        over = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--frontier", url)
        assert over.returncode == 0
        assert "holds this crawl already: it was complete" in over.stderr
        assert "crawler merge crawl makes" in over.stderr
        other = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--frontier", url, "http://other.test/")
        assert other.returncode == 2
        assert "holds a finished crawl without http://other.test/" in other.stderr
        fleet.is_whole()
        fresh = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--frontier", url, "--fresh")
        assert fresh.returncode == 0, fresh.stderr
        assert "is now" in fresh.stderr
        fleet.merged()


def test_who_would_crawl_otherwise_does_not_join_and_the_keys_are_named(url, tmp_path):
    with Fleet(tmp_path, LONG, url) as fleet:
        fleet.start("first")
        fleet.until_asked(3, "first")
        other = ["--delay", "2s", "--depth", "1", "--set", "limits.concurrency=7"]
        refused = fleet.run("crawl", "-c", "crawl.yaml", "-d", "elsewhere", "--frontier", url, *other)
        assert refused.returncode == 2
        assert "limits.default.delay: 50ms there, 2s here" in refused.stderr
        assert "scope.max_depth: none there, 1 here" in refused.stderr
        assert "limits.concurrency" not in refused.stderr
        fresh = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--frontier", url, "--fresh")
        assert fresh.returncode == 2
        assert "1 worker of this crawl is at work" in fresh.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--refresh"], "merge it first"),
        (["--repair"], "merge it first"),
        (["-o", "pages.jsonl"], "merge it first"),
        (["--processes", "0"], "expected a number from 1 to 64"),
    ],
)
def test_what_workers_cannot_do_is_refused_with_what_to_do_instead(options, told, url, tmp_path):
    with Fleet(tmp_path, WEB, url) as fleet:
        done = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--frontier", url, *options)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
        assert not (tmp_path / "crawl").exists()


def test_processes_without_a_redis_are_refused(tmp_path):
    with Fleet(tmp_path, WEB, "sqlite") as fleet:
        done = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--processes", "2")
        assert done.returncode == 2
        assert "--frontier" in done.stderr


def test_processes_of_one_machine_crawl_as_workers_and_tell_of_all(url, lone, tmp_path):
    with Fleet(tmp_path, WEB, url, **QUICK) as fleet:
        done = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--frontier", url, "--processes", "2")
        assert done.returncode == 0, done.stderr
        assert len(list((tmp_path / "crawl/workers").iterdir())) == 2
        assert f"done  {len(lone.endings)} URLs" in done.stderr
        assert fleet.is_whole().records == lone.records


def test_processes_end_when_the_one_that_started_them_is_killed(url, tmp_path):
    with Fleet(tmp_path, LONG, url, delay_s=0.2, lease_s=20.0) as fleet:
        crew = fleet.start("crew", "--processes", "2")
        fleet.until_asked(5, "crew")
        fleet.until(lambda: len(set(fleet.held())) == 2, "shared by two")
        crew.kill()
        fleet.until(lambda: not fleet.held(), "given back")  # by leases alone it would take longer than is waited
        status = fleet.status()
        assert (status["state"], status["workers"]) == ("running", [])
        assert status["totals"]["pending"] > 0


def test_a_worker_for_which_no_request_to_an_address_is_left_says_so_and_takes_over(url, tmp_path):
    few = ("--set", "limits.per_address.concurrency=1")

    def log_of(name):
        return "".join(path.read_text() for path in tmp_path.glob(f"crawl/workers/*-{name}/crawl.log"))

    with Fleet(tmp_path, LONG, url, delay_s=0.1, lease_s=2.0) as fleet:
        first = fleet.start("first", *few)
        fleet.until_asked(5, "first")
        fleet.start("second", *few)
        fleet.until(lambda: "per_address.concurrency is all with 1 other worker" in log_of("second"), "standing by")
        states = {worker["name"]: worker["state"] for worker in fleet.status()["workers"]}
        assert states["second"] == "stands by"
        first.interrupt()
        assert first.end() == 130
        fleet.until_asked(3, "second")
        assert "no longer stands by" in log_of("second")


def test_a_budget_of_pages_is_shared(url, tmp_path):
    with Fleet(tmp_path, LONG, url, delay_s=0.0, settings={"budget": {"pages": 50}}) as fleet:
        fleet.start("one")
        fleet.start("two")
        assert fleet.ended() == [0, 0]
        assert fleet.merged().summary["pages"] == 50


def test_a_crawl_of_which_every_host_has_given_its_pages_ends_for_all(url, tmp_path):
    settings = {"budget": {"pages_per_host": 5}}
    with Fleet(tmp_path, WEB, url, lease_s=30.0, delay_s=0.01, settings=settings) as fleet:
        fleet.start("one")
        fleet.start("two")
        assert fleet.ended() == [0, 0]
        crawl = fleet.status()
        assert (crawl["state"], crawl["why"]) == ("stopped", "budget.pages_per_host")
        merged = fleet.merged()
        assert merged.summary["stopped_by"] == "budget.pages_per_host"
        assert max(Counter(hit.host for hit in fleet.hits if hit.path != "/robots.txt").values()) == 5
        assert merged.summary["pending"]


def test_a_directory_of_another_crawl_is_not_written_to(url, tmp_path):
    with Fleet(tmp_path, WEB, url, **QUICK) as fleet:
        (tmp_path / "crawl").mkdir()
        (tmp_path / "crawl/outcomes.jsonl").write_text("")
        done = fleet.run("crawl", "-c", "crawl.yaml", "-d", "crawl", "--frontier", url)
        assert done.returncode == 2
        assert "holds a crawl of one process" in done.stderr


async def test_a_program_gets_the_pages_of_its_worker(url, tmp_path):
    with Fleet(tmp_path, WEB, url, **QUICK) as fleet:
        config = load(tmp_path / "crawl.yaml", [f"frontier={url}"]).config
        async with Crawl(config, directory=tmp_path / "crawl") as crawling:
            urls = [page.url async for page in crawling]
            assert crawling.directory.parent == tmp_path / "crawl/workers"
        result = await crawling.result()
        assert result.ending.complete
        assert result.totals is not None
        assert result.totals.admitted == len(WEB.expected())
        assert len(urls) == len(set(urls)) == sum(end.outcome == "fetched" for end in WEB.expected().values())
        with pytest.raises(ConfigError, match="holds this crawl already"):
            async with Crawl(config, directory=tmp_path / "crawl"):
                pass
        fleet.merged()
