"""Answers that come in pieces: what they are depends on their bytes alone, and other connections do not matter."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from crawler.errors import FetchError
from crawler.fetch.answer import AnswerProtocol
from crawler.fetch.errors import fetch_error
from tests.support.fetching import CHUNKED, HEAD, fetcher_for, get
from tests.support.rawserver import RawServer, page

BARE = HEAD.replace(b"\r\n", b"\n")
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

#: what is sent, the body it holds, and whether the connection may carry another request
ANSWERS = [
    (page(b"hello"), b"hello", True),
    (page(b""), b"", True),
    (b"\r\n\r\n" + page(b"\r\n\r\nhello"), b"\r\n\r\nhello", True),
    (INTERIM + b"\r\n" + INTERIM + page(b"hello"), b"hello", True),
    (BARE + b"Content-Length: 5\n\nhello", b"hello", True),
    (BARE + b"Content-Length: 5\n\r\nhello", b"hello", True),
    (HEAD + b"Content-Length: 5\r\n\nhello", b"hello", True),
    (HEAD + b"Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
    (HEAD + b" folded\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    (HEAD + b" \r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    (HEAD + b"X: y\rContent-Length: 5\r\n\r\nhello", b"hello", False),
    (b"\xef\xbb\xbf" + page(b"hello"), b"hello", False),
    (b"a\r\n" + page(b"hello"), b"hello", False),
    (b"\r\n\r\nicy 200 OK\r\nContent-Length: 5\n\nhello", b"hello", False),
    (CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n5 ;\nhello\n0\n\n", b"hello", False),
    (page(b"hello", b"Connection: close"), b"hello", False),
    (page(b"hello") + b"H", b"hello", False),
    (CHUNKED + b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n", b"hello world", True),
    (CHUNKED + b"1\r\nx\r\n" * 9 + b"0\r\n\r\n", b"x" * 9, True),
    (CHUNKED + b"5\r\nhello\r\n0\r\n\r\nH", b"hello", False),
    (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + page(b"stray"), b"hello", False),
    (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", b"", True),
    (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\nhello", b"", False),
]


def partings(sent):
    """`sent` whole, in two at every place, and byte by byte."""
    yield [sent]
    yield from ([sent[:at], sent[at:]] for at in range(1, len(sent)))
    yield [sent[at : at + 1] for at in range(len(sent))]


@pytest.mark.parametrize(("sent", "body", "may_go_on"), ANSWERS)
async def test_an_answer_is_the_same_wherever_its_bytes_are_parted(sent, body, may_go_on):
    for pieces in partings(sent):
        protocol = AnswerProtocol(asyncio.get_running_loop())
        answer = protocol.expect()
        for piece in pieces:
            protocol.data_received(memoryview(piece))
        _, found, is_cut = await answer
        assert (found, is_cut, protocol.should_close) == (body, False, not may_go_on)


async def test_a_body_that_ends_with_the_connection_is_the_same_wherever_its_bytes_are_parted():
    for pieces in partings(HEAD + b"X: y\r\n\r\nhello"):
        protocol = AnswerProtocol(asyncio.get_running_loop())
        answer = protocol.expect()
        for piece in pieces:
            protocol.data_received(memoryview(piece))
        assert not answer.done()
        protocol.connection_lost(None)
        assert (await answer)[1] == b"hello"


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n" * 9,
        b"SSH-2.0\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP",
        HEAD + b"Content-Length: 0\r\nX:\r\r\n" + HEAD,
        CHUNKED + b"5\r\nhello\r\nzz\r\n",
        page()[:-1],
    ],
)
async def test_a_broken_answer_is_one_wherever_its_bytes_are_parted(sent):
    reasons = set()
    for pieces in partings(sent):
        protocol = AnswerProtocol(asyncio.get_running_loop())
        answer = protocol.expect()
        for piece in pieces:
            protocol.data_received(memoryview(piece))
        protocol.connection_lost(None)
        assert protocol.should_close
        reasons.add(fetch_error(answer.exception()).reason)
    assert len(reasons) == 1


@pytest.mark.parametrize("piece", [b"\r\n", b"\n", INTERIM, b"X" * 100, b"X: " + b"x" * 1000 + b"\n"])
async def test_heads_without_end_are_a_broken_answer(piece):
    protocol = AnswerProtocol(asyncio.get_running_loop())
    answer = protocol.expect()
    protocol.data_received(HEAD.replace(b"200", b"103"))
    for _ in range(300_000 // len(piece)):
        protocol.data_received(piece)
    assert fetch_error(answer.exception()).reason == "protocol"


@pytest.mark.parametrize("first", [b"", b"1;x=", b"0\r\nX: "])
@pytest.mark.parametrize("piece", [b"1\r\nx\r\n" * 100, b"y" * 1000])
async def test_chunks_that_hold_next_to_nothing_are_a_broken_answer(first, piece):
    protocol = AnswerProtocol(asyncio.get_running_loop())
    answer = protocol.expect()
    protocol.data_received(CHUNKED + first)
    for _ in range(2_000_000 // len(piece)):
        protocol.data_received(piece)
    assert fetch_error(answer.exception()).reason == "protocol"


async def test_chunks_may_be_small():
    protocol = AnswerProtocol(asyncio.get_running_loop())
    answer = protocol.expect()
    protocol.data_received(CHUNKED)
    for _ in range(2000):
        protocol.data_received(b"5\r\nhello\r\n" * 200)
    protocol.data_received(b"0\r\n\r\n")
    assert len((await answer)[1]) == 2_000_000


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_bodies_that_come_by_turns_are_not_mixed(loop_factory):
    async def ask():
        turns = asyncio.Barrier(3)

        async def answer(head, peer):
            await peer.send(HEAD + b"Content-Length: 300000\r\n\r\n")
            for _ in range(3):
                await turns.wait()
                await peer.send(head[5:6] * 100_000)

        fetcher = fetcher_for(timeout_s=10)
        async with RawServer(answer) as server:
            responses = await asyncio.gather(*(get(fetcher, server.url(f"/{letter}")) for letter in "abc"))
            await fetcher.aclose()
        assert [response.body for response in responses] == [letter * 300_000 for letter in (b"a", b"b", b"c")]

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(ask())


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 900\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n1F4\r\n"]
)
async def test_no_more_of_a_body_is_awaited_than_its_limit(framing):
    async def answer(head, peer):
        await peer.send(HEAD + framing + b"x" * 400)
        await peer.gone()

    fetcher = fetcher_for(max_body_bytes=300)
    async with RawServer(answer) as server:
        with pytest.raises(FetchError, match="too_large"):
            await get(fetcher, server.url())
        await fetcher.aclose()
