"""A fetcher for tests, and servers that misbehave in one way each."""

from __future__ import annotations

import asyncio

import pytest

from crawler.clock import SystemClock
from crawler.config import FetchConfig
from crawler.errors import FetchError
from crawler.fetch.deadlines import Deadlines
from crawler.fetch.http import HttpFetcher
from crawler.models import HostKey, Kind, Request, Url
from crawler.reasons import REASONS
from tests.support.rawserver import RawServer

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def fetcher_for(window_s=0.05, resolver=None, **limits):
    """A fetcher that looks at its deadlines often."""
    config = FetchConfig(**limits)
    deadlines = Deadlines(config, SystemClock(), sweep_s=0.005, window_s=window_s)
    return HttpFetcher(config, SystemClock(), concurrency=4, deadlines=deadlines, resolver=resolver)


def nothing():
    """For whom the start of a request does not matter."""


async def get(fetcher, url, started=nothing, kind=Kind.PAGE):
    return await fetcher.fetch(Request(url=Url(url), host_key=HostKey("h"), scope_host="h", kind=kind), started)


async def failure(answer, started=nothing, **limits):
    """How the fetch of a server that gives `answer` fails, and the server."""
    fetcher = fetcher_for(**limits)
    async with RawServer(answer) as server:
        with pytest.raises(FetchError) as caught:
            await get(fetcher, server.url(), started)
        await fetcher.aclose()
    assert caught.value.reason in REASONS
    return caught.value, server


async def until(true):
    """Let the loop turn until `true()` is; the test's own timeout is the limit."""
    while not true():  # noqa: ASYNC110 -- what is waited for happens inside the fetcher, which has no event for it
        await asyncio.sleep(0)


def fed(protocol, limit, pieces):
    """The answer that comes of these pieces, which may still be to come; no more are fed once it is there."""
    answer = protocol.expect(limit=limit)
    for piece in pieces:
        if answer.done():
            break
        protocol.data_received(memoryview(piece))
    return answer


def body_begun(fetcher):
    return lambda: any(attempt.received for attempt in fetcher._deadlines._attempts)


def says(data, then="close"):
    """A server that sends `data`, then closes, resets or keeps the connection."""

    async def answer(head, peer):
        await peer.send(data)
        await {"close": hang_up, "reset": break_off, "stay": stay}[then](peer)

    return answer


async def hang_up(peer):
    peer.close()


async def break_off(peer):
    peer.reset()


async def stay(peer):
    await peer.gone()
