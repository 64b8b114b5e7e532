"""What workers hear of each other, from a real Redis."""

import asyncio

import pytest

from crawler.fleet.hearing import ALL, listen
from crawler.fleet.link import Link
from crawler.fleet.target import target_of
from tests.support.redis_server import RedisServer, require_redis


@pytest.fixture
def server(tmp_path):
    require_redis()
    with RedisServer(tmp_path) as server:
        yield server


def subscriptions(server):
    stats = server.client().info("commandstats").get("cmdstat_subscribe", {})
    return stats.get("calls", 0)


async def test_one_connection_hears_all_events_however_quiet_it_is(server):
    link = await Link.open(target_of(server.url, "news", {}))
    heard = asyncio.Queue()
    listening = asyncio.create_task(listen(link, ("a", "b"), heard.put_nowait, quiet_s=0.05))
    try:
        assert await heard.get() == ALL
        before = server.client().info("commandstats")["cmdstat_ping"]["calls"]
        while server.client().info("commandstats")["cmdstat_ping"]["calls"] < before + 3:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        server.client().publish("b", "members")
        assert await heard.get() == "members"
        assert subscriptions(server) == 1
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await link.aclose()
