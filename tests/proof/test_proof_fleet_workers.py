"""Workers that die, freeze, join, have wrong clocks or are of another version: nothing is lost, repeated or hurried."""

from __future__ import annotations

import sys

import pytest

from tests.support.fleet_crawl import Fleet, alone, gaps_after
from tests.support.redis_server import RedisServer, require_redis
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

WEB = Web(
    seed=5,
    hosts=12,
    pages_per_host=40,
    latency_s=0.01,
    error_share=0.04,
    redirect_share=0.06,
    hops=2,
    private_share=0.03,
    file_share=0.03,
)
LEASE_S = 1.0
TAKEN_OVER_S = LEASE_S + 5.0
SHARED_S = 10.0


@pytest.fixture
def fleet(tmp_path):
    require_redis()
    with (
        RedisServer(tmp_path / "redis") as server,
        Fleet(tmp_path / "fleet", WEB, server.url, lease_s=LEASE_S, delay_s=0.1) as running,
    ):
        yield running


def test_the_hosts_of_a_killed_worker_are_asked_again_soon(fleet):
    one, other = fleet.start("one"), fleet.start("other")
    fleet.until_asked(40, "one", "other")
    died = one.kill()
    assert fleet.ended(other) == [0]
    gaps = gaps_after(fleet, "one", died)
    assert gaps
    print(f"{len(gaps)} hosts asked again after {min(gaps.values()):.2f} to {max(gaps.values()):.2f} s")
    assert max(gaps.values()) <= TAKEN_OVER_S
    fleet.is_whole(deaths=[died])


def test_all_workers_may_die_and_others_go_on(fleet):
    dead = [fleet.start("one"), fleet.start("two")]
    fleet.until_asked(30, "one", "two")
    died = [worker.kill() for worker in dead]
    fleet.start("three", "--resume")
    assert fleet.ended() == [0]
    fleet.is_whole(deaths=died)


def test_a_worker_that_wakes_after_its_leases_are_over_harms_nothing(fleet):
    one, other = fleet.start("one"), fleet.start("other")
    fleet.until_asked(40, "one", "other")
    frozen = one.freeze()
    fleet.until(lambda: len(gaps_after(fleet, "one", frozen)) >= 2, "its hosts asked by the other")
    one.thaw()
    assert fleet.ended(other)[0] == 0
    assert fleet.ended(one)[0] == 0
    fleet.is_whole(deaths=[frozen], slips=1)


def test_a_worker_that_joins_has_its_share_soon(fleet):
    fleet.start("one")
    fleet.until_asked(20, "one")
    began = fleet.until(lambda: True, "begun")
    fleet.start("other")
    share = fleet.partitions // 2
    there = fleet.until(
        lambda: [worker["held"] for worker in fleet.status()["workers"]] == [share, share], "a share for each"
    )
    asked = fleet.until_asked(1, "other")
    print(f"its share after {there - began:.2f} s, its first request after {asked - began:.2f} s, its start included")
    assert max(there, asked) - began <= SHARED_S
    assert fleet.ended() == [0, 0]
    fleet.is_whole()


def test_a_worker_that_is_interrupted_leaves_its_hosts_to_others(fleet):
    one, other = fleet.start("one"), fleet.start("other")
    fleet.until_asked(30, "one", "other")
    one.interrupt()
    assert fleet.ended(one) == [130]
    assert fleet.ended(other) == [0]
    fleet.is_whole()


SHIFTED = """
import time
_real = time.time
time.time = lambda: _real() + {shift_s}
"""


@pytest.mark.parametrize("shift_s", [5 * 3600.0, -5 * 3600.0])
def test_a_clock_that_is_hours_off_harms_nothing(fleet, tmp_path, shift_s):
    (tmp_path / "sitecustomize.py").write_text(SHIFTED.format(shift_s=shift_s))
    fleet.start("right")
    wrong = fleet.start("wrong", env={"PYTHONPATH": f"{tmp_path}:{sys.path[0]}"})
    fleet.until_asked(10, "right", "wrong")
    off = {worker["name"]: worker["clock_off_s"] for worker in fleet.status()["workers"]}
    assert abs(off["wrong"] - shift_s) < 2
    assert abs(off["right"]) < 2
    fleet.until_asked(30, "wrong")
    died = wrong.kill()
    assert fleet.ended() == [0]
    fleet.is_whole(deaths=[died])


OTHER_VERSION = "import crawler.fleet.models as m; m.FORMAT += 1; from crawler.cli import main; main()"


def test_a_worker_of_another_version_is_refused_and_the_crawl_goes_on(fleet):
    fleet.start("ours")
    fleet.until_asked(10, "ours")
    newer = fleet.start("newer", program=(sys.executable, "-c", OTHER_VERSION))
    assert fleet.ended(newer) == [2]
    assert "format" in newer.said
    assert fleet.ended(fleet.workers[0]) == [0]
    fleet.is_whole()


def test_what_two_workers_find_is_what_one_machine_finds(fleet, tmp_path):
    fleet.start("one")
    fleet.start("other")
    assert fleet.ended() == [0, 0]
    merged, whole = fleet.is_whole(), alone(tmp_path / "alone", WEB)
    assert merged.endings == whole.endings
    assert merged.records == whole.records
