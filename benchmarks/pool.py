"""What does handing a page to the parser pool cost the event loop, and how many pages a second come back?

    python benchmarks/pool.py [--pages 2000] [--backends process thread inline] [--uvloop]

For each backend, a no-op extractor (which answers with one 25 KB record, isolating the pool itself) and the real
one, at batches of 1, 8 and 32. "loop us" is CPU of the loop's thread a page, the number to watch: fetching
shares that core. "process us" is all CPU of this process a page.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from crawler.config import ParseConfig
from crawler.extract.page import Settings
from crawler.models import HostKey, Page, Request, Response, Url
from crawler.parse.base import Job
from crawler.parse.entry import EXTRACTOR
from crawler.parse.inline import InlineParser
from crawler.parse.process import ProcessParser
from crawler.parse.thread import ThreadParser

BACKENDS = {"process": ProcessParser, "thread": ThreadParser, "inline": InlineParser}
RECORD = b"x" * 25_000


class NoOp:
    """Answers without looking."""

    def __init__(self, settings):
        pass

    def page(self, _request, _response):
        return Page(records=(("pages", RECORD),))


def make_job(number):
    """A page of 68 KB with 210 links, 50 of them distinct."""
    url = Url(f"http://example.org/section/{number}.html")
    items = "".join(
        f'<div class="item"><h3>Heading {n}</h3><p>{"Some words of running text. " * 8}'
        f'<a href="page{n % 50}.html?from={number % 7}#part{n}" title="Link {n}">the link</a></p></div>'
        for n in range(210)
    )
    body = f"<!doctype html><html lang=en><head><title>Page {number}</title></head><body>{items}</body></html>"
    headers = tuple((f"X-Header-{n}".encode(), b"some value of a header") for n in range(9))
    return Job(
        request=Request(url=url, host_key=HostKey("example.org"), scope_host="example.org", seed="example.org"),
        response=Response(
            url=url, status=200, headers=((b"Content-Type", b"text/html; charset=utf-8"), *headers), body=body.encode()
        ),
    )


async def measure(backend, entry, batch, jobs):
    parser = BACKENDS[backend](Settings(), ParseConfig(), entry=entry)
    began = time.perf_counter()
    await parser.start()
    await parser.parse(jobs[:1])
    first_ms = (time.perf_counter() - began) * 1000
    batches = iter([jobs[start : start + batch] for start in range(0, len(jobs), batch)])

    async def feed():
        for jobs_of_batch in batches:
            await parser.parse(jobs_of_batch)

    began, thread, process = time.perf_counter(), time.thread_time(), time.process_time()
    await asyncio.gather(*(feed() for _ in range(parser.lanes)))
    wall, thread, process = time.perf_counter() - began, time.thread_time() - thread, time.process_time() - process
    await parser.aclose()
    pages = len(jobs)
    print(
        f"{backend:8} {'real' if entry == EXTRACTOR else 'no-op':6} {batch:5} {thread / pages * 1e6:9.1f}"
        f" {process / pages * 1e6:11.1f} {pages / wall:9.0f} {first_ms:9.0f}"
    )


async def main(options):
    distinct = [make_job(number) for number in range(min(options.pages, 50))]
    jobs = [distinct[number % len(distinct)] for number in range(options.pages)]
    print(f"body {len(jobs[0].response.body) / 1000:.0f} KB")
    print("backend  work   batch   loop us  process us   pages/s  first ms")
    for backend in options.backends:
        for entry in ("benchmarks.pool:NoOp", EXTRACTOR):
            for batch in (1, 8, 32):
                await measure(backend, entry, batch, jobs)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--pages", type=int, default=2000)
    arguments.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    arguments.add_argument("--uvloop", action="store_true")
    chosen = arguments.parse_args()
    if chosen.uvloop:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(chosen))
    else:
        asyncio.run(main(chosen))
