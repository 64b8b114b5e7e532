"""`crawler status` and the dashboard tell workers that run what to do, as their web's server sees it."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.request import Request, urlopen

import msgspec
import pytest

from tests.support.fleet_crawl import Fleet
from tests.support.redis_server import RedisServer, require_redis
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

WEB = Web(seed=9, hosts=4, pages_per_host=200, latency_s=0.005)


@pytest.fixture
def fleet(tmp_path):
    require_redis()
    with RedisServer(tmp_path / "redis") as server, Fleet(tmp_path / "fleet", WEB, server.url) as running:
        yield running


def test_a_crawl_is_paused_goes_on_is_slowed_down_and_stopped(fleet):
    worker = fleet.start("one")
    fleet.until_asked(10, "one")
    assert fleet.run("status", fleet.url, "--pause").returncode == 0
    fleet.until(lambda: fleet.is_still_for(0.5), "paused")
    assert fleet.status()["state"] == "paused"
    before = len(fleet.hits)
    assert fleet.run("status", fleet.url, "--resume").returncode == 0
    fleet.until_asked(before + 10, "one")
    assert fleet.run("status", fleet.url, "--limit", "*.test", "delay=800ms").returncode == 0
    slowed = fleet.now() + 0.5  # what was due already may come
    fleet.until(lambda: len(fleet.asked_by("one", since=slowed)) >= 8, "two requests a host")
    times = {}
    for hit in fleet.asked_by("one", since=slowed):
        times.setdefault(hit.host, []).append(hit.at)
    gaps = [later - at for found in times.values() for at, later in pairwise(found)]
    assert gaps
    assert min(gaps) >= 0.8
    assert fleet.run("status", fleet.url, "--stop").returncode == 0
    assert fleet.ended(worker) == [130]
    status = fleet.status()
    assert (status["state"], status["workers"], status["partitions"]["held"]) == ("stopped", [], 0)
    assert status["totals"]["pending"] > 0


def asked(url, action=None):
    body = None if action is None else msgspec.json.encode({"action": action})
    with urlopen(Request(url, data=body, headers={"Content-Type": "application/json"}), timeout=10) as answer:
        return answer.read()


def test_the_page_of_one_worker_shows_all_and_stops_all(fleet):
    one = fleet.start("one", "--serve", "0")
    other = fleet.start("other")
    fleet.until_asked(5, "one", "other")
    (port,) = re.findall(r"Dashboard: http://127\.0\.0\.1:(\d+)/", one.said)
    base = f"http://127.0.0.1:{port}"

    def shown():
        return msgspec.json.decode(asked(f"{base}/state"))["fleet"]

    fleet.until(lambda: len(shown().get("workers", ())) == 2, "both workers on the page")
    told = shown()
    assert {worker["name"] for worker in told["workers"]} == {"one", "other"}
    assert told["admitted"] == sum(told["outcomes"].values()) + told["pending"]
    assert b"crawler_fleet_workers 2" in asked(f"{base}/metrics")
    asked(f"{base}/control", "pause_all")
    fleet.until(lambda: shown()["state"] == "paused" and fleet.is_still_for(0.5), "both paused")
    asked(f"{base}/control", "resume_all")
    before = len(fleet.asked_by("other"))
    fleet.until(lambda: len(fleet.asked_by("other")) > before, "the other going on")
    asked(f"{base}/control", "stop_all")
    assert fleet.ended(one, other) == [130, 130]
