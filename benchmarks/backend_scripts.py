"""How do people write a crawler by hand? Three ways to fetch at once, each as short as it can be and still be fair.

    python -m benchmarks.backend_scripts threads|processes|asyncio START PAGES RECORDS lean|full AT_ONCE

Each begins at the page START, follows links to pages not met before, stops after PAGES, and writes their records to
the file RECORDS. All extract with the crawler's own extractor, so that they differ in nothing but how they fetch:
`threads` has requests in a pool of threads, and extracts there; `processes` has it in a pool of processes; `asyncio`
has aiohttp on uvloop, and extracts on the loop. None obeys robots.txt, retries, or survives being killed.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, ThreadPoolExecutor, wait
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING

from benchmarks.lean import LEAN
from crawler.config import ExtractConfig
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Page, Request, Response, Url

if TYPE_CHECKING:
    from typing import BinaryIO

    import requests

Result = tuple[bytes, list[str]]
EXTRACTS = {"lean": LEAN, "full": ExtractConfig()}
_HERE = local()  # of each thread: its session


class Work:
    """What is done with a page, wherever that is."""

    def __init__(self, record: str) -> None:
        self.extractor = Extractor(Settings(extract=EXTRACTS[record], fingerprint_key=7))

    def extract(self, url: str, status: int, body: bytes) -> Result:
        """Its record, and the pages it leads to."""
        host_key = HostKey(url.split("/")[2])
        request = Request(url=Url(url), host_key=host_key, scope_host=host_key.partition(":")[0], seed=url)
        headers = ((b"Content-Type", b"text/html; charset=utf-8"),)
        response = Response(url=Url(url), status=status, headers=headers, body=body, fetched_at=1.8e9)
        page = self.extractor.page(request, response)
        if not isinstance(page, Page) or not page.records:
            return b"", []
        return page.records[0][1], [link.url for link in page.links]

    def fetch(self, url: str) -> Result:
        """With requests, over the connection this thread keeps."""
        session: requests.Session | None = getattr(_HERE, "session", None)
        if session is None:
            import requests  # noqa: PLC0415  # the event loop does without

            session = _HERE.session = requests.Session()
        with session.get(url) as answer:
            if answer.status_code != 200 or "html" not in answer.headers.get("Content-Type", ""):
                return b"", []
            return self.extract(url, 200, answer.content)


class Known:
    """What was met, and what is to be fetched next."""

    def __init__(self, start: str, pages: int, out: BinaryIO) -> None:
        self.met = {start}
        self.waiting = [start]
        self.left = pages
        self._out = out

    def next(self) -> str | None:
        """None if nothing waits, or enough is under way."""
        if not self.waiting or self.left <= 0:
            return None
        self.left -= 1
        return self.waiting.pop()

    def take(self, result: Result) -> None:
        """A page is done."""
        record, links = result
        if record:
            self._out.write(record + b"\n")
        else:
            self.left += 1  # it was no page
        for url in links:
            if url not in self.met:
                self.met.add(url)
                self.waiting.append(url)


_WORK: list[Work] = []  # of this process


def begin(record: str) -> None:
    """In each process of a pool."""
    _WORK.append(Work(record))


def fetch(url: str) -> Result:
    return _WORK[0].fetch(url)


def with_pool(pool: Executor, known: Known, at_once: int) -> None:
    """Keep `at_once` fetches under way until there is nothing left."""
    under_way = set()
    while True:
        while len(under_way) < at_once and (url := known.next()):
            under_way.add(pool.submit(fetch, url))
        if not under_way:
            return
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        for one in done:
            known.take(one.result())


async def with_asyncio(known: Known, at_once: int) -> None:
    """The same with one loop."""
    import aiohttp  # noqa: PLC0415  # threads and processes do without

    async def fetch_page(session: aiohttp.ClientSession, url: str) -> Result:
        async with session.get(url) as answer:
            if answer.status != 200 or "html" not in answer.content_type:
                return b"", []
            body = await answer.read()
        return _WORK[0].extract(url, 200, body)

    under_way: set[asyncio.Task[Result]] = set()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:
        while True:
            while len(under_way) < at_once and (url := known.next()):
                under_way.add(asyncio.create_task(fetch_page(session, url)))
            if not under_way:
                return
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                known.take(one.result())


def main(way: str, start: str, pages: str, records: str, record: str, at_once: str) -> None:
    begin(record)
    many = int(at_once)
    with Path(records).open("wb") as out:
        known = Known(start, int(pages), out)
        if way == "threads":
            with ThreadPoolExecutor(many) as pool:
                with_pool(pool, known, many)
        elif way == "processes":
            with ProcessPoolExecutor(many, initializer=begin, initargs=(record,)) as pool:
                with_pool(pool, known, many)
        else:
            import uvloop  # noqa: PLC0415

            uvloop.run(with_asyncio(known, many))


if __name__ == "__main__":
    main(*sys.argv[1:])
