"""Which bytes are an answer: what follows a complete one, and codings that are not undone."""

from __future__ import annotations

import asyncio

import pytest

from crawler.fetch.answer import AnswerProtocol
from tests.support.fetching import CHUNKED, HEAD, failure, fetcher_for, get, says
from tests.support.rawserver import RawServer, page

NO_BODY = b"HTTP/1.1 204 No Content\r\n"
OVERLONG = [
    (NO_BODY + b"Content-Length: 5\r\n\r\nhello", b""),
    (NO_BODY + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello", b""),
    (NO_BODY + b"\r\nhello", b""),
    (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b""),
    (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + NO_BODY + b"Content-Length: 5\r\n\r\nhello", b""),
    (HEAD + b"Content-Length: 5\r\n\r\nhello, world", b"hello"),
    (HEAD + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello, world", b"hello"),
    (HEAD + b"Content-Length: 0\r\n\r\nhello", b""),
    (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n, world", b"hello"),
    (CHUNKED + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n, world", b"x" * 5000),
]


@pytest.mark.parametrize(("sent", "body"), OVERLONG)
@pytest.mark.parametrize("then", ["close", "stay"])
async def test_complete_answer_stays_one_whatever_follows_it(sent, body, then):
    fetcher = fetcher_for(timeout_s=2)
    async with RawServer(says(sent, then)) as server:
        assert (await get(fetcher, server.url())).body == body
        await fetcher.aclose()


async def test_complete_answer_is_the_same_wherever_its_bytes_are_parted():
    sent = NO_BODY + b"Content-Length: 5\r\nX: y\r\n\r\nhello"
    for at in range(len(sent)):
        protocol = AnswerProtocol(asyncio.get_running_loop())
        answer = protocol.expect()
        protocol.data_received(sent[:at])
        protocol.data_received(sent[at:])
        message, body, _ = await answer
        assert (message.code, len(message.raw_headers), body) == (204, 2, b"")
        assert protocol.should_close


async def test_broken_body_in_one_piece_with_its_head_is_no_complete_answer():
    error, _ = await failure(says(CHUNKED + b"5\r\nhello\r\nzz\r\n", "stay"), timeout_s=2)
    assert error.reason == "protocol"


@pytest.mark.parametrize("header", [b"Content-Length: %d", b"Content-Length: %d\r\nConnection: keep-alive"])
@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_body_that_must_not_be_is_never_the_next_answer(header, status):
    stray = page(b"stray")

    async def answer(head, peer):
        if b"/1 " in head:
            await peer.send(b"HTTP/1.1 " + status + b"\r\n" + header % len(stray) + b"\r\n\r\n")
        else:
            await peer.send((stray if peer.number == 0 else b"") + page(b"own"))

    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        assert (await get(fetcher, server.url("/1"))).body == b""
        assert (await get(fetcher, server.url("/2"))).body == b"own"
        await fetcher.aclose()


async def test_connection_is_kept_after_a_status_without_a_body():
    fetcher = fetcher_for()
    async with RawServer(NO_BODY + b"Content-Length: 0\r\n\r\n") as server:
        for _ in range(2):
            assert (await get(fetcher, server.url())).status == 204
        await fetcher.aclose()
    assert server.connections == 1


async def test_status_without_a_body_is_complete_even_if_the_connection_breaks_next():
    fetcher = fetcher_for()
    async with RawServer(says(NO_BODY + b"\r\n", "reset")) as server:
        assert (await get(fetcher, server.url())).status == 204
        await fetcher.aclose()


@pytest.mark.parametrize(
    "header",
    [
        b"Transfer-Encoding: gzip, chunked",
        b"transfer-encoding: GZIP,chunked",
        b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip",
        b"Transfer-Encoding: gzip",
    ],
)
async def test_transfer_coding_that_is_not_undone_is_named_as_the_failure(header):
    error, _ = await failure(says(HEAD + header + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    assert error.reason == "protocol"
    assert "transfer coding 'gzip'" in error.detail


@pytest.mark.parametrize("coding", [b"CHUNKED", b"chunked , ", b"identity, chunked"])
async def test_transfer_codings_that_change_nothing_are_no_failure(coding):
    fetcher = fetcher_for()
    sent = HEAD + b"Transfer-Encoding: " + coding + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with RawServer(says(sent)) as server:
        assert b"hello" in (await get(fetcher, server.url())).body
        await fetcher.aclose()
