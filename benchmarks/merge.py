"""What does it take to make one crawl of several workers' files? ``python -m benchmarks.merge [URLS] [WORKERS]``

Made-up pages of a few kilobytes, links and outcomes, a tenth of the ends twice; the ledger is in this process, so what
Redis takes is not in it. CPU time and the memory that the merge added; one process, in a folder of the system's.
"""

from __future__ import annotations

import asyncio
import gc
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.clock import SystemClock
from crawler.export.journal import JOURNAL, CheckpointLine, JournalLine
from crawler.fleet.models import FinishedAt
from crawler.merging.ledger import About, Hosts, Row, Used
from crawler.merging.merge import Making, merge
from crawler.merging.segments import Worker, segments, worker_directory, write_worker
from crawler.models import Finished, Outcome, Request
from crawler.outputs import line_file
from crawler.stores import store_alone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from crawler.merging.publish import Merged

URLS, WORKERS = 100_000, 4
_PARTITIONS = 64
_WORDS = ("harbour", "lantern", "meadow", "copper", "orchard", "signal", "winter", "gravel")
_TEXT = " ".join(random.Random(1).choices(_WORDS, k=300))
_CONFIG = "name: shop\nseeds: [a.test]\nexport: {links: true}\ntraps: {detect: false}\n"


def main() -> None:
    """Measure."""
    urls = int(sys.argv[1]) if len(sys.argv) > 1 else URLS
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else WORKERS
    with tempfile.TemporaryDirectory(prefix="merge-") as folder:
        directory = Path(folder)
        where = _written(directory, urls, workers)
        size = sum(path.stat().st_size for path in directory.rglob("*.jsonl"))
        gc.collect()
        before, cpu, wall = _peak(), time.process_time(), time.monotonic()
        done = asyncio.run(_merged(directory, where))
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        ends = sum(map(len, where))
        sys.stdout.write(
            f"{done.records['pages']:,} pages of {urls:,} URLs, {size / 1e6:,.0f} MB of {workers} workers: "
            f"{cpu:.1f} s of CPU ({cpu / urls * 1e6:.0f} us a URL), {wall:.1f} s, "
            f"{(_peak() - before) / 1e6:.0f} MB more memory ({(_peak() - before) / urls:.0f} bytes a URL); "
            f"{done.left_out:,} ends left out of {ends + done.left_out:,}\n"
        )


async def _merged(directory: Path, where: list[list[tuple[int, int]]]) -> Merged:
    making = Making(store=store_alone, sink=line_file, clock=SystemClock())
    return await merge(segments(directory), _Ledger(where), directory, making)


def _written(directory: Path, urls: int, workers: int) -> list[list[tuple[int, int]]]:
    """Write the workers' files; of each, the URL and number of each end that counts."""
    encode = msgspec.json.encode
    where: list[list[tuple[int, int]]] = []
    for worker in range(1, workers + 1):
        path = worker_directory(directory, worker, "bench")
        path.mkdir(parents=True)
        write_worker(path, Worker(id=worker, name="bench", crawl="1", url="redis://x", prefix="crawler:shop"))
        mine = list(range(worker - 1, urls, workers))
        counting: list[tuple[int, int]] = []
        files = {name: (path / f"{name}.jsonl").open("wb") for name in ("pages", "outcomes", "links", JOURNAL)}
        # what the worker before was given first, in vain for this one
        lost = [number - 1 for number in mine if worker > 1 and (number - worker + 1) // workers % 10 == 0]
        for ordinal, number in enumerate([*lost, *mine]):
            brought = _lines(number)
            for name, line in brought.items():
                files[name].write(line)
            line = JournalLine(
                url=_url(number),
                outcome=Outcome.FETCHED if number % 10 else Outcome.FAILED,
                attempt=1,
                at=1e9,
                sinks={name: len(line) for name, line in brought.items()},
            )
            files[JOURNAL].write(encode(line) + b"\n")
            if ordinal >= len(lost):
                counting.append((number, ordinal))
        told = CheckpointLine(checkpoint=len(mine), positions={}, counters={"attempts": len(mine)})
        files[JOURNAL].write(encode(told) + b"\n")
        for file in files.values():
            file.close()
        where.append(counting)
    return where


def _url(number: int) -> str:
    return f"https://host{number % 500}.example.org/catalogue/section-{number % 37}/page-{number}.html"


def _lines(number: int) -> dict[str, bytes]:
    record = {"url": _url(number), "title": f"Page {number}", "text": _TEXT}
    if number % 10 == 0:
        return {"outcomes": msgspec.json.encode({**record, "text": ""}) + b"\n"}
    links = b"".join(msgspec.json.encode({"url": _url(number), "to": _url(number + to)}) + b"\n" for to in range(5))
    return {"pages": msgspec.json.encode(record) + b"\n", "links": links}


def _peak() -> int:
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


class _Ledger:
    """A ledger that makes its rows as they are asked for."""

    def __init__(self, where: list[list[tuple[int, int]]]) -> None:
        self._where = where

    async def about(self) -> About:
        return About(crawl="1", config=_CONFIG, state="done", started_at=1e9, state_at=1e9 + 60)

    async def stamp(self) -> str:
        return "1"

    async def used(self) -> list[Used]:
        ends = sum(map(len, self._where))
        return [Used(partition, ends // _PARTITIONS) for partition in range(_PARTITIONS)]

    async def rows(self, partition: int) -> AsyncIterator[Row]:
        for worker, ends in enumerate(self._where, 1):
            for number, ordinal in ends[partition::_PARTITIONS]:
                url = _url(number)
                host = url.split("/")[2]
                request = Request(url=url, host_key=host, scope_host=host, depth=1, via=_url(0), seed="a.test")
                has_page = number % 10 > 0
                end = Finished(
                    request=request,
                    outcome=Outcome.FETCHED if has_page else Outcome.FAILED,
                    reason=None if has_page else "http_404",
                    status=200 if has_page else 404,
                    at=1e9,
                    has_page=has_page,
                )
                yield Row(request=request, end=end, where=FinishedAt(worker=worker, ordinal=ordinal))

    async def hosts(self, _partition: int) -> Hosts:
        return Hosts((), ())


if __name__ == "__main__":
    main()
