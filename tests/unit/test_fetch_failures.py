"""What goes wrong at a server becomes one reason, in time, and nothing is asked twice."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest

from crawler.errors import FetchError
from crawler.fetch.resolver import Resolver
from tests.support.fetching import CHUNKED, HEAD, body_begun, failure, fetcher_for, get, says, until
from tests.support.rawserver import RawServer, page


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(b""), "reset"),
        (says(b"", "reset"), "reset"),
        (says(HEAD + b"X-Half: "), "reset"),
        (says(HEAD + b"Content-Length: 9\r\n\r\nhalf"), "incomplete"),
        (says(CHUNKED + b"5\r\nhel"), "incomplete"),
        (says(CHUNKED + b"5\r\nhello\r\n"), "incomplete"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
        (says(b"<html>no status line</html>\r\n\r\n", "stay"), "protocol"),
        (says(b"HTTP/1.1 abc OK\r\n\r\n"), "protocol"),
        (says(HEAD + b"Content-Length: 5, 6\r\n\r\n", "stay"), "protocol"),
        (says(HEAD + b"X-Long: " + b"y" * 300_000 + b"\r\n\r\n", "stay"), "protocol"),
        (says(HEAD + b"X: y\r\n" * 6000 + b"\r\n", "stay"), "protocol"),
        (says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "stay"), "protocol"),
        (says(CHUNKED + b"zz\r\n", "stay"), "protocol"),
    ],
)
async def test_broken_answer_has_its_reason(answer, reason):
    error, server = await failure(answer)
    assert error.reason == reason
    assert len(server.heads) == 1


@pytest.mark.parametrize("framing", [b"Content-Length: 9\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n9\r\n", b"\r\n"])
async def test_connection_reset_within_the_body_is_never_a_whole_body(framing):
    reading = asyncio.Event()

    async def answer(head, peer):
        await peer.send(HEAD + framing + b"half")
        await reading.wait()
        peer.reset()

    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await server.asked.wait()
        await until(body_begun(fetcher))
        reading.set()
        with pytest.raises(FetchError) as caught:
            await fetch
        await fetcher.aclose()
    assert caught.value.reason == "reset"


async def test_bad_chunk_after_good_ones_fails_at_once():
    going_on = asyncio.Event()

    async def answer(head, peer):
        await peer.send(CHUNKED + b"5\r\nhello\r\n")
        await going_on.wait()
        await peer.send(b"zz\r\n")
        await peer.gone()

    fetcher = fetcher_for(min_speed=0)
    async with RawServer(answer) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await until(body_begun(fetcher))
        going_on.set()
        with pytest.raises(FetchError) as caught:
            await fetch
        await fetcher.aclose()
    assert caught.value.reason == "protocol"


def between_connect_and_write(monkeypatch, fetcher, happens):
    """Await `happens(protocol)` before the request is written on a connection just made."""
    connect = fetcher._connector.connect

    async def connect_and_wait(*arguments):
        connection = await connect(*arguments)
        await happens(connection.protocol)
        return connection

    monkeypatch.setattr(fetcher._connector, "connect", connect_and_wait)


async def test_connection_gone_before_the_request_is_a_reset_that_never_started(monkeypatch):
    async def drop(protocol):
        protocol.transport.close()

    fetcher = fetcher_for()
    between_connect_and_write(monkeypatch, fetcher, drop)
    calls = []
    async with RawServer(page()) as server:
        with pytest.raises(FetchError, match="reset"):
            await get(fetcher, server.url(), lambda: calls.append(1))
        await fetcher.aclose()
    assert (server.heads, calls) == ([], [])


async def test_answer_that_comes_before_the_question_is_no_answer(monkeypatch):
    fetcher = fetcher_for()
    between_connect_and_write(monkeypatch, fetcher, lambda protocol: until(lambda: protocol.should_close))
    calls = []
    async with RawServer(page(b"mine"), greeting=page(b"not yours")) as server:
        with pytest.raises(FetchError, match="protocol"):
            await get(fetcher, server.url(), lambda: calls.append(1))
        await fetcher.aclose()
    assert (server.heads, calls) == ([], [])


async def test_answer_nobody_asked_for_is_not_given_to_the_next_request():
    idle = asyncio.Event()

    async def answer(head, peer):
        await peer.send(page(head.split(b" ")[1]))
        if b"/1 " in head:
            await idle.wait()
            await peer.send(page(b"stray"))

    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        assert (await get(fetcher, server.url("/1"))).body == b"/1"
        idle.set()
        await until(lambda: next(iter(fetcher._idle)).should_close)
        assert (await get(fetcher, server.url("/2"))).body == b"/2"
        await fetcher.aclose()
    assert [head.split(b" ")[1] for head in server.heads] == [b"/1", b"/2"]


async def test_request_is_not_sent_again_when_a_kept_connection_drops_under_it():
    async def answer(head, peer):
        if b"/second" in head:
            peer.close()
        else:
            await peer.send(page())

    fetcher = fetcher_for()
    calls = []
    async with RawServer(answer) as server:
        await get(fetcher, server.url("/first"))
        with pytest.raises(FetchError) as caught:
            await get(fetcher, server.url("/second"), lambda: calls.append(1))
        await get(fetcher, server.url("/third"))
        await fetcher.aclose()
    assert caught.value.reason == "reset"
    assert [head.split(b" ")[1] for head in server.heads] == [b"/first", b"/second", b"/third"]
    assert server.connections == 2
    assert calls == [1]


async def test_connection_closed_while_idle_is_replaced_without_a_failure():
    async def answer(head, peer):
        await peer.send(page())
        peer.close()

    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        await get(fetcher, server.url())
        await until(lambda: not fetcher._idle)
        await get(fetcher, server.url())
        assert (server.connections, len(server.heads)) == (2, 2)
        await fetcher.aclose()


async def test_refused_connection():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fetcher = fetcher_for()
    calls = []
    with pytest.raises(FetchError) as caught:
        await get(fetcher, f"http://127.0.0.1:{port}/", lambda: calls.append(1))
    assert caught.value.reason == "connect"
    assert calls == []
    await fetcher.aclose()


@pytest.mark.parametrize("outcome", [socket.gaierror(socket.EAI_NONAME, "unknown"), []])
async def test_name_without_an_address(outcome):
    def lookup(name):
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    fetcher = fetcher_for(resolver=Resolver({}, lookup))
    with pytest.raises(FetchError) as caught:
        await get(fetcher, "http://nowhere.test/")
    assert caught.value.reason == "dns"
    await fetcher.aclose()


async def test_idle_connection_reset_by_the_server_is_no_news():
    idle = asyncio.Event()

    async def answer(head, peer):
        await peer.send(page())
        await idle.wait()
        peer.reset()

    reports = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        await get(fetcher, server.url())
        idle.set()
        await until(lambda: not fetcher._idle)
        await get(fetcher, server.url())  # on a new connection; the old one is dropped
        gc.collect()
        await fetcher.aclose()
    assert server.connections == 2
    assert reports == []


async def test_nothing_is_left_open_after_failures_and_closing():
    fetcher = fetcher_for()
    async with RawServer(says(HEAD + b"Content-Length: 9\r\n\r\nhalf", "stay")) as server:
        fetches = [asyncio.create_task(get(fetcher, server.url())) for _ in range(3)]
        await server.asked.wait()
        fetches[0].cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        timer = fetcher._deadlines._timer
        await fetcher.aclose()
    assert timer.cancelled()
    assert not fetcher._deadlines._attempts
    assert not fetcher._idle
    gc.collect()  # an unclosed transport or connection would warn here, and warnings are errors
