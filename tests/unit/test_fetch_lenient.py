"""Heads that break the rules: what is read in them, and what is not done after them."""

from __future__ import annotations

import asyncio

import pytest

from crawler.errors import FetchError
from crawler.fetch.lenient import MAX_HEADERS, parse_head
from crawler.fetch.message import head_parser, status_line
from tests.support.fetching import CHUNKED, HEAD, fetcher_for, get
from tests.support.rawserver import RawServer, page

GOOD = [
    page(b""),
    page(b"", b"Content-Type: text/html; charset=utf-8", b"Set-Cookie: a=b", b"Set-Cookie: c=d"),
    page(b"", b"X-Empty:", b"X-Blanks: \t a b \t", b"X-Colons: :a:b:", b"X: caf\xe9", "Y: обед".encode()),
    HEAD.replace(b"\r\n", b"\n") + b"X: y\n\n",
    HEAD + b"X: y\r\n\n",
    CHUNKED,
    CHUNKED[:-2] + b"Transfer-Encoding: identity, CHUNKED\r\n\r\n",
    b"HTTP/1.0 404 Not  Found\r\nContent-Length: 007\r\n\r\n",
    b"HTTP/1.1 204\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 302 d\xe9j\xe0 vu\r\nLocation: /\r\n\r\n",
]


@pytest.mark.parametrize("head", GOOD)
async def test_good_head_is_read_as_by_the_strict_parser(head):
    ((strict, _),) = head_parser(asyncio.get_running_loop()).feed_data(head)[0]
    lenient = parse_head(head)
    assert (lenient.version, lenient.code, lenient.raw_headers) == (strict.version, strict.code, strict.raw_headers)
    assert lenient.reason.split() == strict.reason.split()
    assert lenient.headers == strict.headers
    assert lenient.chunked == bool(strict.chunked)


@pytest.mark.parametrize("line", [b"X : y", b": y", b"X: y\rZ: w", b"Content-Length: 5"])
async def test_connection_is_not_kept_after_a_head_that_broke_the_rules(line):
    fetcher = fetcher_for()
    async with RawServer(page(b"hello", line)) as server:
        for _ in range(2):
            assert (await get(fetcher, server.url())).body == b"hello"
        await fetcher.aclose()
    assert server.connections == 2


async def test_connection_is_kept_where_only_an_interim_head_broke_the_rules():
    fetcher = fetcher_for()
    async with RawServer(b"http/1.1 103 early\r\nX : y\r\n\r\n" + page(b"hello")) as server:
        for _ in range(2):
            assert (await get(fetcher, server.url())).body == b"hello"
        await fetcher.aclose()
    assert server.connections == 1


def test_headers_are_kept_as_they_came_but_for_blanks():
    message = parse_head(b"HTTP/1.1 200 OK\r\nX \t:  a\t\r\n\tb \r\n \r\nno header\r\n c\r\n: d\rY\xe9:z\r\n\r\n")
    assert message.raw_headers == ((b"X", b"a b"), (b"Y\xe9", b"z"))


def test_cookies_of_a_broken_head_are_heard():
    message = parse_head(b"HTTP/1.1 200 OK\r\n: y\r\nSet-Cookie : a=b\r\nset-cookie: c=d\r\n\r\n")
    assert message.headers.getall("Set-Cookie") == ["a=b", "c=d"]


def test_folds_are_joined_in_time_that_grows_with_their_number():
    count = 60_000
    message = parse_head(HEAD + b"X: a\r\n" + b" b\r\n" * count + b"\r\n")
    assert message.raw_headers == ((b"X", b"a" + b" b" * count),)


def test_headers_have_a_number_that_they_do_not_exceed():
    assert len(parse_head(HEAD + b":\n" + b"X: y\n" * MAX_HEADERS + b"\n").raw_headers) == MAX_HEADERS
    with pytest.raises(FetchError, match="more than 5000 headers"):
        parse_head(HEAD + b"X: y\n" * (MAX_HEADERS + 1) + b"\n")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b"http/1.1  200\tOK ", b"HTTP/1.1 200 OK"),
        (b"HTTP/1.1", b"HTTP/1.1 200 "),
        (b"ICY 200 OK", b"HTTP/1.0 200 OK"),
        (b"HTTP/1.1 200d\xe9j\xe0", b"HTTP/1.1 200 d\xe9j\xe0"),
        (b"HTTP/1.1 404 " + b"x" * 1000, b"HTTP/1.1 404 " + b"x" * 1000),
    ],
)
def test_status_line_is_kept_as_it_was_understood(line, kept):
    message = parse_head(line + b"\r\n\r\n")
    assert status_line(message.version, message.code, message.reason) == kept
