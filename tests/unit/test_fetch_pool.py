"""Which idle connection is used again, and when one no longer is."""

from __future__ import annotations

import asyncio
import sys

import pytest

from crawler.config import FetchConfig
from crawler.fetch.http import HttpFetcher
from crawler.fetch.pool import KEEPALIVE_S
from crawler.models import Response
from tests.support.clock import FakeClock
from tests.support.fetching import get, until
from tests.support.rawserver import RawServer, page


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def fetcher(clock):
    made = HttpFetcher(FetchConfig(), clock, concurrency=4)
    yield made
    await made.aclose()


async def test_connection_idle_for_too_long_is_closed_and_not_used(fetcher, clock):
    async with RawServer(page()) as server:
        await get(fetcher, server.url())
        clock.advance(KEEPALIVE_S - 1)
        await get(fetcher, server.url())
        assert server.connections == 1
        clock.advance(KEEPALIVE_S + 1)
        await get(fetcher, server.url())
        assert server.connections == 2
        await server.left.wait()


async def test_connection_idle_for_too_long_is_closed_though_nobody_asks_for_it(fetcher, clock):
    async with RawServer(page()) as old, RawServer(page()) as young:
        await get(fetcher, old.url())
        clock.advance(KEEPALIVE_S)
        await get(fetcher, young.url())
        clock.advance(1)
        fetcher._idle._sweep()
        await old.left.wait()
        assert [origin for origin, *_ in fetcher._idle.ways()] == [young.url("")]
        assert fetcher._idle._timer is not None


async def test_connection_used_last_is_used_first(fetcher):
    both = asyncio.Barrier(2)
    finished = asyncio.Event()

    async def answer(head, peer):
        if b"/both" in head:
            await both.wait()
            if peer.number == 1:
                await finished.wait()
        await peer.send(page(b"%d" % peer.number))

    async with RawServer(answer) as server:
        fetches = [asyncio.create_task(get(fetcher, server.url("/both"))) for _ in range(2)]
        await until(lambda: len(fetcher._idle) == 1)
        finished.set()
        await asyncio.gather(*fetches)
        assert (await get(fetcher, server.url())).body == b"1"


@pytest.mark.parametrize("said", [b"x" * 10_000_000, page(b"stray", status=b"408 Request Timeout")])
@pytest.mark.parametrize("closes", [True, False])
async def test_connection_that_speaks_while_idle_is_neither_read_nor_used(fetcher, said, closes):
    idle = asyncio.Event()

    async def answer(head, peer):
        await peer.send(page(b"own"))
        if peer.number == 0:
            await idle.wait()
            await peer.send(said)
            if closes:
                peer.close()

    async with RawServer(answer) as server:
        await get(fetcher, server.url())
        (protocol,) = fetcher._idle
        idle.set()
        await until(lambda: protocol.should_close)
        assert protocol.transport is None or not protocol.transport.is_reading()
        assert (await get(fetcher, server.url())).body == b"own"
        assert server.connections == 2


async def test_idle_connection_holds_nothing_of_its_last_answer(fetcher):
    async with RawServer(page(b"x" * 1000)) as server:
        response = await get(fetcher, server.url())
        assert len(fetcher._idle) == 1
        await asyncio.sleep(0)  # the callback that woke this task up has it, too
        alone = Response(url=response.url, status=200, body=bytes(1000))
        assert sys.getrefcount(response.body) == sys.getrefcount(alone.body)


async def test_connection_that_ended_is_known_no_longer(fetcher):
    async def answer(head, peer):
        await peer.send(page())
        peer.close()

    async with RawServer(answer) as server:
        await get(fetcher, server.url())
        await until(lambda: not fetcher._connector._acquired)
        assert not fetcher._idle
        assert fetcher._idle.ways() == []
