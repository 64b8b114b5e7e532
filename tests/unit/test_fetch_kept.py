"""What is kept of an exchange beside the body: both heads, without secrets, and whether there was more."""

from __future__ import annotations

import pytest

from crawler.config import FetchConfig, HostFetchConfig
from crawler.config.secrets import referring_headers
from crawler.fetch.head import shown_lines
from crawler.models import Kind
from tests.support.fetching import HEAD, fetcher_for, get
from tests.support.rawserver import RawServer, page


async def test_heads_are_kept_as_they_went_but_for_secrets():
    heads = []

    async def answer(head, peer):
        heads.append(head)
        await peer.send(page(b"x", b"X-Twice: 1", b"x-tWICE:   2 ", status=b"299 Quite \xc3\xa9\xff well"))

    headers = {"Authorization": "Bearer s3cret", "X-Session": "s3cret", "Accept-Language": "en", "Cookie": "a=s3cret"}
    fetcher = fetcher_for(headers=headers)
    async with RawServer(answer) as server:
        response = await get(fetcher, server.url("/a?b"))
        await fetcher.aclose()
    assert response.status_line == b"HTTP/1.1 299 Quite \xc3\xa9\xff well"
    assert [pair for pair in response.headers if pair[0].lower() == b"x-twice"] == [
        (b"X-Twice", b"1"),
        (b"x-tWICE", b"2"),
    ]
    (sent,) = heads
    assert b"s3cret" in sent
    kept = response.request_head
    assert kept.startswith(b"GET /a?b HTTP/1.1\r\n")
    assert kept.endswith(b"\r\n\r\n")
    assert b"s3cret" not in kept
    assert kept.count(b"<left out>") == 3
    assert b"Accept-Language: en\r\n" in kept
    assert len(kept.split(b"\r\n")) == len(sent.split(b"\r\n"))


@pytest.mark.parametrize(("kind", "is_cut"), [(Kind.SITEMAP, True), (Kind.ROBOTS, False)])
async def test_a_body_that_went_on_says_so(kind, is_cut):
    fetcher = fetcher_for(max_body_bytes=1000)
    async with RawServer(page(b"x" * 5000)) as server:
        assert (await get(fetcher, server.url(), kind=kind)).is_cut is is_cut
        await fetcher.aclose()


@pytest.mark.parametrize("status", [b"HTTP/1.0 200 OK", b"HTTP/1.1 200", HEAD.strip()])
async def test_status_lines_are_kept(status):
    fetcher = fetcher_for()
    async with RawServer(status + b"\r\nContent-Length: 1\r\n\r\nx") as server:
        assert (await get(fetcher, server.url())).status_line.strip() == status
        await fetcher.aclose()


def test_what_comes_from_the_environment_is_secret_whatever_its_header_is_called():
    config = FetchConfig(
        headers={"X-Plain": "a ${NAME}", "X-Open": "$${literal}", "Accept": "*/*"},
        hosts={"a.test": HostFetchConfig(headers={"X-More": "${MORE}"})},
    )
    hidden = referring_headers(config)
    assert hidden == {"x-plain", "x-more"}
    lines = "X-Plain: a b\r\nX-More: c\r\nX-Open: d\r\nProxy-Authorization: e\r\n\r\n"
    assert shown_lines(lines, hidden) == (
        "X-Plain: <left out>\r\nX-More: <left out>\r\nX-Open: d\r\nProxy-Authorization: <left out>\r\n\r\n"
    )
