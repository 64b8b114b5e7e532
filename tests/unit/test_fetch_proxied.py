"""Requests through proxies: what the proxy sees and what the server sees."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from crawler.clock import SystemClock
from crawler.config import FetchConfig, HostFetchConfig
from crawler.fetch.http import HttpFetcher
from crawler.fetch.resolver import Resolver
from crawler.models import HostKey, Kind, Request, Url
from tests.support.fetching import get, nothing
from tests.support.proxy import LOGIN, SENT, Asking, RawProxy
from tests.support.rawserver import RawServer, page


@pytest.mark.parametrize("kind", [Kind.PAGE, Kind.ROBOTS])
async def test_proxy_is_asked_for_the_whole_url_and_alone_gets_the_credentials(kind):
    async with RawServer(page(b"hello")) as server, RawProxy() as proxy, Asking(proxy) as fetcher:
        url = f"http://shop.test:{server.port}/a?b=%2F"
        response = await get(fetcher, url, kind=kind)
    assert (response.body, response.url, response.address) == (b"hello", url, None)
    assert proxy.lines() == [f"GET {url}"]
    assert SENT in proxy.heads[0].split(b"\r\n")
    assert f"\r\nHost: shop.test:{server.port}\r\n".encode() in proxy.heads[0]
    assert server.heads == [proxy.heads[0].replace(url.encode(), b"/a?b=%2F").replace(SENT + b"\r\n", b"")]


@pytest.mark.usefixtures("trusting")
async def test_tunnel_is_asked_for_by_name_and_alone_gets_the_credentials(server_tls):
    async with RawServer(page(b"secret"), tls=server_tls) as server, RawProxy() as proxy, Asking(proxy) as fetcher:
        for path in ("/a", "/b"):
            response = await get(fetcher, f"https://shop.test:{server.port}{path}")
            assert (response.body, response.address) == (b"secret", None)
            assert LOGIN not in repr([fetcher._idle.ways(), *fetcher._connector._acquired])
    authority = f"shop.test:{server.port}"
    assert proxy.heads == [f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n".encode() + SENT + b"\r\n\r\n"]
    assert [head.split(b" ")[1] for head in server.heads] == [b"/a", b"/b"]
    assert not any(b"Proxy-" in head for head in server.heads)
    assert (server.connections, proxy.connections) == (1, 1)


async def test_proxy_without_a_login_gets_none():
    async with RawServer(page()) as server, RawProxy() as proxy, Asking(proxy, proxy=proxy.url()) as fetcher:
        await get(fetcher, server.url())
    assert b"Proxy-" not in proxy.heads[0]


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_proxy_may_be_spoken_to_over_tls_even_within_which_there_is_tls(server_tls, loop_factory):
    async def ask():
        async with (
            RawServer(page(b"plain")) as plain, RawServer(page(b"secret"), tls=server_tls) as secret,
            RawProxy(tls=server_tls) as proxy, Asking(proxy, named="proxy.test") as fetcher,
        ):  # fmt: skip
            for _ in range(2):
                assert (await get(fetcher, f"http://shop.test:{plain.port}/")).body == b"plain"
                assert (await get(fetcher, f"https://shop.test:{secret.port}/")).body == b"secret"
            assert (plain.connections, secret.connections, proxy.connections) == (1, 1, 2)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(ask())


async def test_host_keeps_to_its_proxy():
    async with RawServer(page()) as server, RawProxy() as one, RawProxy() as other, Asking(one, other) as fetcher:
        for _ in range(2):
            for number in range(12):
                await get(fetcher, f"http://host{number}.test:{server.port}/")
    assert not set(one.lines()) & set(other.lines())
    assert len(one.heads) + len(other.heads) == 24


async def test_connection_of_one_host_is_not_used_for_another_nor_for_one_without_a_proxy():
    direct = {"direct.test": HostFetchConfig(proxy="direct")}
    async with RawServer(page()) as server, RawProxy() as proxy, Asking(proxy, hosts=direct) as fetcher:
        for _ in range(2):
            for host in ("one.test", "two.test", "direct.test"):
                await get(fetcher, f"http://{host}:{server.port}/")
    assert (proxy.connections, len(proxy.heads), server.connections, len(server.heads)) == (2, 4, 3, 6)


async def test_request_tried_again_goes_over_a_new_connection():
    async with RawServer(page()) as server, RawProxy() as proxy, Asking(proxy) as fetcher:
        url = Url(server.url())
        await get(fetcher, url)
        await fetcher.fetch(Request(url=url, host_key=HostKey("h"), scope_host="h", attempt=2), nothing)
        await get(fetcher, url)
    assert (proxy.connections, len(proxy.heads)) == (2, 3)


async def test_request_has_started_only_when_the_server_is_asked(server_tls, trusting):
    calls, seen = [], []

    async def answer(head, peer):
        seen.append(list(calls))
        await peer.send(page())

    async with RawServer(answer, tls=server_tls) as server, RawProxy() as proxy, Asking(proxy) as fetcher:
        await get(fetcher, f"https://shop.test:{server.port}/", lambda: calls.append(len(proxy.heads)))
    assert (calls, seen) == ([1], [[1]])


async def test_excepted_hosts_of_the_environment_go_without(monkeypatch):
    async with RawServer(page()) as server, RawProxy() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"{LOGIN}@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "direct.test")
        async with Asking(proxy="environment") as fetcher:
            for host in ("direct.test", "shop.test"):
                await get(fetcher, f"http://{host}:{server.port}/")
    assert proxy.lines() == [f"GET http://shop.test:{server.port}/"]
    assert SENT in proxy.heads[0]


async def test_names_behind_a_proxy_are_not_looked_up_but_the_proxys_is():
    def lookup(name):
        names.append(name)
        return ["127.0.0.1"]

    names = []
    async with RawServer(page()) as server, RawProxy() as proxy:
        fetch = FetchConfig(proxy=f"http://proxy.test:{proxy.port}", hosts={"b.test": HostFetchConfig(proxy="direct")})
        fetcher = HttpFetcher(fetch, SystemClock(), concurrency=1, resolver=Resolver({}, lookup))
        assert await fetcher.locate("a.test") == ()
        await get(fetcher, f"http://a.test:{server.port}/")
        assert names == ["proxy.test"]
        assert await fetcher.locate("b.test") == ("127.0.0.1",)
        await fetcher.aclose()
