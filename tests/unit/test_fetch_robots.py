"""Of a robots.txt the beginning is fetched, however large it is (RFC 9309 section 2.5), and of a sitemap too."""

from __future__ import annotations

import pytest

from crawler.models import Kind
from tests.support.fetching import CHUNKED, HEAD, fetcher_for, get
from tests.support.rawserver import RawServer, page

LIMIT = 512 * 1024
FILE = b"Disallow: /%06d\n"
LARGE = b"".join(FILE % n for n in range(2 * LIMIT // 17))


@pytest.mark.parametrize("max_body_bytes", [10, 10 * 1024**2])
@pytest.mark.parametrize(
    "answer", [page(LARGE), CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(LARGE), LARGE)], ids=["announced", "chunked"]
)
async def test_robots_file_is_cut_at_its_own_limit_whatever_that_of_bodies(answer, max_body_bytes):
    fetcher = fetcher_for(max_body_bytes=max_body_bytes)
    async with RawServer(answer) as server:
        response = await get(fetcher, server.url("/robots.txt"), kind=Kind.ROBOTS)
        await fetcher.aclose()
    assert response.status == 200
    assert response.body == LARGE[:LIMIT]


async def test_robots_file_without_an_end_is_left_where_it_is_long_enough():
    async def answer(head, peer):
        if b"/robots.txt " not in head:
            await peer.send(page(b"own"))
            return
        await peer.send(HEAD + b"\r\n")
        while not peer.is_closing():
            await peer.send(LARGE)

    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        response = await get(fetcher, server.url("/robots.txt"), kind=Kind.ROBOTS)
        assert response.body == LARGE[:LIMIT]
        await server.left.wait()  # the connection is closed, not waited for
        assert (await get(fetcher, server.url("/page"))).body == b"own"
        await fetcher.aclose()
    assert server.connections == 2


async def test_robots_file_at_the_limit_is_whole_and_its_connection_kept():
    fetcher = fetcher_for()
    async with RawServer(page(LARGE[:LIMIT])) as server:
        for _ in range(2):
            assert len((await get(fetcher, server.url("/robots.txt"), kind=Kind.ROBOTS)).body) == LIMIT
        await fetcher.aclose()
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer", [page(LARGE), CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(LARGE), LARGE)], ids=["announced", "chunked"]
)
async def test_sitemap_is_cut_at_the_limit_of_bodies(answer):
    fetcher = fetcher_for(max_body_bytes=1000)
    async with RawServer(answer) as server:
        response = await get(fetcher, server.url("/sitemap.xml"), kind=Kind.SITEMAP)
        await fetcher.aclose()
    assert response.body == LARGE[:1000]
