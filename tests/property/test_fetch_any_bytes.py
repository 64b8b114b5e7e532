"""Whatever a server sends, a fetch ends in a response or in a mapped error, and never hangs."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import FetchError
from crawler.reasons import REASONS
from tests.support.fetching import fetcher_for, get
from tests.support.rawserver import RawServer

PIECES = st.one_of(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404 \r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 101 X\r\n\r\n",
            b"HTTP/1.1 204 No\r\n", b"HTTP/9.9 999 \xff\r\n", b"HTTP/1.1 099 X\r\n", b"Content-Length: 5\r\n",
            b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: gzip\r\n", b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: x\r\n",
            b"Set-Cookie: \xff=\x00; Domain=.\r\n", b": empty\r\n", b" folded\r\n", b"\r\n", b"\n", b"5\r\nhello\r\n",
            b"0\r\n\r\n", b"fffffffffffffffff\r\n", b"hello",
        ]
    ),
    st.binary(max_size=20),
)  # fmt: skip


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=8), st.sampled_from(["close", "reset"]))
def test_any_bytes_end_in_a_response_or_a_mapped_error(pieces, then):
    async def answer(head, peer):
        await peer.send(b"".join(pieces))
        getattr(peer, then)()

    async def ending():
        fetcher = fetcher_for(timeout_s=2, min_speed=0, cookies=True)
        async with RawServer(answer) as server:
            try:
                return (await get(fetcher, server.url())).status
            except FetchError as error:
                return error.reason
            finally:
                await fetcher.aclose()

    end = asyncio.run(ending())
    assert end in REASONS or 200 <= end <= 999
    assert end not in {"timeout", "connect"}
