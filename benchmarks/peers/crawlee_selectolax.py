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
from urllib.parse import urljoin, urlsplit

import uvloop
from crawlee import ConcurrencySettings
from crawlee.configuration import Configuration
from crawlee.crawlers import HttpCrawler, HttpCrawlingContext
from crawlee.http_clients import ImpitHttpClient
from crawlee.storage_clients import MemoryStorageClient
from selectolax.lexbor import LexborHTMLParser


def record(url: str, status: int, body: bytes) -> tuple[dict[str, object], set[str]]:
    """A page's record, and the URLs it links to."""
    tree = LexborHTMLParser(body)
    title = tree.css_first("title")
    description = tree.css_first("meta[name=description]")
    hrefs = [link.attributes["href"] for link in tree.css("a[href]")]
    h1 = [heading.text(strip=True) for heading in tree.css("h1")]
    tree.strip_tags(["script", "style"])
    row = {
        "url": url,
        "status": status,
        "title": title and title.text(),
        "description": description and description.attributes.get("content"),
        "h1": h1,
        "n_links": len(hrefs),
        "word_count": len(tree.body.text(separator=" ").split()) if tree.body else 0,
    }
    without_fragments = {href.partition("#")[0] for href in hrefs if href}
    return row, {joined(url, href) for href in without_fragments if href}


def joined(base: str, href: str) -> str:
    """The absolute URL, or nothing where it is not a URL."""
    try:
        return urljoin(base, href)
    except ValueError:
        return ""


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
