"""Crawlee that can be gone on with, and polite as it advises: python kept_crawlee.py START FOLDER fast|polite.

Storage in files, which is its default, and not purged at a start, which is how its documentation has a crawl resumed.
`polite` obeys robots.txt and wraps the queue in the ThrottlingRequestManager, which it asks for in a warning else.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from urllib.parse import urljoin

from crawlee import ConcurrencySettings, service_locator
from crawlee.configuration import Configuration
from crawlee.crawlers import HttpCrawler, HttpCrawlingContext
from crawlee.request_loaders import ThrottlingRequestManager
from crawlee.storages import RequestQueue

HREF = re.compile(rb'href="([^"]*)"')


async def crawl(start: str, folder: Path, pace: str) -> None:
    service_locator.set_configuration(Configuration(storage_dir=str(folder / "storage"), purge_on_start=False))
    queue = await RequestQueue.open()
    if pace == "fast":
        requests, concurrency = queue, ConcurrencySettings(min_concurrency=8, max_concurrency=8, desired_concurrency=8)
    else:
        requests = ThrottlingRequestManager(
            inner=queue, domains=["127.0.0.1"], request_manager_opener=RequestQueue.open
        )
        concurrency = ConcurrencySettings()  # as it comes
    crawler = HttpCrawler(request_manager=requests, respect_robots_txt_file=True, concurrency_settings=concurrency)

    @crawler.router.default_handler
    async def handle(context: HttpCrawlingContext) -> None:
        await context.push_data({"url": context.request.url})
        found = HREF.findall(await context.http_response.read())
        await context.add_requests([urljoin(context.request.url, href.decode()) for href in found])

    await crawler.run([start])


if __name__ == "__main__":
    asyncio.run(crawl(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
