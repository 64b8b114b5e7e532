"""A Redis that is cut off, slow, or several: workers share a crawl all the same, and lose nothing."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.support.fleet_crawl import Fleet, gaps_after
from tests.support.redis_cluster import RedisCluster
from tests.support.redis_server import RedisServer, require_redis
from tests.support.tcp_proxy import TcpProxy
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

WEB = Web(
    seed=8, hosts=10, pages_per_host=25, latency_s=0.01, error_share=0.04, redirect_share=0.06, hops=2, file_share=0.03
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


def test_the_network_between_a_worker_and_redis_is_cut(stack, fleet_at, tmp_path):
    server = stack.enter_context(RedisServer(tmp_path / "redis"))
    proxy = stack.enter_context(TcpProxy(server.port))
    fleet = fleet_at(server.url)
    fleet.start("cut", url=proxy.url)
    fleet.start("other")
    fleet.until_asked(30, "cut", "other")
    cut = fleet.now()
    proxy.cut()
    fleet.until(lambda: len(gaps_after(fleet, "cut", cut)) >= 2, "its hosts asked by the other")
    late = fleet.asked_by("cut", since=cut + LEASE_S)
    assert not late, f"asked {len(late)} times after its leases were over"
    proxy.mend()
    assert fleet.ended() == [0, 0]
    fleet.is_whole(url=server.url, deaths=[cut])


def test_redis_is_slow(stack, fleet_at, tmp_path):
    server = stack.enter_context(RedisServer(tmp_path / "redis"))
    proxy = stack.enter_context(TcpProxy(server.port, delay_s=0.05))
    fleet = fleet_at(proxy.url)
    fleet.start("one")
    fleet.start("other")
    assert fleet.ended() == [0, 0]
    fleet.is_whole(url=server.url)


def test_redis_is_a_cluster(stack, fleet_at, tmp_path):
    cluster = stack.enter_context(RedisCluster(tmp_path / "cluster"))
    fleet = fleet_at(cluster.url)
    one = fleet.start("one")
    fleet.start("other")
    fleet.until_asked(30, "one", "other")
    died = one.kill()
    assert fleet.ended() == [0]
    fleet.is_whole(deaths=[died])
