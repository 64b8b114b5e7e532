"""Crawlee's HttpCrawler with selectolax and storage in memory: python crawlee_selectolax.py START RECORDS.

Not ParselCrawler with enqueue_links, which parses in a thread, and makes a Selector and a Request for every link of
every page. This is the leanest way its documentation shows.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import uvloop
from crawlee import ConcurrencySettings
from crawlee.configuration import Configuration
from crawlee.crawlers import HttpCrawler, HttpCrawlingContext
from crawlee.http_clients import ImpitHttpClient
from crawlee.storage_clients import MemoryStorageClient
from selectolax_record import record


async def crawl(start: str, records: str) -> None:
    seen = {start}
    origin = "{0.scheme}://{0.netloc}/".format(urlsplit(start))
    crawler = HttpCrawler(
        configuration=Configuration(log_level="ERROR", persist_state_interval=timedelta(hours=1)),
        storage_client=MemoryStorageClient(),  # the default one writes a file a request
        http_client=ImpitHttpClient(persist_cookies_per_session=False),  # its default client
        concurrency_settings=ConcurrencySettings(min_concurrency=64, max_concurrency=64, desired_concurrency=64),
        use_session_pool=False,
        retry_on_blocked=False,
        max_request_retries=0,
        ignore_http_error_status_codes=[404],  # else an exception and a log line for each broken link
        configure_logging=False,
    )
    with open(records, "w") as file:  # noqa: ASYNC230, PTH123

        @crawler.router.default_handler
        async def handle(context: HttpCrawlingContext) -> None:
            response = context.http_response
            if response.status_code != 200 or not response.headers.get("content-type", "").startswith("text/html"):
                return
            row, links = record(context.request.url, response.status_code, await response.read())
            file.write(json.dumps(row) + "\n")
            new = [link for link in links - seen if link.startswith(origin)]
            seen.update(new)
            if new:
                await context.add_requests(new)

        await crawler.run([start])


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(crawl(*sys.argv[1:]))
