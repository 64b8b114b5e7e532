<<<<<<< HEAD
"""What workers tell each other is heard, by a connection that is made once."""

from __future__ import annotations
=======
"""What workers hear of each other, from a real Redis."""
>>>>>>> fleet

import asyncio

import pytest

from crawler.fleet.hearing import ALL, listen
<<<<<<< HEAD
from tests.support.redis_server import RedisServer, require_redis


@pytest.mark.slow
async def test_events_of_several_channels_are_heard_over_one_connection(tmp_path):
    require_redis()
    from crawler.fleet.link import Link
    from crawler.fleet.target import target_of

    with RedisServer(tmp_path / "redis") as server:
        link = await Link.open(target_of(server.url, "x", {}))
        heard: asyncio.Queue[str] = asyncio.Queue()
        listening = asyncio.create_task(listen(link, ("a", "b", "c"), heard.put_nowait, quiet_s=0.1))
        try:
            assert await heard.get() == ALL
            for channel in ("a", "b", "c"):
                await link.client.publish(channel, f"to {channel}")
            assert [await heard.get() for _ in range(3)] == ["to a", "to b", "to c"]
            with pytest.raises(TimeoutError):  # silence is asked about, and answered
                await asyncio.wait_for(heard.get(), 0.6)
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            await link.aclose()
=======
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
        while server.client().info("commandstats")["cmdstat_ping"]["calls"] < before + 3:  # it was quiet thrice
            await asyncio.sleep(0)
        server.client().publish("b", "members")
        assert await heard.get() == "members"
        assert subscriptions(server) == 1
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await link.aclose()
>>>>>>> fleet
