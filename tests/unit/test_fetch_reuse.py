"""Which connection a request goes over, and what a failure tells of it."""

from __future__ import annotations

import asyncio

import pytest

from crawler.errors import FetchError
from crawler.models import HostKey, Request, Url
from tests.support.fetching import HEAD, failure, fetcher_for, get, nothing, says, until
from tests.support.rawserver import RawServer, page


def retry_of(url):
    return Request(url=Url(url), host_key=HostKey("h"), scope_host="h", attempt=2)


async def idle_connections(fetcher, server, count):
    """Leave `count` kept-alive connections to `server`, which answers once as many have asked."""
    await asyncio.gather(*(get(fetcher, server.url()) for _ in range(count)))
    assert len(fetcher._idle) == count


async def test_request_tried_again_goes_over_a_new_connection_however_many_are_idle():
    together = asyncio.Barrier(3)

    async def answer(head, peer):
        if peer.number < 3:
            await together.wait()
        await peer.send(page())

    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        await idle_connections(fetcher, server, 3)
        await fetcher.fetch(retry_of(server.url()), nothing)
        assert server.connections == 4
        await get(fetcher, server.url())  # which the next request uses
        assert server.connections == 4
        await until(lambda: len(fetcher._idle) == 1)
        await fetcher.aclose()


async def test_server_that_drops_kept_connections_fails_no_request_twice():
    async def answer(head, peer):
        if peer.number in asked:
            peer.close()
        else:
            asked.add(peer.number)
            await peer.send(page())

    asked = set()
    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        await get(fetcher, server.url())
        for _ in range(5):
            with pytest.raises(FetchError, match="on a reused connection") as caught:
                await get(fetcher, server.url())
            assert caught.value.reason == "reset"
            await fetcher.fetch(retry_of(server.url()), nothing)
        await fetcher.aclose()


async def test_other_servers_keep_their_connections_when_a_request_is_tried_again():
    fetcher = fetcher_for()
    async with RawServer(page()) as one, RawServer(page()) as other:
        await get(fetcher, one.url())
        await get(fetcher, other.url())
        await fetcher.fetch(retry_of(one.url()), nothing)
        await get(fetcher, other.url())
        await fetcher.aclose()
    assert (one.connections, other.connections) == (2, 1)


@pytest.mark.parametrize("answer", [says(b""), says(HEAD + b"Content-Length: 9\r\n\r\nhalf", "stay")])
async def test_failure_on_a_new_connection_says_so(answer):
    error, _ = await failure(answer)
    assert "on a new connection" in error.detail


async def test_failure_without_a_connection_tells_of_none():
    fetcher = fetcher_for()
    async with RawServer(page()) as server:
        url = server.url()
    with pytest.raises(FetchError) as caught:
        await get(fetcher, url)
    await fetcher.aclose()
    assert caught.value.reason == "connect"
    assert "connection)" not in caught.value.detail
