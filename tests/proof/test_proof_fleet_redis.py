"""A Redis that dies, forgets, fails over or is full: workers wait, go on, and lose nothing."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.support.fleet_crawl import Fleet
from tests.support.redis_replica import RedisPair
from tests.support.redis_server import RedisServer, require_redis
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

WEB = Web(
    seed=6, hosts=10, pages_per_host=25, latency_s=0.01, error_share=0.04, redirect_share=0.06, hops=2, file_share=0.03
)
LEASE_S = 1.0


@pytest.fixture
def stack():
    require_redis()
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def fleet_at(stack, tmp_path):
    def made(url, **more):
        return stack.enter_context(Fleet(tmp_path / "fleet", WEB, url, lease_s=LEASE_S, delay_s=0.1, **more))

    return made


@pytest.mark.parametrize("rest_s", [0.0, 2 * LEASE_S])
def test_redis_is_killed_and_started_again(stack, fleet_at, tmp_path, rest_s):
    server = stack.enter_context(RedisServer(tmp_path / "redis", appendonly=True))
    fleet = fleet_at(server.url)
    fleet.start("one")
    fleet.start("other")
    died = fleet.until_asked(30, "one", "other")
    server.kill()
    fleet.pass_time(rest_s)
    server.start()
    assert fleet.ended() == [0, 0]
    fleet.is_whole(deaths=[died])


def test_redis_has_lost_its_last_second(stack, fleet_at, tmp_path):
    server = stack.enter_context(RedisServer(tmp_path / "redis", appendonly=True))
    fleet = fleet_at(server.url)
    fleet.start("one")
    fleet.start("other")
    fleet.until_asked(25, "one", "other")
    (log,) = (tmp_path / "redis").glob("appendonlydir/*.incr.aof")
    kept = log.stat().st_size
    died = fleet.until_asked(40, "one", "other")
    server.kill()
    assert log.stat().st_size > kept
    with log.open("r+b") as file:
        file.truncate(kept)
    server.start()
    assert fleet.ended() == [0, 0]
    fleet.is_whole(deaths=[died])


def test_a_replica_takes_over(stack, fleet_at, tmp_path):
    pair = stack.enter_context(RedisPair(tmp_path / "pair"))
    fleet = fleet_at(pair.url)
    fleet.start("one")
    fleet.start("other")
    died = fleet.until_asked(30, "one", "other")
    pair.fail_over(read_only_s=0.5)
    assert fleet.ended() == [0, 0]
    fleet.is_whole(deaths=[died])


def test_redis_is_full_until_room_is_made(stack, fleet_at, tmp_path):
    server = stack.enter_context(RedisServer(tmp_path / "redis"))
    fleet = fleet_at(server.url)
    fleet.start("one")
    fleet.start("other")
    died = fleet.until_asked(20, "one", "other")
    server.fill()
    fleet.until(
        lambda: all("out of memory" in worker.log for worker in fleet.workers), "both said that Redis is out of memory"
    )
    fleet.until(lambda: fleet.is_still_for(2 * LEASE_S), "nothing asked any more")
    assert all(worker.is_there for worker in fleet.workers)
    server.make_room()
    assert fleet.ended() == [0, 0]
    fleet.is_whole(deaths=[died])


def test_a_redis_that_may_throw_keys_away_is_refused(stack, fleet_at, tmp_path):
    server = stack.enter_context(RedisServer(tmp_path / "redis", "maxmemory-policy allkeys-lru"))
    fleet = fleet_at(server.url)
    worker = fleet.start("one")
    assert fleet.ended(worker) == [2]
    assert "noeviction" in worker.said
