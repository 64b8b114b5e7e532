"""What does the frontier that several workers share cost a worker: for each URL, in memory, and to take over?

    python -m benchmarks.shared_frontier [--urls 200000] [--hosts 20000] [--load 1000000]

Starts a redis-server of its own. Three measurements, of CPU time of this process:

- a crawl in small, by SQLite's frontier and by this one: pages bring ten links that are new and twenty that are known,
  as in `benchmarks.frontier`; each is taken and ends, with commits in between. Making up the links is not counted.
- one partition with URLs of a single host, which another worker takes over: until its first URL is taken, and how late
  the loop was meanwhile.
- what a URL and a host take of this process's memory once they are loaded.

Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import tempfile
import time
import tracemalloc
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.frontier import Web
from crawler.clock import SystemClock
from crawler.fleet.keys import Keys
from crawler.fleet.link import Link
from crawler.fleet.store import PartitionStore
from crawler.fleet.target import Target, target_of
from crawler.frontier.redis import RedisFrontier
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Finished, HostState, Outcome, Request
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from crawler.frontier.base import Frontier

PAGES_A_COMMIT = 500
PARTITIONS = 4096


async def crawl(frontier: Frontier, urls: int, hosts: int) -> tuple[float, float, float]:
    """Seconds of CPU for finding, taking and committing."""
    web = Web(hosts, frontier.key)
    parent = Request(url="https://seed.test/", host_key="seed.test", scope_host="seed.test")
    frontier.add([parent])
    found_s = taken_s = stored_s = 0.0
    for first in range(0, urls, 10 * PAGES_A_COMMIT):
        pages = [web.page(number) for number in range(first, first + 10 * PAGES_A_COMMIT, 10)]
        began = time.process_time()
        for links in pages:
            frontier.discover(parent, links)
        found_s += time.process_time() - began
        began = time.process_time()
        keys = {link.host_key for links in pages for link in links[:10]}
        taken = await frontier.take([(key, 100) for key in keys])
        taken_s += time.process_time() - began
        ends = tuple(Finished(request=one, outcome=Outcome.FETCHED, status=200, has_page=True) for one in taken)
        began = time.process_time()
        await frontier.commit(Checkpoint(finished=ends))
        stored_s += time.process_time() - began
    return found_s, taken_s, stored_s


def told(name: str, urls: int, seconds: tuple[float, float, float]) -> None:
    """A line of figures."""
    found, taken, stored = (1e6 * one / urls for one in seconds)
    print(
        f"{name:<10} {found + taken + stored:>8.1f} us of CPU a URL: {found:.1f} found among 3 links, "
        f"{taken:.1f} taken, {stored:.1f} committed with its end"
    )


async def compare(folder: Path, link: Link, urls: int, hosts: int) -> None:
    sqlite = SqliteFrontier(folder / "crawl.db", SystemClock())
    await sqlite.open()
    told("sqlite", urls, await crawl(sqlite, urls, hosts))
    await sqlite.aclose()
    store = PartitionStore(link, Keys("compared"))
    shared = worker(store, 1, PARTITIONS)
    leases, _ = await store.acquire(range(PARTITIONS), 1, 600)
    began = time.process_time()
    await shared.gain(leases)
    print(f"gain       {time.process_time() - began:>8.2f} s of CPU, of {PARTITIONS} partitions with nothing in them")
    told("redis", urls, await crawl(shared, urls, hosts))


def worker(store: PartitionStore, number: int, partitions: int) -> RedisFrontier:
    return RedisFrontier(store, SystemClock(), worker=number, lease_s=600, key=7, partitions=partitions)


async def load(link: Link, urls: int) -> None:
    store = PartitionStore(link, Keys("loaded"))
    await filled(link, "loaded", "www.example.org", urls, 1)
    before = resident_bytes()
    frontier = worker(store, 2, 1)
    leases, _ = await store.acquire([0], 1, 600)
    late: list[float] = []
    ticking = asyncio.create_task(tick(late))
    began, cpu = time.perf_counter(), time.process_time()
    await frontier.gain(leases)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    ticking.cancel()
    taken = await frontier.take([("www.example.org", 4)])
    assert len(taken) == 4
    first_s = time.perf_counter() - began
    late.sort()
    print(
        f"load       {seconds:>8.2f} s for {urls:,} URLs of one host, {cpu_s:.2f} s of CPU; "
        f"first URLs after {first_s:.2f} s; "
        f"loop late by {late[len(late) // 2] * 1e3:.1f} ms p50, {late[-1] * 1e3:.1f} at most"
    )
    gc.collect()
    print(f"memory     {(resident_bytes() - before) / urls:>8.1f} bytes a URL that waits")


async def hosts(link: Link, count: int) -> None:
    store = PartitionStore(link, Keys("hosts"))
    await filled(link, "hosts", "h{}.example.org", count, count)
    frontier = worker(store, 2, 1)
    leases, _ = await store.acquire([0], 1, 600)
    tracemalloc.start()
    await frontier.gain(leases)
    frontier._gained.clear()  # noqa: SLF001 - as `wake` does
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"           {taken / count:>8.1f} bytes a host with a state and one URL that waits")


async def filled(link: Link, *told: str | int) -> None:
    """Have another process fill a crawl, so that no memory of this one is there to be used again."""
    child = get_context("spawn").Process(target=fill_apart, args=(link.target, *told))
    child.start()
    await asyncio.to_thread(child.join)
    assert child.exitcode == 0


def fill_apart(target: Target, *told: str | int) -> None:
    asyncio.run(fill(target, *told))  # type: ignore[arg-type]


async def fill(target: Target, prefix: str, name: str, urls: int, hosts: int) -> None:
    link = await Link.open(target)
    store = PartitionStore(link, Keys(prefix))
    frontier = worker(store, 1, 1)
    leases, _ = await store.acquire([0], 1, 600)
    await frontier.gain(leases)
    for first in range(0, urls, 50_000):
        some = range(first, min(first + 50_000, urls))
        keys = [name.format(number % hosts) for number in some]
        frontier.add(
            [
                Request(url=f"https://{key}/section/of/the/site/{number}.html", host_key=key, scope_host=key, depth=2)
                for number, key in zip(some, keys, strict=True)
            ]
        )
        states = tuple(HostState(host_key=key, ready_at=1.7e9, latency_s=0.123, requests=3) for key in set(keys))
        await frontier.commit(Checkpoint(hosts=states))
    await link.aclose()


async def tick(late: list[float]) -> None:
    while True:
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - due)


def resident_bytes() -> int:
    (pages,) = re.findall(r"^\d+ (\d+)", Path("/proc/self/statm").read_text())
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def measure(folder: Path, url: str, options: argparse.Namespace) -> None:
    link = await Link.open(target_of(url, "benchmark", {}))
    await load(link, options.load)
    await hosts(link, 100_000)
    await compare(folder, link, options.urls, options.hosts)
    await link.aclose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=int, default=200_000)
    parser.add_argument("--hosts", type=int, default=20_000)
    parser.add_argument("--load", type=int, default=1_000_000, help="URLs of the one host that is taken over")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder) / "redis") as server:
        asyncio.run(measure(Path(folder), server.url, options))


if __name__ == "__main__":
    main()
