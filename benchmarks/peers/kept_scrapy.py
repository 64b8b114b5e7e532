"""Scrapy that can be gone on with, and polite as it advises: python kept_scrapy.py START FOLDER fast|polite.

JOBDIR is how its documentation has a crawl resumed: by the same command, issued again. `polite` is what `scrapy
startproject` sets, with AutoThrottle.
"""

from __future__ import annotations

import sys
from pathlib import Path

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.linkextractors import LinkExtractor

POLITE = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 1, "AUTOTHROTTLE_ENABLED": True}
FAST = {"CONCURRENT_REQUESTS_PER_DOMAIN": 8, "DOWNLOAD_DELAY": 0}


class Kept(scrapy.Spider):
    """Follows every link of its host."""

    name = "kept"
    allowed_domains = ("127.0.0.1",)
    links = LinkExtractor()

    def parse(self, response):
        yield {"url": response.url}
        yield from response.follow_all(self.links.extract_links(response))


if __name__ == "__main__":
    start, name, pace = sys.argv[1:]
    folder = Path(name)
    settings = {
        "ROBOTSTXT_OBEY": True,
        "JOBDIR": str(folder / "job"),
        "FEEDS": {folder / "pages.jsonl": {"format": "jsonlines"}},  # appended to
        "TELNETCONSOLE_ENABLED": False,
        **(FAST if pace == "fast" else POLITE),
    }
    process = CrawlerProcess(settings)
    process.crawl(Kept, start_urls=[start])
    process.start()
