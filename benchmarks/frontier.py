"""How fast does the SQLite frontier grow, and does it slow down with size?

    python -m benchmarks.frontier [--urls 1000000] [--hosts 100000] [--deepest-first] [--folder DIR]

Pages of 30 links come in as fast as they are taken up: ten of a page's links are new, twenty are known, and four in
five of the new ones are on its own host. Every fiftieth page is followed by a take of four URLs of a random host, which
end with the next commit; commits follow each other without a pause, and at 100,000 uncommitted URLs the pages wait.
Making up the links, with what a parser process does of it in a crawl (canonical text, fingerprint), is part of the
time, and told. Then the store is opened again, as after a crash. The interpreter is set up as `crawler crawl` does it:
switch interval 0.5 ms, what exists at the start hidden from the garbage collector, which comes seldom. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from crawler.clock import SystemClock
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Finished, Link, Outcome, Request
from crawler.url import fingerprint

NEW, KNOWN = 10, 20
OWN_HOST = 8
SAMPLE = 20_000
TAKE_EVERY = 50
MAX_UNCOMMITTED = 100_000
TURN_S = 0.001


class Web:
    """Numbered URLs of about 60 characters; few hosts have most of them."""

    def __init__(self, hosts: int, key: int) -> None:
        self.key = key
        self.hosts = hosts
        self.draw = random.Random(1)
        self.met: list[Link] = []
        self.made_s = 0.0

    def page(self, first: int) -> list[Link]:
        """Ten links that are new, and twenty that were met before, out of a sample of all these."""
        began = time.perf_counter()
        own, *others = (self.host() for _ in range(1 + NEW - OWN_HOST))
        links = []
        for number, host in enumerate([own] * OWN_HOST + others, first):
            url = f"https://{host}/section/of/the/site/{number}.html"
            links.append(Link(url=url, host_key=host, fingerprint=fingerprint(url, self.key)))
        if len(self.met) < SAMPLE:
            self.met += links
        else:
            self.met[self.draw.randrange(SAMPLE)] = links[0]
        place = self.draw.randrange(len(self.met))
        links += self.met[place : place + KNOWN]
        self.made_s += time.perf_counter() - began
        return links

    def host(self) -> str:
        """One of all hosts; the first half of them in the logarithm has as many pages as the other."""
        return f"www.host{int(self.hosts ** self.draw.random())}.example.org"


class Run:
    """One growth from nothing to `urls`."""

    def __init__(self, frontier: SqliteFrontier, urls: int, hosts: int) -> None:
        self.frontier = frontier
        self.urls = urls
        self.web = Web(hosts, frontier.key)
        self.begun_s = 0.0
        self.marks: list[float] = []  # after every tenth
        self.takes: list[float] = []
        self.commits: list[float] = []
        self.waited_s = 0.0
        self.loop = asyncio.get_running_loop()
        self.late: list[float] = []
        self.taken: list[Request] = []
        self.growing = True
        self.roomier = asyncio.Event()

    async def run(self) -> None:
        self.begun_s = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.commit())
            self.tick(self.loop.time())
            await self.grow()
            self.ticker.cancel()
            self.growing = False

    async def grow(self) -> None:
        turn = time.perf_counter()
        for number in range(0, self.urls, NEW):
            parent = Request(url="https://seed.test/", host_key="seed.test", scope_host="seed.test", depth=number % 3)
            self.frontier.discover(parent, self.web.page(number))
            if number // NEW % TAKE_EVERY == 0:
                await self.take()
            if (number + NEW) * 10 // self.urls > len(self.marks):
                self.marks.append(time.perf_counter())
            if time.perf_counter() - turn > TURN_S:
                await asyncio.sleep(0)
                await self.room()
                turn = time.perf_counter()

    async def take(self) -> None:
        host = self.web.draw.choice(self.web.met).host_key
        began = time.perf_counter()
        taken = await self.frontier.take([(host, 4)])
        self.takes.append(time.perf_counter() - began)
        self.taken += taken

    async def room(self) -> None:
        began = time.perf_counter()
        while self.frontier.uncommitted > MAX_UNCOMMITTED:
            self.roomier.clear()
            await self.roomier.wait()
        self.waited_s += time.perf_counter() - began

    async def commit(self) -> None:
        while self.growing:
            await asyncio.sleep(0.01)
            ended, self.taken = self.taken, []
            finished = tuple(Finished(request=request, outcome=Outcome.FETCHED, status=200) for request in ended)
            began = time.perf_counter()
            await self.frontier.commit(Checkpoint(finished=finished))
            self.commits.append(time.perf_counter() - began)
            self.roomier.set()

    def tick(self, due: float) -> None:
        """Note how late the loop is, a thousand times a second."""
        now = self.loop.time()
        self.late.append(now - due)
        self.ticker = self.loop.call_later(0.001, self.tick, now + 0.001)


async def grow(path: Path, urls: int, hosts: int, *, deepest_first: bool) -> None:
    frontier = SqliteFrontier(path, SystemClock(), deepest_first=deepest_first)
    await frontier.open()
    run = Run(frontier, urls, hosts)
    cpu = time.thread_time(), time.process_time()
    await run.run()
    loop_s, all_s = time.thread_time() - cpu[0], time.process_time() - cpu[1]
    wall_s = run.marks[-1] - run.begun_s
    first_s, last_s = run.marks[0] - run.begun_s, run.marks[-1] - run.marks[-2]
    known, pending = frontier.counts().admitted, frontier.counts().pending
    print(f"admitted       {known:>12,}   {pending:,} pending")
    print(f"rate           {urls / wall_s:>12,.0f} new a second, {3 * urls / wall_s:,.0f} links")
    print(
        f"tenths         {urls / 10 / first_s:>12,.0f} in the first, {urls / 10 / last_s:,.0f} in the last, "
        f"which took {last_s / first_s:.2f} times as long"
    )
    print(f"of the time    {run.web.made_s / wall_s:>12.0%} making links, {run.waited_s / wall_s:.0%} for commits")
    print(f"CPU            {loop_s / wall_s:>12.0%} of a core in the loop, {(all_s - loop_s) / wall_s:.0%} beside it")
    print(f"take           {percentiles(run.takes)}")
    print(f"commit         {percentiles(run.commits)}   {len(run.commits)} of them")
    print(f"loop late by   {percentiles(run.late)}")
    began = time.perf_counter()
    await frontier.aclose()
    print(f"close          {time.perf_counter() - began:>12.2f} s")


async def reopen(path: Path) -> None:
    began = time.perf_counter()
    frontier = SqliteFrontier(path, SystemClock())
    await frontier.open()
    opened_s = time.perf_counter() - began
    states, _ = await frontier.hosts(time.time(), 0, 1)
    assert await frontier.take([(states[0].host_key, 4)])
    print(f"reopen         {opened_s:>12.2f} s, first take after {time.perf_counter() - began:.2f} s")
    await frontier.aclose()


def percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    middle, late = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    return f"{middle * 1e3:>12.2f} ms p50, {late * 1e3:.2f} p99, {ordered[-1] * 1e3:.1f} at most"


def peak_bytes() -> int:
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kib) * 1024


def hosts_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    (hosts,) = connection.execute("SELECT count(*) FROM host").fetchone()
    connection.close()
    return int(hosts)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--deepest-first", action="store_true", help="take the URLs that lie deepest first")
    parser.add_argument("--folder", type=Path, help="where to put the store; a temporary folder by default")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        path = folder / "crawl.db"
        sys.setswitchinterval(0.0005)
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        asyncio.run(grow(path, options.urls, options.hosts, deepest_first=options.deepest_first))
        print(f"memory         {peak_bytes() / 1e6:>12,.0f} MB at most")
        print(f"disk           {path.stat().st_size / 1e6:>12,.0f} MB, of {hosts_of(path):,} hosts")
        asyncio.run(reopen(path))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
