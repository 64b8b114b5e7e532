"""What could this machine's cores do at best? The CPU of what no crawler in Python gets round, of one workload's pages.

That is a GET by an aiohttp session on uvloop, with nothing made of the answer; Lexbor parsing it, with exactly the
extraction that all crawlers of `benchmarks.crawl` do, and each link resolved by the URL standard; and the server.
Pages are parsed in a process of its own that keeps its heap, as our parser workers do. Where glibc gives it back after
each page, which depends on what was allocated before, Lexbor takes twice as long for a page of 96 KB (1,340 us instead
of 620), and the limit would be lower than what can be reached.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import aiohttp
import can_ada
import uvloop

from benchmarks.peers.selectolax_record import taken
from benchmarks.processes import cpu_s, tree
from crawler.parse.server import KEEP_HEAP
from tests.support.nginx import Nginx

if TYPE_CHECKING:
    from benchmarks.workloads import Workload

CONCURRENCY = 64
PAGES_AT_LEAST = 4_000  #: fetched, again and again where a site has fewer: the clock of /proc ticks in 10 ms
PARSED_AT_MOST = 2_000


@dataclass(frozen=True)
class Limits:
    """CPU seconds a page."""

    get_s: float
    parse_s: float
    server_s: float

    @property
    def pages_per_s(self) -> float:
        """What all cores could do, if they did nothing else."""
        return (os.cpu_count() or 1) / (self.get_s + self.parse_s + self.server_s)

    def __str__(self) -> str:
        parts = f"GET {self.get_s * 1e6:.0f}, parse {self.parse_s * 1e6:.0f}, server {self.server_s * 1e6:.0f}"
        return f"CPU us a page: {parts}; {os.cpu_count()} cores could do {self.pages_per_s:,.0f} pages/s"


def measure(workload: Workload, paths: list[str]) -> Limits:
    """The limits of `workload`, whose pages are at `paths`."""
    with tempfile.TemporaryDirectory() as folder, Nginx(workload.root, Path(folder)) as server:
        wanted = paths * -(-PAGES_AT_LEAST // len(paths))
        uvloop.run(fetched(server.base, paths[:CONCURRENCY]))  # what is done once only
        server_before, own_before = server_cpu_s(), time.process_time()
        uvloop.run(fetched(server.base, wanted))
        get_s = time.process_time() - own_before
        server_s = server_cpu_s() - server_before
    sample = paths[:: max(1, len(paths) // PARSED_AT_MOST)]
    return Limits(get_s / len(wanted), parse_s(workload.root, sample), server_s / len(wanted))


def parse_s(root: Path, paths: list[str]) -> float:
    """CPU seconds a page of parsing those at `paths`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.limits", root]
    done = subprocess.run(
        command, input="\n".join(paths), capture_output=True, text=True, check=True, env=KEEP_HEAP | os.environ
    )
    return float(done.stdout)


def parsed(root: Path, paths: list[str]) -> float:
    """The same in this process."""
    bodies = [(path, file_of(root, path).read_bytes()) for path in paths]
    for path, body in bodies[:CONCURRENCY]:  # what is done once only
        extracted(path, body)
    before = time.process_time()
    for path, body in bodies:
        extracted(path, body)
    return (time.process_time() - before) / len(bodies)


def server_cpu_s() -> float:
    """CPU of the nginx that this process has started, its worker included."""
    children = tree(os.getpid())[1:]
    return sum(cpu_s(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "nginx")


async def fetched(base: str, paths: list[str]) -> None:
    """GET each, 64 at a time."""
    waiting = iter(paths)

    async def worker() -> None:
        for path in waiting:
            async with session.get(base + path) as response:
                await response.read()

    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


def file_of(root: Path, path: str) -> Path:
    """The file that nginx answers `path` with."""
    file = root / unquote(path.partition("?")[0]).lstrip("/")
    return file / "index.html" if file.is_dir() else file


def extracted(path: str, body: bytes) -> tuple[dict[str, object], list[str]]:
    """A page's record as all crawlers here write it, and its links, absolute."""
    record, hrefs = taken(path, 200, body)
    base = can_ada.parse("http://127.0.0.1" + path)
    links = []
    for href in hrefs:
        try:
            links.append((base + href).href)
        except ValueError:
            continue
    return record, links


if __name__ == "__main__":
    print(parsed(Path(sys.argv[1]), sys.stdin.read().splitlines()))
