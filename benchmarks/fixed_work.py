"""Which pieces of a crawl's work can be repeated exactly? Each with the same input in every run, on one thread.

    python -m benchmarks.fixed_work [--rounds 7]

prints JSON: the processor time of each piece as a multiple of that of a fixed loop which uses nothing of the crawler,
the least of some rounds in turns. `benchmarks.guard` runs it, and under valgrind counts the instructions instead.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import itertools
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.counted import call_counted
from benchmarks.extract import page_of
from benchmarks.lean import LEAN
from benchmarks.schedule import policy_us
from benchmarks.workloads import page_html
from crawler.clock import SystemClock
from crawler.config import ExtractConfig
from crawler.extract.page import Extractor, Settings
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import HostKey, Link, Request, Response, Url
from crawler.parse.base import Job
from crawler.parse.framing import decode_results, encode_jobs, encode_result, result_frame
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

FULL = ExtractConfig()
KEY = 7
SMALL, LARGE, BATCH, SCHEDULED, PARENTS, LINKS_A_PARENT = 60, 3, 16, 600, 400, 20
HEADERS = (
    (b"Server", b"nginx"),
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Last-Modified", b"Fri, 27 Nov 2026 10:00:00 GMT"),
    (b"ETag", b'"656466d0-778"'),
)


@dataclass(frozen=True)
class Work:
    """Something that is done `items` times by calling `run` once; a second call does as much."""

    name: str
    items: int
    run: Callable[[], object]


def job(number: int, body: bytes) -> Job:
    """A page as it was fetched."""
    url = Url(f"http://www.example.org/{number // 1000}/{number}.html")
    request = Request(
        url=url, host_key=HostKey("www.example.org"), scope_host="www.example.org", depth=1, seed="www.example.org"
    )
    response = Response(url=url, status=200, headers=HEADERS, body=body, fetched_at=1.8e9, elapsed_s=0.01)
    return Job(request=request, response=response)


def jobs() -> tuple[list[Job], list[Job]]:
    """Small pages with 20 links, and large ones with 312."""
    small = [job(number, page_html(number).encode()) for number in range(SMALL)]
    return small, [job(number, page_of(100, 312, 66)) for number in range(LARGE)]


def extraction(name: str, extract: ExtractConfig, batch: list[Job]) -> Work:
    """Pages of one site, by an extractor that has met it before."""
    extractor = Extractor(Settings(extract=extract, fingerprint_key=KEY, trap_depth=8))

    def run() -> None:
        for one in batch:
            extractor.page(one.request, one.response)

    run()
    return Work(name, len(batch), run)


def hand_over(batch: list[Job]) -> Work:
    """What the event loop does of it: jobs into a frame, and the pages out of the frame that answers it."""
    extractor = Extractor(Settings(extract=LEAN, fingerprint_key=KEY, trap_depth=8))
    pages = [extractor.page(one.request, one.response) for one in batch]
    frame = result_frame([encode_result(page) for page in pages])[4:]  # without its length

    def run() -> None:
        for _ in range(SMALL // BATCH):
            encode_jobs(batch)
            decode_results(memoryview(frame))

    return Work("hand-over, of the loop", SMALL // BATCH * len(batch), run)


def scheduling() -> Work:
    """Hosts without a delay, all that politeness does for a request."""
    return Work(
        "politeness, a request", SCHEDULED, lambda: policy_us(hosts=20, delay_s=0, concurrency=4, requests=SCHEDULED)
    )


def discovery(frontier: SqliteFrontier) -> Work:
    """Links of pages: four are new of twenty. What follows on the store's own thread is not counted."""
    parent = job(0, b"").request
    fresh = itertools.count()

    def links(drawn: random.Random) -> list[Link]:
        numbers = [next(fresh) if n % 5 == 0 else drawn.randrange(1000) for n in range(LINKS_A_PARENT)]
        urls = [Url(f"http://www.example.org/{number // 1000}/{number}.html") for number in numbers]
        host_key = HostKey("www.example.org")
        return [Link(url=url, host_key=host_key, fingerprint=fingerprint(url, KEY)) for url in urls]

    # made beforehand, as parser processes do it, and as many as all rounds may need
    found = [[links(random.Random(page)) for page in range(PARENTS)] for _ in range(12)]
    rounds = iter(found)

    def run() -> None:
        for page in next(rounds):
            frontier.discover(parent, page)

    return Work("frontier, a link found", PARENTS * LINKS_A_PARENT, run)


def reference() -> Work:
    """Nothing of the crawler: what this interpreter takes for dictionaries, texts and calls."""

    def run() -> int:
        met: dict[str, int] = {}
        for number in range(20_000):
            key = f"key-{number % 977}"
            met[key] = met.get(key, 0) + len(key)
        return sum(met.values())

    return Work("reference", 20_000, run)


@contextlib.asynccontextmanager
async def works() -> AsyncIterator[list[Work]]:
    """All of them, ready to run."""
    small, large = jobs()
    with tempfile.TemporaryDirectory() as folder:
        frontier = SqliteFrontier(Path(folder) / "crawl.db", SystemClock())
        await frontier.open()
        try:
            yield [
                reference(),
                extraction("lean record, 1.9 KB", LEAN, small),
                extraction("full record, 1.9 KB", FULL, small),
                extraction("lean record, 96 KB", LEAN, large),
                extraction("full record, 96 KB", FULL, large),
                hand_over(small[:BATCH]),
                scheduling(),
                discovery(frontier),
            ]
        finally:
            await frontier.aclose()


def in_turns(all_works: list[Work], rounds: int) -> dict[str, float]:
    """Processor seconds an item, the least of all rounds."""
    least = {work.name: float("inf") for work in all_works}
    for _ in range(rounds):
        for work in all_works:
            began = time.process_time()
            work.run()
            least[work.name] = min(least[work.name], (time.process_time() - began) / work.items)
    return least


async def measure(rounds: int, *, counted: bool) -> None:
    """Print what was measured, as JSON."""
    async with works() as all_works:
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)  # as a crawl has it
        if counted:
            for work in all_works:
                call_counted(work.run)
            print(json.dumps({work.name: work.items for work in all_works}))
        else:
            seconds = in_turns(all_works, rounds)
            print(json.dumps({name: took / seconds["reference"] for name, took in seconds.items()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--counted", action="store_true", help="once, for valgrind to count; prints the items of each")
    arguments = parser.parse_args()
    sys.setswitchinterval(0.0005)
    asyncio.run(measure(arguments.rounds, counted=arguments.counted))


if __name__ == "__main__":
    main()
