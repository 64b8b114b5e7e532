"""The fetcher against a real server on loopback: what is sent, what comes back, how connections are used."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from crawler.clock import SystemClock
from crawler.config import FetchConfig
from crawler.errors import ConfigError, FetchError
from crawler.fetch.http import HttpFetcher
from crawler.fetch.resolver import Resolver
from crawler.models import Kind
from tests.support.fetching import get
from tests.support.rawserver import RawServer, page


@pytest.fixture
async def fetcher():
    made = HttpFetcher(FetchConfig(user_agent="testbot/1.0"), SystemClock(), concurrency=8)
    yield made
    await made.aclose()


async def test_response_is_what_the_server_sent(fetcher):
    async with RawServer(page(b"<p>\xff\x00", b"X-One: 1", b"x-one: \xe9", status=b"404 Gone Fishing")) as server:
        response = await get(fetcher, server.url("/a"))
    assert response.status == 404
    assert response.headers == ((b"X-One", b"1"), (b"x-one", b"\xe9"), (b"Content-Length", b"5"))
    assert response.body == b"<p>\xff\x00"
    assert response.url == server.url("/a")
    assert response.address == "127.0.0.1"


async def test_request_says_who_asks_and_nothing_more_than_once(fetcher):
    async with RawServer(page()) as server:
        await get(fetcher, server.url())
    request_line, *headers = server.heads[0].decode().split("\r\n")
    names = [line.partition(":")[0] for line in headers if line]
    assert request_line == "GET / HTTP/1.1"
    assert names == ["Host", "User-Agent", "Accept", "Accept-Encoding"]
    assert f"Host: 127.0.0.1:{server.port}" in headers
    assert "User-Agent: testbot/1.0" in headers
    assert "Accept-Encoding: gzip, deflate, br, zstd" in headers


async def test_configured_header_replaces_ours_whatever_its_case():
    fetcher = HttpFetcher(FetchConfig(headers={"accept": "text/plain", "X-Key": "k"}), SystemClock(), concurrency=1)
    async with RawServer(page()) as server:
        await get(fetcher, server.url())
        await fetcher.aclose()
    head = server.heads[0].lower()
    assert head.count(b"\r\naccept:") == 1
    assert b"\r\naccept: text/plain\r\n" in head
    assert b"\r\nx-key: k\r\n" in head


@pytest.mark.parametrize(
    "headers", [{"X": "a\r\nY: b"}, {"X Y": "a"}, {"Host": "other"}, {"user-agent": "b"}, {"": "a"}, {"X": "é"}]
)
async def test_header_that_cannot_be_sent_is_refused_at_the_start(headers):
    with pytest.raises(ConfigError, match=r"fetch\.headers"):
        HttpFetcher(FetchConfig(headers=headers), SystemClock(), concurrency=1)


@pytest.mark.parametrize(
    "target", ["/%7e", "/a;b|c", "/a?b=%2F&c=%20+;d", "//x//y/", "/?", "/a%2fb", "/?q=[]'\"", "/%"]
)
async def test_url_is_sent_byte_for_byte(fetcher, target):
    async with RawServer(page()) as server:
        await get(fetcher, server.url(target))
    assert server.heads[0].split(b" ")[1] == target.encode()


async def test_connection_is_kept_and_used_again(fetcher):
    async with RawServer(page()) as server:
        for _ in range(5):
            await get(fetcher, server.url())
        assert (server.connections, len(server.heads)) == (1, 5)
    assert not fetcher._deadlines._attempts


async def test_robots_request_is_a_request_like_any_other(fetcher):
    async with RawServer(page(b"User-agent: *")) as server:
        response = await get(fetcher, server.url("/robots.txt"), kind=Kind.ROBOTS)
    assert response.body == b"User-agent: *"


async def test_hundred_fetches_at_once_get_each_its_own_answer(fetcher):
    async def echo(head, peer):
        if len(server.heads) == 100:
            all_there.set()
        await all_there.wait()
        await peer.send(page(head.split(b" ")[1]))

    all_there = asyncio.Event()
    async with RawServer(echo) as server:
        responses = await asyncio.gather(*(get(fetcher, server.url(f"/{n}")) for n in range(100)))
    assert [r.body for r in responses] == [b"/%d" % n for n in range(100)]
    assert len(server.heads) == 100


async def test_idle_connections_are_capped_and_the_longest_idle_go_first():
    fetcher = HttpFetcher(FetchConfig(), SystemClock(), concurrency=1)
    async with RawServer(page()) as first, RawServer(page()) as second, RawServer(page()) as third:
        for server in (first, second, third):
            await get(fetcher, server.url())
        await first.left.wait()
        assert not second.left.is_set()
        await get(fetcher, third.url())
        await get(fetcher, second.url())
        assert (second.connections, third.connections) == (1, 1)
        await fetcher.aclose()


async def test_chunked_body_is_put_together(fetcher):
    chunks = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n"
    async with RawServer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks) as server:
        assert (await get(fetcher, server.url())).body == b"hello world"
        await get(fetcher, server.url())
        assert server.connections == 1


async def test_body_may_end_with_the_connection(fetcher):
    async def answer(head, peer):
        await peer.send(b"HTTP/1.0 200 OK\r\n\r\nhello")
        peer.close()

    async with RawServer(answer) as server:
        assert (await get(fetcher, server.url())).body == b"hello"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_status_without_a_body_is_complete_whatever_length_it_announces(status):
    fetcher = HttpFetcher(FetchConfig(max_body_bytes=10), SystemClock(), concurrency=1)
    async with RawServer(b"HTTP/1.1 " + status + b"\r\nContent-Length: 99\r\n\r\n") as server:
        response = await get(fetcher, server.url())
        await fetcher.aclose()
    assert (response.status, response.body) == (int(status[:3]), b"")


async def test_interim_answers_are_passed_over(fetcher):
    async with RawServer(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + page(b"final")) as server:
        assert (await get(fetcher, server.url())).body == b"final"


async def test_redirect_is_not_followed(fetcher):
    async with RawServer(page(b"", b"Location: /elsewhere", status=b"302 Found")) as server:
        response = await get(fetcher, server.url())
    assert (response.status, response.header(b"location"), len(server.heads)) == (302, "/elsewhere", 1)


async def test_compressed_body_stays_compressed(fetcher):
    body = gzip.compress(b"text " * 100)
    async with RawServer(page(body, b"Content-Encoding: gzip")) as server:
        assert (await get(fetcher, server.url())).body == body


async def test_long_and_many_header_lines_are_read(fetcher):
    headers = [b"X-Long: " + b"v" * 60_000, *(b"X-%d: y" % n for n in range(200))]
    async with RawServer(page(b"ok", *headers, status=b"200 " + b"O" * 10_000)) as server:
        assert len((await get(fetcher, server.url())).headers) == 202


async def test_body_larger_than_the_socket_buffers_is_whole(fetcher):
    body = bytes(range(256)) * 8192
    async with RawServer(page(body)) as server:
        assert (await get(fetcher, server.url())).body == body


async def test_cookies_are_kept_only_if_asked_for(fetcher):
    keeping = HttpFetcher(FetchConfig(cookies=True, resolve={"*.test": "127.0.0.1"}), SystemClock(), concurrency=1)
    async with RawServer(page(b"", b"Set-Cookie: a=1; Path=/", b"Set-Cookie: b=2; Path=/")) as server:
        for host in ("one.test", "one.test", "two.test"):
            await get(keeping, f"http://{host}:{server.port}/")
        await get(fetcher, server.url())
        await get(fetcher, server.url())
        await keeping.aclose()
    cookies = [[line for line in head.split(b"\r\n") if line.startswith(b"Cookie:")] for head in server.heads]
    assert cookies == [[], [b"Cookie: a=1; b=2"], [], [], []]


async def test_started_is_called_after_connecting_and_before_the_answer(fetcher):
    events = []

    async def answer(head, peer):
        events.append("asked")
        await peer.send(page())

    async with RawServer(answer) as server:
        await get(fetcher, server.url(), lambda: events.append("started"))
        events.append("answered")
    assert sorted(events[:2]) == ["asked", "started"]
    assert events[2:] == ["answered"]


async def test_started_is_called_while_the_server_still_thinks(fetcher):
    started = asyncio.Event()

    async def answer(head, peer):
        await started.wait()  # a fetcher that said so only with the answer would wait for ever
        await peer.send(page())

    async with RawServer(answer) as server:
        await get(fetcher, server.url(), started.set)


async def test_connecting_does_not_count_as_started():
    released, looked_up = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def lookup(name):
        loop.call_soon_threadsafe(looked_up.set)
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return ["127.0.0.1"]

    fetcher = HttpFetcher(FetchConfig(), SystemClock(), concurrency=1, resolver=Resolver({}, lookup))
    calls = []
    async with RawServer(page()) as server:
        fetch = asyncio.create_task(get(fetcher, f"http://slow.test:{server.port}/", lambda: calls.append(1)))
        await looked_up.wait()
        assert calls == []
        released.set()
        await fetch
        assert calls == [1]
        await fetcher.aclose()


async def test_times_run_from_the_request_head_to_the_last_byte():
    class Steps:
        now = 100.0

        def monotonic(self):
            return self.now

        def wall(self):
            return self.now + 1e9

    clock = Steps()
    fetcher = HttpFetcher(FetchConfig(), clock, concurrency=1)

    async def answer(head, peer):
        clock.now += 2
        await peer.send(page())

    def started():
        clock.now += 3

    async with RawServer(answer) as server:
        response = await get(fetcher, server.url(), started)
        await fetcher.aclose()
    assert response.fetched_at == 1e9 + 100
    assert response.elapsed_s == 5


async def test_cancellation_closes_the_connection_and_stays_a_cancellation(fetcher):
    async def answer(head, peer):
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await peer.gone()
        left.set()

    left = asyncio.Event()
    async with RawServer(answer) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await server.asked.wait()
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        await left.wait()


async def test_answer_to_a_cancelled_fetch_is_not_given_to_the_next(fetcher):
    async def answer(head, peer):
        if b"/first" in head:
            await cancelled.wait()
        await peer.send(page(head.split(b" ")[1]))

    cancelled = asyncio.Event()
    async with RawServer(answer) as server:
        first = asyncio.create_task(get(fetcher, server.url("/first")))
        await server.asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        cancelled.set()
        assert (await get(fetcher, server.url("/second"))).body == b"/second"
        assert server.connections == 2


async def test_failed_fetch_leaves_no_connection_to_be_used_again(fetcher):
    async def answer(head, peer):
        await peer.send(page(b"x" * 40) if b"/ok" in head else b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")

    async with RawServer(answer) as server:
        with pytest.raises(FetchError):
            await get(fetcher, server.url("/bad"))
        assert len((await get(fetcher, server.url("/ok"))).body) == 40
        assert server.connections == 2
