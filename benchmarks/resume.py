"""How long until a large crawl that was killed goes on? From the start of the process to the first request.

    python -m benchmarks.resume [--urls 1000000] [--hosts 1000] [--rounds 5]

A crawl is begun, killed, and grown to its size in its store and its output file by the frontier itself: half of the
URLs have ended. Each round resumes a copy of that. The store has been read a moment before, so it is in the system's
cache; a machine that was restarted reads it from the disk first.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.endless import Endless
from benchmarks.processes import rss_bytes
from crawler.clock import SystemClock
from crawler.export.outcomes import outcome_line
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import OUTCOMES, Checkpoint, Finished, HostKey, Link, Outcome, Request
from crawler.url import Url, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDLESS_PAGES = 10_000_000
SMALL_S = 2.0
WAIT_S = 60.0
BATCH = 50_000


def crawl(port: int, directory: Path, *more: str) -> subprocess.Popen[bytes]:
    settings = (
        f'fetch.resolve={{"*.test": "127.0.0.1:{port}"}}',
        "limits.default.delay=0s",
        "robots.obey=false",
        "traps.detect=false",  # its pages say all the same
        "scope.stay_on=any",
    )
    command = [sys.executable, "-m", "crawler", "crawl", "http://h0.test/0", "-q", "-d", str(directory), *more]
    return subprocess.Popen([*command, *(f"--set={setting}" for setting in settings)])


def begin(directory: Path) -> None:
    """A crawl that was killed while it was small."""
    with Endless(ENDLESS_PAGES) as server:
        process = crawl(server.port, directory)
        try:
            process.wait(SMALL_S)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()


async def grow(directory: Path, urls: int, hosts: int) -> tuple[int, int]:
    """Give a crawl so many URLs, and let half of them end; how many are pending, and the size of the store."""
    frontier = SqliteFrontier(directory / "crawl.db", SystemClock())
    restored = await frontier.open()
    length = restored.positions[OUTCOMES]
    with (directory / "outcomes.jsonl").open("r+b") as file:
        file.truncate(length)
        file.seek(length)
        parent = Request(url=Url("http://h0.test/0"), host_key=HostKey("h0.test"), scope_host="h0.test", seed="h0")
        for links in batches(urls - frontier.counts().admitted, hosts, frontier.key):
            frontier.discover(parent, links)
            wanted = [(HostKey(f"h{number}.test"), len(links) // hosts // 2) for number in range(hosts)]
            ended = [
                Finished(request=r, outcome=Outcome.FAILED, reason="http_404", status=404, at=time.time())
                for r in await frontier.take(wanted)
            ]
            length += file.write(b"".join(outcome_line(end) + b"\n" for end in ended))
            file.flush()
            await frontier.commit(Checkpoint(finished=tuple(ended), positions={OUTCOMES: length}))
    pending = frontier.counts().pending
    await frontier.aclose()
    return pending, (directory / "crawl.db").stat().st_size


def batches(urls: int, hosts: int, key: int) -> Iterator[list[Link]]:
    """Links to so many pages, spread evenly over the hosts."""
    for first in range(0, urls, BATCH):
        addresses = (
            (f"h{number % hosts}.test", Url(f"http://h{number % hosts}.test/section/of/the/site/{number}.html"))
            for number in range(first, min(first + BATCH, urls))
        )
        yield [Link(url=url, host_key=HostKey(host), fingerprint=fingerprint(url, key)) for host, url in addresses]


def resume(original: Path, directory: Path) -> tuple[float, int]:
    """Seconds to the first request of a resumed crawl, and its resident memory then."""
    shutil.copytree(original, directory)
    with Endless(ENDLESS_PAGES) as server:
        began = time.time()
        process = crawl(server.port, directory, "--resume")
        try:
            while not server.first_at:
                if process.poll() is not None or time.time() - began > WAIT_S:
                    raise SystemExit(f"no request within {WAIT_S:.0f} s; exit code {process.returncode}")
                time.sleep(0.001)
            memory = rss_bytes(process.pid)
        finally:
            process.kill()
            process.wait()
        first_at = server.first_at
    shutil.rmtree(directory)
    return first_at - began, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to crawl; a temporary folder by default")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        begin(folder / "crawl")
        pending, size = asyncio.run(grow(folder / "crawl", options.urls, options.hosts))
        print(f"{options.urls:,} URLs of {options.hosts:,} hosts, {pending:,} pending; crawl.db {size / 1e6:,.0f} MB")
        rounds = [resume(folder / "crawl", folder / f"round-{number}") for number in range(options.rounds)]
        waits = [wait_s for wait_s, _ in rounds]
        print(
            f"process start to first request: median {median(waits):.2f} s ({min(waits):.2f} - {max(waits):.2f}) of "
            f"{len(waits)}; memory then {median(memory for _, memory in rounds) / 2**20:,.0f} MiB"
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
