"""Workers that join, also with a wrong clock, or that are of another version, and what all of them find together."""

from __future__ import annotations

import pytest

from tests.support.fleet_crawl import WORKER, Fleet, alone
from tests.support.killing import ROOT
from tests.support.redis_server import RedisServer, require_redis
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

WEB = Web(
    seed=7,
    hosts=10,
    pages_per_host=25,
    latency_s=0.01,
    error_share=0.04,
    redirect_share=0.06,
    hops=2,
    private_share=0.03,
    file_share=0.03,
)
SHARED_S = 10.0


@pytest.fixture
def fleet(tmp_path):
    require_redis()
    with (
        RedisServer(tmp_path / "redis") as server,
        Fleet(tmp_path / "fleet", WEB, server.url, delay_s=0.1) as running,
    ):
        yield running


def is_shared(held):
    """Whether two workers hold all there is, and each of them a good part: hosts count, not partitions."""
    return len(held) == 2 and sum(held.values()) == 16 and min(held.values()) >= 4


def test_a_worker_that_joins_has_its_share_soon(fleet):
    fleet.start("one")
    fleet.until_asked(20, "one")
    began = fleet.until(lambda: True, "begun")
    fleet.start("other")
    there = fleet.until(lambda: is_shared(fleet.held()), "a share for each")
    asked = fleet.until_asked(1, "other")
    print(f"its share after {there - began:.2f} s, its first request after {asked - began:.2f} s, its start included")
    assert max(there, asked) - began <= SHARED_S
    assert fleet.ended() == [0, 0]
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
    wrong = fleet.start("wrong", env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    fleet.until_asked(10, "right", "wrong")
    off = {worker["name"]: worker["clock_off_s"] for worker in fleet.status()["workers"]}
    assert abs(off["wrong"] - shift_s) < 2
    assert abs(off["right"]) < 2
    fleet.until_asked(30, "wrong")
    died = wrong.kill()
    assert fleet.ended() == [0]
    fleet.is_whole(deaths=[died])


OTHER_VERSION = f"import crawler.fleet.models as m; m.FORMAT += 1; {WORKER}"


def test_a_worker_of_another_version_is_refused_and_the_crawl_goes_on(fleet):
    fleet.start("ours")
    fleet.until_asked(10, "ours")
    newer = fleet.start("newer", program=OTHER_VERSION)
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
