"""The store of a crawl that cannot be opened for another reason."""

from __future__ import annotations

import pytest

from crawler.clock import SystemClock
from crawler.config import CrawlConfig
from crawler.directory import CrawlDirectory
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
