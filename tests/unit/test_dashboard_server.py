"""A dashboard's server when its readers, or its makers, do not do what they should."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from crawler.dashboard import board as boards
from crawler.dashboard import server as serving
from crawler.dashboard.access import Access
from crawler.dashboard.address import Address, listen
from crawler.dashboard.health import Verdict
from crawler.dashboard.hub import Hub
from crawler.dashboard.server import Server
from tests.crawl.test_crawl_api import config
from tests.support.dashboards import answer_of
from tests.support.server import Server as Site
from tests.support.web import Web

GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
async def hub():
    return Hub()


@pytest.fixture
async def port(hub):
    """Where a server listens whose metrics cannot be made."""
    bound = listen(Address("127.0.0.1", 0))
    server = Server(
        bound,
        Access(bound, None),
        hub,
        metrics=lambda: 1 / 0,
        health=lambda: Verdict("stuck", "a <reason>"),
        heed=lambda wish: {"did": wish.action},
    )
    await server.start()
    yield bound.port
    hub.publish(b"{}", last=True)
    await server.aclose()


async def connected(port, data=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    return reader, writer


async def ask(port, path):
    reader, writer = await connected(port, GET % path)
    answer = answer_of(await reader.read())
    writer.close()
    return answer


async def test_what_cannot_be_made_is_an_answer_and_a_line_in_the_log(port, caplog):
    answer = await ask(port, b"/metrics")
    assert (answer.status, answer.body) == (500, b"this could not be answered: crawl.log says why\n")
    assert "ZeroDivisionError" in caplog.text
    assert (await ask(port, b"/page.css")).status == 200


async def test_a_crawl_that_is_stuck_is_503_with_the_reason(port):
    answer = await ask(port, b"/healthz")
    assert answer.status == 503
    assert answer.json == {"ok": False, "state": "stuck", "why": "a <reason>"}


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"\r\n\r\nx\r\n\r\n", b"GET / HTTP/9\r\n\r\n"]
)
async def test_what_is_no_request_is_refused_without_a_word_in_the_log(port, caplog, data):
    reader, writer = await connected(port, data)
    assert b" 400 " in await reader.read()
    writer.close()
    assert not [record for record in caplog.records if record.levelname not in ("DEBUG", "INFO")]


async def test_who_says_nothing_is_closed_and_who_listens_is_not(port, hub, monkeypatch):
    monkeypatch.setattr(serving, "STALLED_S", 0.05)
    silent, writer = await connected(port)
    half, other = await connected(port, b"GET / HT")
    events, third = await connected(port, GET % b"/events")
    hub.publish(b'{"first": 1}')
    assert await silent.read() == b""
    assert await half.read() == b""
    hub.publish(b'{"second": 2}')
    assert b'"second"' in await events.readuntil(b'{"second": 2}')
    for each in (writer, other, third):
        each.close()


async def test_a_reader_that_takes_nothing_is_cut_off_and_others_have_the_latest(port, hub, monkeypatch):
    monkeypatch.setattr(serving, "STALLED_S", 0.2)
    _, writer = await connected(port, GET % b"/events")
    writer.transport.pause_reading()
    events, other = await connected(port, GET % b"/events")
    await events.readuntil(b"\r\n\r\n")  # which has come second
    assert hub.readers == 2
    message = b'{"x": "%b"}' % (b"x" * 1_000_000)
    while hub.readers == 2:  # until the first is given up
        hub.publish(message)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                while await events.read(1 << 20):
                    pass
    assert not events.at_eof()
    for each in (writer, other):
        each.close()


@pytest.mark.slow
async def test_a_dashboard_that_fails_ends_no_crawl(tmp_path, monkeypatch, caplog):
    from crawler import Crawl

    monkeypatch.setattr(boards, "encoded", lambda *_: 1 / 0)
    monkeypatch.setattr(serving, "STALLED_S", 0.1)
    web = Web(pages_per_host=5)
    with Site(web) as site:
        async with Crawl(config(site), seeds=web.seeds(), directory=tmp_path / "c", serve="0") as crawl:
            port = int(crawl.dashboard.rstrip("/").rpartition(":")[2])
            assert (await ask(port, b"/state")).status == 408
            result = await crawl.result()
    assert result.ending.complete
    assert "the dashboard cannot be made" in caplog.text
