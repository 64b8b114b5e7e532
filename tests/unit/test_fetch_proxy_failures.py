"""What fails on the way through a proxy: who is to blame, what it means for the next request, what is told."""

from __future__ import annotations

import asyncio
import logging

import pytest
import uvloop

from crawler.errors import FetchError
from crawler.fetch.resolver import Resolver
from tests.support.fetching import fetcher_for, get
from tests.support.proxy import LOGIN, SENT, Asking, RawProxy, failure_of, turn
from tests.support.rawserver import RawServer, page

REFUSED = page(b"no", status=b"503 Service Unavailable")


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_server_is_to_blame_for_its_certificate_and_is_asked_nothing(server_tls, loop_factory):
    async def ask():
        async with RawServer(page(), tls=server_tls) as server, RawProxy() as proxy, Asking(proxy) as fetcher:
            error = await failure_of(fetcher, f"https://other.test:{server.port}/")
            assert (error.reason, server.heads) == ("tls", [])
            assert not fetcher._proxies._rota._rests

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(ask())


@pytest.mark.usefixtures("trusting")
async def test_proxy_is_to_blame_for_its_own_certificate(server_tls):
    async with RawProxy(tls=server_tls) as proxy, Asking(proxy, named="other.test") as fetcher:
        error = await failure_of(fetcher, "http://shop.test/")
    assert error.reason == "proxy"
    assert error.detail.startswith(f"other.test:{proxy.port}: hostname mismatch")
    assert proxy.heads == []


async def test_dead_proxy_is_rested_and_its_hosts_move_to_the_next():
    async with RawServer(page()) as server, RawProxy() as one, RawProxy() as other, Asking(one, other) as fetcher:
        url = server.url()
        dead = (one, other)[turn(fetcher, url, (one, other))]
        dead._server.close()
        await dead._server.wait_closed()
        error = await failure_of(fetcher, url)
        assert error.reason == "proxy"
        assert error.detail.startswith(f"127.0.0.1:{dead.port}: ClientConnectorError")
        for _ in range(2):
            assert (await get(fetcher, url)).status == 200
    assert (dead.heads, len(one.heads + other.heads)) == ([], 2)


async def test_where_all_proxies_are_dead_they_are_tried_in_turn_and_used_once_back():
    async with RawServer(page()) as server, RawProxy() as one, RawProxy() as other, Asking(one, other) as fetcher:
        one.refusal = other.refusal = page(status=b"407 Proxy Authentication Required")
        for _ in range(3):
            assert (await failure_of(fetcher, server.url())).reason == "proxy"
        assert (one.connections, other.connections) in {(1, 2), (2, 1)}
        one.refusal = other.refusal = None
        assert (await get(fetcher, server.url())).status == 200
    assert len(server.heads) == 1


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_credentials_refused_are_the_proxys_failure_unless_a_host_may_have_said_so(scheme):
    async with RawProxy() as one, RawProxy() as other, Asking(one, other) as fetcher:
        proxies = (one, other)
        one.refusal = other.refusal = page(b"who?", status=b"407 Proxy Authentication Required")
        hosts = [f"{scheme}://host{number}.test/" for number in range(40)]
        refusing = turn(fetcher, hosts[0], proxies)
        hosts = [host for host in hosts if turn(fetcher, host, proxies) == refusing]
        assert (await failure_of(fetcher, hosts[0])).reason == "proxy"
        moved = [host for host in hosts if turn(fetcher, host, proxies) != refusing]
    assert moved == (hosts if scheme == "https" else hosts[:1])


@pytest.mark.parametrize("refusal", [REFUSED, page(status=b"403 Forbidden"), b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
async def test_tunnel_that_is_not_opened_moves_that_host_alone(refusal):
    calls = []
    async with RawProxy() as one, RawProxy() as other, Asking(one, other) as fetcher:
        proxies = (one, other)
        one.refusal = other.refusal = refusal
        hosts = [f"https://host{number}.test/" for number in range(12)]
        before = [turn(fetcher, host, proxies) for host in hosts]
        assert (await failure_of(fetcher, hosts[0], lambda: calls.append(1))).reason == "proxy"
        assert [turn(fetcher, host, proxies) for host in hosts] == [1 - before[0], *before[1:]]
        assert (await failure_of(fetcher, hosts[0])).reason == "proxy"
    assert (len(one.heads), len(other.heads), calls) == (1, 1, [])


async def test_status_through_a_proxy_is_the_servers_answer():
    async with RawProxy() as proxy, Asking(proxy) as fetcher:
        proxy.refusal = REFUSED
        response = await get(fetcher, "http://shop.test/")
        assert (response.status, response.body) == (503, b"no")
        assert not fetcher._proxies._rota._rests


@pytest.mark.parametrize(("scheme", "reason"), [("https", "proxy"), ("http", "timeout")])
async def test_silence_is_the_proxys_before_the_request_is_sent_and_the_servers_after(scheme, reason):
    async with RawProxy() as proxy, Asking(proxy) as fetcher:
        proxy.silent = True
        fetch = asyncio.create_task(failure_of(fetcher, f"{scheme}://shop.test/"))
        await proxy.asked.wait()
        for attempt in fetcher._deadlines._attempts:
            attempt.expires_at = 0
        assert (await fetch).reason == reason
    assert len(proxy.heads) == 1


async def test_cancellation_while_a_tunnel_is_being_opened_rests_nothing():
    async with RawProxy() as proxy, Asking(proxy) as fetcher:
        proxy.silent = True
        fetch = asyncio.create_task(get(fetcher, "https://shop.test/"))
        await proxy.asked.wait()
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        await proxy.left.wait()
        assert not fetcher._proxies._rota._rests


async def test_proxy_whose_name_does_not_resolve_is_its_own_failure():
    def lookup(name):
        return []

    fetcher = fetcher_for(resolver=Resolver({}, lookup), proxy=f"http://{LOGIN}@nowhere.test:3128")
    error = await failure_of(fetcher, "http://shop.test/")
    await fetcher.aclose()
    assert error.reason == "proxy"
    assert error.detail.startswith("nowhere.test:3128: ClientConnectorDNSError")


@pytest.mark.parametrize(
    "refusal", [REFUSED, b"", page(b"", b"X: us@er pass:word", status=b"407 us@er pass:word"), None]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_credentials_stand_in_no_error_and_no_log(refusal, scheme, caplog):
    shown = []
    with caplog.at_level(logging.DEBUG):
        async with RawProxy() as proxy, Asking(proxy) as fetcher:
            proxy.refusal = refusal
            if refusal is None:
                proxy._server.close()
            try:
                await get(fetcher, f"{scheme}://shop.test/")
            except FetchError as error:
                raised = error
                while raised is not None:
                    shown += [str(raised), repr(raised), repr(raised.args)]
                    raised = raised.__cause__ or raised.__context__
            shown.append(repr([fetcher._idle.ways(), *fetcher._connector._acquired]))
    text = "".join(shown) + caplog.text
    for secret in (LOGIN, "us@er", "pass:word", "pass%3A", SENT.decode().rpartition(" ")[2]):
        assert secret not in text
