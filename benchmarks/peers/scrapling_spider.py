"""Scrapling's Spider, 64 requests at a time on uvloop: python scrapling_spider.py START RECORDS."""

from __future__ import annotations

import json
import logging
import sys
from urllib.parse import urljoin, urlsplit

from scrapling.fetchers import FetcherSession
from scrapling.spiders import Request, Response, Spider


class Lean(Spider):
    """Follows every link of its host."""

    name = "lean"
    concurrent_requests = 64
    robots_txt_obey = False
    logging_level = logging.ERROR

    def __init__(self, start: str, file) -> None:
        self.start_urls = [start]
        self.file = file
        self.seen = {start}  # spares Scrapling a request object, soon filtered, for every link to a known page
        self.origin = "{0.scheme}://{0.netloc}/".format(urlsplit(start))
        super().__init__()

    def configure_sessions(self, manager) -> None:
        manager.add("default", FetcherSession(stealthy_headers=False, impersonate=None, retries=1))

    async def parse(self, response: Response):
        if response.status != 200 or not response.headers.get("content-type", "").startswith("text/html"):
            return
        # Straight from lxml, which Scrapling wraps: it would make a Selector for every link and text node.
        root = response._root  # noqa: SLF001
        hrefs = root.xpath("//a/@href")
        texts = root.xpath("//body//text()[not(parent::script or parent::style)]")
        # Written here and not yielded: the engine formats each item it is given for its log, even with logging off.
        row = {
            "url": response.url,
            "status": response.status,
            "title": next(iter(root.xpath("//title/text()")), None),
            "description": next(iter(root.xpath("//meta[@name='description']/@content")), None),
            "h1": [" ".join(h1.itertext()).strip() for h1 in root.iter("h1")],
            "n_links": len(hrefs),
            "word_count": sum(len(text.split()) for text in texts),
        }
        self.file.write(json.dumps(row) + "\n")
        for href in {href.partition("#")[0] for href in hrefs}:
            link = self.joined(response.url, href)
            if link.startswith(self.origin) and link not in self.seen:
                self.seen.add(link)
                yield Request(link, dont_filter=True)

    @staticmethod
    def joined(base: str, href: str) -> str:
        """The absolute URL, or nothing where it is not a URL."""
        try:
            return urljoin(base, href)
        except ValueError:
            return ""


if __name__ == "__main__":
    start, records = sys.argv[1:]
    with open(records, "w") as file:  # noqa: PTH123
        Lean(start, file).start(use_uvloop=True)
