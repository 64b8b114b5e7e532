"""How fast is an archive written, read, and extracted again, and what keeps the cores busy meanwhile?

    python -m benchmarks.reparse [FOLDER] [--copies 6] [--set KEY=VALUE]

The HTML files under FOLDER (by default the documentation of `benchmarks.workloads`) become an archive, `--copies` times
under other URLs, through the sink that crawls use; then it is read alone, and extracted again as `crawler reparse`
does, in a process of its own. Busy is CPU of it and all its children by its time, of one per core; the first line of
each is start-up included, the second without what an archive of one answer takes.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.workloads import documentation
from crawler.archive.captures import Captures, Source
from crawler.archive.entry import Entry, encode
from crawler.export.warc import WarcSink
from crawler.models import HostKey, Outcome, Request, Response, Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BATCH_BYTES = 4 << 20
_HEAD = b"GET / HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: bench/1.0\r\nAccept-Encoding: gzip\r\n\r\n"


class Ran(NamedTuple):
    """What a command took."""

    wall_s: float
    cpu_s: float


def lines(folder: Path, copies: int, *, packed: bool) -> Iterator[bytes]:
    """The files as the ledger hands them to the sink."""
    pages = sorted(folder.rglob("*.html"))
    coding = ((b"Content-Encoding", b"gzip"),) if packed else ()
    for copy in range(copies):
        for number, path in enumerate(pages):
            body = path.read_bytes() + b"<!-- %d -->" % copy
            url = Url(f"https://www.example.org/{copy}/{path.relative_to(folder)}")
            response = Response(
                url=url,
                status=200,
                headers=((b"Content-Type", b"text/html; charset=utf-8"), (b"Server", b"bench"), *coding),
                body=gzip.compress(body, 6) if packed else body,
                fetched_at=1.7e9 + number,
                elapsed_s=0.1,
                address="127.0.0.1",
                status_line=b"HTTP/1.1 200 OK",
                request_head=_HEAD,
            )
            request = Request(url=url, host_key=HostKey("www.example.org"), scope_host="www.example.org", seed=url)
            yield encode(Entry(request=request, response=response, outcome=Outcome.FETCHED))


async def write(folder: Path, entries: Sequence[bytes]) -> Ran:
    """Archive them, a batch at a time."""
    sink = WarcSink(folder / "warc", "bench", software="bench")
    await sink.open(None)
    began, cpu = time.perf_counter(), time.process_time()
    batch: list[bytes] = []
    size = 0
    for line in entries:
        batch.append(line)
        size += len(line)
        if size >= _BATCH_BYTES:
            await sink.append(batch)
            batch, size = [], 0
    await sink.append(batch)
    await sink.sync(fsync=False)
    ran = Ran(time.perf_counter() - began, time.process_time() - cpu)
    await sink.aclose()
    return ran


def read(path: Path) -> Ran:
    """Read it alone."""
    began, cpu = time.perf_counter(), time.process_time()
    for _ in Captures([Source(path)]):
        pass
    return Ran(time.perf_counter() - began, time.process_time() - cpu)


def extract(folder: Path, overrides: Sequence[str]) -> Ran:
    """The command, in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    options = [part for override in overrides for part in ("--set", override)]
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "crawler", "reparse", *map(str, sorted((folder / "warc").glob("*.gz")))]
        subprocess.run([*command, "-d", f"{out}/new", *options], check=True, stdout=subprocess.DEVNULL)
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Ran(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Measure bodies as they are, then gzipped as most servers send them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--copies", type=int, default=6)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()
    source = options.folder or documentation().root
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    for packed in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "one").mkdir()
            entries = list(lines(source, options.copies, packed=packed))
            pages = len(entries)
            asyncio.run(write(folder / "one", entries[:1]))
            written = asyncio.run(write(folder, entries))
            path = folder / "warc/bench-00000.warc.gz"
            data = sum(map(len, entries))
            share = path.stat().st_size / data
            print(f"{pages:,} pages, bodies {'gzipped' if packed else 'plain'}, {data / 1e6:,.0f} MB")
            print(f"  {told('archive', pages, written)}, {share:.0%} of the bytes")
            print(f"  {told('read', pages, read(path))}")
            del entries
            idle = extract(folder / "one", options.overrides)
            ran = extract(folder, options.overrides)
            for what, net in (("reparse", ran), ("net", Ran(ran.wall_s - idle.wall_s, ran.cpu_s - idle.cpu_s))):
                print(f"  {told(what, pages, net)}, {net.cpu_s / net.wall_s / cores:.0%} of {cores} cores busy")


def told(what: str, pages: int, ran: Ran) -> str:
    """A line's beginning."""
    return f"{what:8}{pages / ran.wall_s:8,.0f} pages/s {ran.cpu_s / pages * 1e6:8,.0f} us CPU a page"


if __name__ == "__main__":
    main()
