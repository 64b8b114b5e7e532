"""Scrapling's Spider that can be gone on with, and polite: python kept_scrapling.py START FOLDER fast|polite.

`crawldir` is how its documentation has a crawl resumed; a checkpoint each second, as ours, and not each five minutes,
its default. Items are written as they are streamed, robots.txt is obeyed. `polite` is a request at a time, a second
apart, with its AutoThrottle.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from scrapling.fetchers import FetcherSession
from scrapling.spiders import Response, Spider


class Kept(Spider):
    """Follows every link of its host."""

    name = "kept"
    robots_txt_obey = True

    def __init__(self, start: str, folder: Path, pace: str) -> None:
        self.start_urls = [start]
        self.concurrent_requests = 8 if pace == "fast" else 1
        self.download_delay = 0.0 if pace == "fast" else 1.0
        self.autothrottle_enabled = pace != "fast"
        super().__init__(crawldir=folder / "job", interval=1.0)

    def configure_sessions(self, manager) -> None:
        manager.add("default", FetcherSession(stealthy_headers=False, impersonate=None))

    async def parse(self, response: Response):
        yield {"url": response.url}
        for href in response.css("a::attr(href)").getall():
            yield response.follow(href)


async def crawl(start: str, folder: Path, pace: str) -> None:
    with (folder / "pages.jsonl").open("a", buffering=1) as file:
        async for item in Kept(start, folder, pace).stream():
            file.write(json.dumps(item) + "\n")


if __name__ == "__main__":
    asyncio.run(crawl(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
