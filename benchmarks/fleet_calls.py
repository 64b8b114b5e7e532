"""What does a call cost Redis, and what each URL in it? Real server, real scripts; processor time of the server alone.

    python -m benchmarks.fleet_calls [--urls 100000]

The more workers share a crawl, the fewer URLs a partition gets in a checkpoint, so that what a call costs by itself
counts. Commits of partitions that admit and end so many URLs each, and deliveries of so many links to an inbox, which
the next commit removes: processor microseconds a call and a URL, and memory a URL; and, of a worker's own processor,
microseconds a URL known when it takes partitions over. Figures for `benchmarks.fleet`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fleet_web import spelt
from crawler.clock import SystemClock
from crawler.fleet.keys import Keys
from crawler.fleet.link import Link
from crawler.fleet.models import FinishedAt
from crawler.fleet.store import Change, PartitionStore
from crawler.fleet.target import target_of
from crawler.frontier.redis import RedisFrontier
from crawler.models import Finished, HostKey, Outcome, Request, Url
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTITIONS = 64
SIZES = (1, 6, 50, 500)


def requests(partition: int, first: int, count: int) -> list[Request]:
    """URLs as sites have them: a few hosts in a partition, paths of some 40 characters of which half are alike."""
    made = []
    drawn = random.Random(first * PARTITIONS + partition)
    for number in range(first, first + count):
        title = "-".join(spelt(drawn.randrange(10**6)) for _ in range(3))
        host = HostKey(f"www.site-{partition}-{number % 8}.example")
        url = Url(f"https://{host}/articles/{number % 97:02}/{title}.html")
        made.append(Request(url=url, host_key=host, scope_host=host, depth=3, seed=Url(f"https://{host}/")))
    return made


class Measured:
    """A server, and what its processor has done."""

    def __init__(self, server: RedisServer, link: Link, prefix: str) -> None:
        self._client = server.client()
        self.store = PartitionStore(link, Keys(prefix))

    def cpu_us(self) -> float:
        """Of the server's main thread."""
        told = self._client.info("cpu")
        return 1e6 * (told["used_cpu_sys_main_thread"] + told["used_cpu_user_main_thread"])

    def memory(self) -> int:
        """Bytes of its data."""
        return int(self._client.info("memory")["used_memory_dataset"])


async def commits(measured: Measured, size: int, urls: int) -> tuple[float, float]:
    """Microseconds of a commit, and bytes of a URL: each commit admits so many and ends those of the one before."""
    leases, _ = await measured.store.acquire(range(PARTITIONS), 1, 600)
    fences = {lease.partition: lease.fence for lease in leases}
    rounds = max(2, urls // size // PARTITIONS)
    before, empty = measured.cpu_us(), measured.memory()
    for number in range(rounds):
        changes = []
        for partition, fence in fences.items():
            known = requests(partition, number * size, size)
            ended = [
                (number * size + at + 1, Finished(request=request, outcome=Outcome.FETCHED, status=200), at)
                for at, request in enumerate(known)
            ]
            changes.append(
                Change(
                    partition=partition,
                    fence=fence,
                    commit=number,
                    admitted=known,
                    ended=[(n, finished, FinishedAt(worker=1, ordinal=at)) for n, finished, at in ended],
                )
            )
        if await measured.store.commit(changes):
            raise SystemExit("a commit was refused")
    us = (measured.cpu_us() - before) / rounds / PARTITIONS
    return us, (measured.memory() - empty) / rounds / PARTITIONS / size


async def deliveries(measured: Measured, size: int, urls: int) -> float:
    """Microseconds of a delivery of so many links to a partition, and of its being read and removed."""
    leases, _ = await measured.store.acquire(range(PARTITIONS), 1, 600)
    rounds = max(2, urls // size // PARTITIONS)
    before = measured.cpu_us()
    for number in range(rounds):
        await measured.store.deliver(
            {lease.partition: requests(lease.partition, number * size, size) for lease in leases}
        )
        if number % 16 == 15 or number == rounds - 1:
            for lease in leases:
                await measured.store.inbox(lease.partition)
    return (measured.cpu_us() - before) / rounds / PARTITIONS


async def loading(measured: Measured) -> float:
    """Microseconds of a worker's own processor for a URL known, when it takes all partitions over."""
    leases, _ = await measured.store.acquire(range(PARTITIONS), 1, 600)
    frontier = RedisFrontier(measured.store, SystemClock(), worker=1, lease_s=600, key=7, partitions=PARTITIONS)
    before = time.process_time()
    await frontier.gain(leases)
    spent_us = 1e6 * (time.process_time() - before)
    await frontier.aclose()
    return spent_us / sum(lease.urls for lease in leases)


async def measure(folder: Path, urls: int, sizes: Sequence[int]) -> None:
    print(
        f"{'URLs a call':>12}{'commit us':>11}{'us a URL':>10}{'bytes a URL':>13}{'delivery us':>13}{'us a link':>11}"
    )
    for size in sizes:
        with RedisServer(folder / str(size)) as server:
            link = await Link.open(target_of(server.url, "calls", {}))
            try:
                measured = Measured(server, link, "calls")
                commit_us, bytes_a_url = await commits(measured, size, urls)
                load_us = await loading(measured)
                delivery_us = await deliveries(Measured(server, link, "posts"), size, urls)
            finally:
                await link.aclose()
        print(
            f"{size:12,}{commit_us:11.1f}{commit_us / size:10.2f}{bytes_a_url:13.0f}{delivery_us:13.1f}"
            f"{delivery_us / size:11.2f}{load_us:10.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=100_000, help="at each size")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), options.urls, SIZES))


if __name__ == "__main__":
    main()
