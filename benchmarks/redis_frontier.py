"""What does a URL cost Redis: bytes of its memory, and microseconds of its processor?

    python -m benchmarks.redis_frontier [--urls 500000] [--small-urls 100000] [--partitions 4096] [--server PATH]

A redis-server of its own is filled through `crawler.fleet.store`, as a worker does it: URLs are admitted, page by page,
and end in later commits, as the states of their hosts go. Twice: in large commits, as of a worker with few partitions
or much to do; and with twenty URLs of each partition in a commit, as where few hosts answer at once. Then all is read
back, as by workers that take the partitions over. Nothing is claimed one by one: a lease is of a whole partition.

URLs have 70 characters in the mean, of hosts of a heavy-tailed size: words in paths of one to four segments, numbers,
some with a query. A page of a host leads to ten to twenty new URLs of its partition. Half of those that end have an
ETag of 18 to 34 characters, and some a Last-Modified. Redis' memory is `used_memory` after against before, its
processor time what INFO cpu says, with what it takes to receive and answer; no persistence.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from crawler.fleet.keys import Keys
from crawler.fleet.link import Link
from crawler.fleet.models import FinishedAt
from crawler.fleet.store import Change, PartitionStore
from crawler.fleet.target import target_of
from crawler.models import Finished, HostState, Outcome, Request

LEASE_S = 3600
AT = 1_760_000_000.0


class Web:
    """Pages of URLs, the same for the same seed."""

    def __init__(self, partitions: int) -> None:
        self.draw = random.Random(1)
        letters = "etaoinshrdlucmfwypvbgk"
        self.words = ["".join(self.draw.choices(letters, k=self.draw.randint(3, 10))) for _ in range(8000)]
        self.hosts = [[self.host()] for _ in range(partitions)]
        self.made = 0

    def host(self) -> str:
        draw, words = self.draw, self.words
        return f"www.{draw.choice(words)}-{draw.choice(words)}.{draw.choice(['com', 'org', 'de'])}"

    def page(self, partition: int) -> list[Request]:
        """The new URLs of one page, of a host of the partition: of a new one, now and then."""
        draw, hosts = self.draw, self.hosts[partition]
        if draw.random() < 0.1:
            hosts.append(self.host())
        host = hosts[int(len(hosts) * draw.random() ** 2)]
        via, seed, depth = self.url(host), f"https://{host}/", draw.randint(1, 8)
        return [
            Request(url=self.url(host), host_key=host, scope_host=host, depth=depth, via=via, seed=seed)
            for _ in range(draw.randint(10, 20))
        ]

    def url(self, host: str) -> str:
        draw, words = self.draw, self.words
        self.made += 1
        parts = ["-".join(draw.choices(words, k=draw.randint(1, 3))) for _ in range(draw.choice((0, 1, 1, 2, 2, 3)))]
        last = f"{draw.choice(words)}-{self.made * 7919 % 1_000_003}"
        query = f"?id={draw.randint(1, 99999)}" if draw.random() < 0.15 else ".html"
        return "/".join((f"https://{host}", *parts, last + query))

    def end(self, request: Request, at: float) -> Finished:
        draw = self.draw
        if (lot := draw.random()) < 0.1:
            return Finished(request=request, outcome=Outcome.FAILED, reason="http_404", status=404, at=at)
        if lot < 0.2:
            return Finished(request=request, outcome=Outcome.REDIRECTED, status=301, at=at, target=f"{request.url}/")
        etag = f'"{draw.getrandbits(draw.choice((64, 128))):x}"' if draw.random() < 0.5 else None
        time_ = ":".join(f"{draw.randint(0, most):02}" for most in (23, 59, 59))
        modified = f"Mon, {draw.randint(1, 28):02} Nov 2025 {time_} GMT" if draw.random() < 0.3 else None
        outcome = Outcome.FETCHED
        return Finished(
            request=request, outcome=outcome, status=200, at=at, has_page=True, etag=etag, last_modified=modified
        )


class Filler:
    """A worker that commits what a `Web` gives."""

    def __init__(self, store: PartitionStore, web: Web) -> None:
        self.store, self.web = store, web
        self.commits: dict[int, int] = {}
        self.urls: dict[int, int] = {}
        self.fences: dict[int, int] = {}
        self.open: dict[int, list[Request]] = {}
        self.ordinal = 0
        self.seconds = 0.0
        self.characters = 0
        self.changes = 0

    async def acquire(self, partitions: int) -> None:
        leases, _ = await self.store.acquire(range(partitions), 1, LEASE_S)
        self.fences = {lease.partition: lease.fence for lease in leases}

    async def round(self, partitions: range, urls: int) -> int:
        """Commit about `urls` of each partition, and the ends of those of the round before; how many."""
        changes = [self.change(partition, urls) for partition in partitions]
        began = time.process_time()
        refused = await self.store.commit(changes)
        self.seconds += time.process_time() - began
        assert not refused
        self.changes += len(changes)
        return sum(len(change.admitted) for change in changes)

    def change(self, partition: int, urls: int) -> Change:
        web, admitted = self.web, []
        while len(admitted) < urls:
            admitted += web.page(partition)
        first = self.urls.get(partition, 0) + 1
        waiting = self.open.get(partition, [])
        ended = []
        for number, request in enumerate(waiting, first - len(waiting)):
            ended.append(
                (number, web.end(request, AT + self.ordinal / 200), FinishedAt(worker=1, ordinal=self.ordinal))
            )
            self.ordinal += 1
        hosts = {}
        for request in admitted:
            hosts[request.host_key] = HostState(
                host_key=request.host_key, ready_at=AT + self.ordinal / 201, latency_s=0.123456, requests=self.ordinal
            )
        self.characters += sum(len(request.url) for request in admitted)
        self.open[partition] = admitted
        self.urls[partition] = first - 1 + len(admitted)
        commit = self.commits.get(partition, 0)
        self.commits[partition] = commit + 1
        return Change(
            partition=partition,
            fence=self.fences[partition],
            commit=commit,
            admitted=admitted,
            ended=ended,
            woken=(),
            hosts=tuple(hosts.values()),
        )


async def measure(url: str, name: str, urls: int, partitions: int, batch: int) -> None:
    """Fill the server with `urls`, `batch` of a partition at a time, tell what it took, and empty it."""
    client = Redis.from_url(url)
    link = await Link.open(target_of(f"{url}?prefix={name}", name, {}))
    store = PartitionStore(link, Keys(name))
    before, cpu_before = await used(client)
    filler = Filler(store, Web(partitions))
    await filler.acquire(partitions)
    _, cpu = await used(client)
    lease_us = (cpu - cpu_before) / partitions * 1e6
    many = 0
    at_once = max(1, min(partitions, 50_000 // batch))
    start = 0
    while many < urls:
        held = range(start, min(partitions, start + at_once))
        many += await filler.round(held, batch)
        start = held.stop % partitions
    for partition in range(partitions):
        if filler.open.get(partition):
            await filler.round(range(partition, partition + 1), 0)
    memory, cpu_after = await used(client)
    print(f"{name}: {many} URLs of {filler.characters / many:.0f} characters, {filler.changes} changes")
    print(f"  Redis memory   {(memory - before) / many:6.1f} bytes a URL")
    print(f"  Redis CPU      {(cpu_after - cpu) / many * 1e6:6.2f} us a URL added and finished")
    print(f"                 {lease_us:6.2f} us a partition leased")
    print(f"  client CPU     {filler.seconds / many * 1e6:6.2f} us a URL")
    began = time.process_time()
    read = 0
    for partition in range(partitions):
        held_ = await store.held(partition, filler.urls.get(partition, 0))
        async for block in store.blocks(partition):
            read += len(block.fingerprints(7))
        assert sum(held_.ended) == filler.urls.get(partition, 0)
    assert read == many
    _, cpu_read = await used(client)
    print(f"  read back      {(time.process_time() - began) / many * 1e6:6.2f} us a URL of the client's CPU,", end=" ")
    print(f"{(cpu_read - cpu_after) / many * 1e6:.2f} us of Redis'")
    await link.aclose()
    await client.flushall()
    await client.aclose()


async def used(client: Redis) -> tuple[int, float]:
    """Bytes of memory, seconds of processor."""
    told = await client.info()
    return told["used_memory"], told["used_cpu_sys"] + told["used_cpu_user"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--urls", type=int, default=500_000)
    parser.add_argument("--small-urls", type=int, default=100_000, help="of the run with small commits")
    parser.add_argument("--partitions", type=int, default=0, help="default: one for every 1,200 URLs, 4096 at most")
    parser.add_argument("--server", default=shutil.which("redis-server") or shutil.which("valkey-server"))
    args = parser.parse_args()
    if args.server is None:
        sys.exit("neither redis-server nor valkey-server is installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp())
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([args.server, *options], stdout=subprocess.DEVNULL)
    try:
        asyncio.run(run(f"redis://127.0.0.1:{port}/0", args))
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder)


async def run(url: str, args: argparse.Namespace) -> None:
    client = Redis.from_url(url)
    while True:
        try:
            await client.ping()
            break
        except (OSError, RedisError):
            await asyncio.sleep(0.05)
    await client.aclose()
    for name, urls, batch in (("large commits", args.urls, 500), ("small commits", args.small_urls, 20)):
        if urls:
            await measure(url, name.replace(" ", "-"), urls, args.partitions or min(4096, max(1, urls // 1200)), batch)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()
