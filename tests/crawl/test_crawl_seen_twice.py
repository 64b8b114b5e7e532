"""A crawl watched on a terminal and on a page at once: what is done at one is seen at the other."""

from __future__ import annotations

import asyncio
import re

import msgspec
import pytest

from tests.crawl.test_crawl_live import KEYS, Site, modes
from tests.support.dashboards import answer_of
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


async def address(terminal):
    """Where the page is, as the terminal was told."""
    await terminal.until(lambda _: b"Dashboard: " in terminal.written)
    return re.search(rb"Dashboard: http://(\S+)/", terminal.written)[1].decode()


async def asked(place, first, body=b""):
    reader, writer = await asyncio.open_connection(*place.split(":"))
    head = f"{first} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    try:
        return answer_of(await reader.read()).json
    finally:
        writer.close()


async def tell(place, **wish):
    return await asked(place, "POST /control", msgspec.json.encode(wish))


async def test_what_is_done_at_one_is_seen_at_the_other(tmp_path):
    async with Site(6_000) as site, Terminal() as terminal:
        settings = ("limits.concurrency=8", "limits.default.delay=5ms")
        await terminal.crawl(tmp_path, *site.command(*settings), "--serve", "0", "-o", "pages.jsonl")
        place = await address(terminal)
        await terminal.until(KEYS)
        await tell(place, action="pause")
        await terminal.until(" PAUSED ")
        await tell(place, action="concurrency", value=20)
        await terminal.until("of 20 in flight")
        terminal.type("-")
        await terminal.until("of 18 in flight")
        assert (await asked(place, "GET /state"))["concurrency"] == 18
        terminal.type("r")
        await terminal.until(lambda text: "PAUSED" not in text)
        state = await asked(place, "GET /state")
        assert (state["paused"], state["state"]) == (False, "running")
        terminal.type("pq")
        assert await terminal.ended() == 130
        assert modes(terminal) == terminal.modes
        lines = (tmp_path / "pages.jsonl").read_bytes().splitlines()
        assert f"Crawl interrupted: {len(lines):,} pages" in terminal.text


async def test_first_ctrl_c_after_a_stop_at_the_page_does_not_wait(tmp_path):
    async with Site(9, held=(4,)) as site, Terminal() as terminal:
        await terminal.crawl(tmp_path, *site.command(), "--serve", "0")
        place = await address(terminal)
        await terminal.until(lambda text: KEYS in text and "1 of 200 in flight" in text)
        assert (await tell(place, action="stop"))["stopping"] is True
        assert "Ctrl-C does not wait" in await terminal.until(" STOPPING ")
        terminal.type("\x03")
        assert await terminal.ended() == 130
        assert "Crawl interrupted: 8 pages" in terminal.text
