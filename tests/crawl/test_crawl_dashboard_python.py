"""The dashboard of a crawl that is run from Python."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from crawler import ConfigError, Crawl
from tests.crawl.test_crawl_api import config
from tests.support.dashboards import answer_of
from tests.support.server import Server
from tests.support.web import Web

pytestmark = pytest.mark.slow

WEB = Web(pages_per_host=5)


async def test_a_crawl_in_python_is_served_while_it_runs_and_hands_out_its_pages_all_the_same(tmp_path):
    with Server(WEB) as server:
        async with Crawl(config(server), seeds=WEB.seeds(), directory=tmp_path / "c", serve="0") as crawl:
            address = crawl.dashboard.removeprefix("http://").rstrip("/")
            reader, writer = await asyncio.open_connection(*address.split(":"))
            writer.write(f"GET /state HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
            answer = answer_of(await reader.read())
            writer.close()
            assert answer.status == 200
            assert msgspec.json.decode(answer.body)["state"] == "running"
            assert len([page async for page in crawl]) == 5
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection(*address.split(":"))


async def test_an_address_that_makes_no_sense_is_an_error_before_anything_is_made(tmp_path):
    with pytest.raises(ConfigError, match="--serve nowhere"):
        async with Crawl(seeds="http://a.test/", directory=tmp_path / "c", serve="nowhere"):
            pass
    assert not (tmp_path / "c").exists()
