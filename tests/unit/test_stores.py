"""The store of a crawl that cannot be opened for another reason."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing

import pytest

from crawler.build import open_crawl
from crawler.clock import SystemClock
from crawler.config import CrawlConfig, FetchConfig, ParseConfig
from crawler.directory import CrawlDirectory
from crawler.errors import DamagedStoreError
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outputs import output_files
from crawler.plan import Plan
from crawler.stores import open_store


async def test_store_is_closed_again_if_what_goes_on_meanwhile_fails(tmp_path, monkeypatch):
    closed = []
    aclose = SqliteFrontier.aclose

    async def noted(frontier):
        closed.append(frontier)
        await aclose(frontier)

    monkeypatch.setattr(SqliteFrontier, "aclose", noted)
    plan = Plan(config=CrawlConfig(), directory=CrawlDirectory(tmp_path))

    def fail():
        raise ImportError("no module named aiohttp")

    with pytest.raises(ImportError, match="aiohttp"):
        await open_store(plan, SystemClock(), output_files(plan), resumed=False, meanwhile=fail)
    assert len(closed) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [("seeds", b"{"), ("cookies", b"[]"), ("cookies", b"\xff"), ("rules", b"\x91\xc1")],
)
async def test_a_state_that_cannot_be_read_is_damage_of_the_store(tmp_path, name, content):
    config = CrawlConfig(seeds=("a.test",), parse=ParseConfig(backend="inline"), fetch=FetchConfig(cookies=True))
    plan = Plan(config=config, directory=CrawlDirectory(tmp_path))
    async with open_crawl(plan):
        pass
    with closing(sqlite3.connect(plan.directory.store, isolation_level=None)) as connection:
        connection.execute("INSERT OR REPLACE INTO blob VALUES (?, ?)", (name, content))
    with pytest.raises(DamagedStoreError, match="--repair"):
        async with open_crawl(plan):
            pass
    async with open_crawl(dataclasses.replace(plan, repair=True)):
        pass
    async with open_crawl(plan):
        pass
