"""Workers that die, freeze or leave: nothing is lost, repeated or hurried, and their hosts are asked again soon."""

from __future__ import annotations

import pytest

from tests.support.fleet_crawl import Fleet, gaps_after
from tests.support.redis_server import RedisServer, require_redis
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

WEB = Web(
    seed=5,
    hosts=10,
    pages_per_host=30,
    latency_s=0.01,
    error_share=0.04,
    redirect_share=0.06,
    hops=2,
    private_share=0.03,
    file_share=0.03,
)
LEASE_S = 1.0
TAKEN_OVER_S = LEASE_S + 5.0


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


def test_a_worker_that_is_interrupted_leaves_its_hosts_to_others(fleet):
    one, other = fleet.start("one"), fleet.start("other")
    fleet.until_asked(30, "one", "other")
    one.interrupt()
    assert fleet.ended(one) == [130]
    assert fleet.ended(other) == [0]
    fleet.is_whole()
