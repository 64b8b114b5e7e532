"""Scrapy as its tutorial writes a spider, with 64 requests at a time: python scrapy_idiomatic.py START RECORDS.

Selectors and follow_all, Scrapy's own filter for duplicates, its default middlewares and reactor.
"""

from __future__ import annotations

import sys

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.linkextractors import LinkExtractor

SETTINGS = {
    "CONCURRENT_REQUESTS": 64,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 64,
    "DOWNLOAD_DELAY": 0,  # a project made by `scrapy startproject` waits a second between requests
    "ROBOTSTXT_OBEY": True,  # as `scrapy startproject` sets it
    "LOG_LEVEL": "WARNING",
}


class Idiomatic(scrapy.Spider):
    """Follows every link of its host."""

    name = "idiomatic"
    allowed_domains = ("127.0.0.1",)
    links = LinkExtractor()  # and not follow_all(css="a[href]"), which fails on the first mailto: of a page

    def parse(self, response):
        if not isinstance(response, scrapy.http.HtmlResponse):
            return
        text = " ".join(response.xpath("//body//text()[not(parent::script or parent::style)]").getall())
        yield {
            "url": response.url,
            "status": response.status,
            "title": response.css("title::text").get(),
            "description": response.css("meta[name=description]::attr(content)").get(),
            "h1": [" ".join(h1.css("::text").getall()).strip() for h1 in response.css("h1")],
            "n_links": len(response.css("a[href]")),
            "word_count": len(text.split()),
        }
        yield from response.follow_all(self.links.extract_links(response))


if __name__ == "__main__":
    start, records = sys.argv[1:]
    process = CrawlerProcess({**SETTINGS, "FEEDS": {records: {"format": "jsonlines"}}})
    process.crawl(Idiomatic, start_urls=[start])
    process.start()
