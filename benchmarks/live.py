"""What does the live view cost while it stands on a terminal?

    python -m benchmarks.live [--hosts 10000] [--seconds 20]

A policy with so many hosts in memory, of which some wait, looked at as `crawler crawl` does on a terminal of 100 by 40,
which somebody reads. Processor time of the thread of a loop that has nothing else to do; the numbers that change are
made up.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import pty
import random
import termios
import threading
import time

from msgspec.structs import replace

from benchmarks.processes import compile_package
from crawler.clock import SystemClock
from crawler.config import BudgetConfig
from crawler.control import Control
from crawler.live.hosts import MOST
from crawler.live.watching import Watching
from crawler.machine import Machine
from crawler.models import HostState
from tests.support.policies import policy_for
from tests.support.snapshots import SNAPSHOT


class Crawl:
    """Something to look at that does nothing itself."""

    stopping = False

    def __init__(self, hosts: int) -> None:
        clock = SystemClock()
        self._started = clock.monotonic()
        self._policy = policy_for(clock, resumed=True)
        self._policy.adopt([HostState(host_key=f"host-{number}.example.org") for number in range(hosts)])
        chance = random.Random(8)
        for host in self._policy._window.hosts.values():  # noqa: SLF001
            host.requests, host.far = chance.randrange(10_000), True
            host.due = self._started + chance.uniform(-100, 300)
        self._count = itertools.count(1_526, 12)
        self._machine = Machine(clock, lambda: None)
        self.control = Control(200, 200)
        self.machine = self._machine.view
        self.looks = 0

    def snapshot(self):
        """As the engine's, and the counts go on."""
        self.looks += 1
        elapsed_s = SystemClock.monotonic() - self._started
        slow = tuple(self._policy.views.slowest())
        return replace(SNAPSHOT, slow=slow, elapsed_s=elapsed_s, pages=next(self._count))

    def hosts(self, limit: int):
        """As the engine's."""
        return self._policy.views.hosts(limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    compile_package()
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (40, 100))
    threading.Thread(target=read_all, args=(ours,), daemon=True).start()
    os.environ["TERM"] = "xterm-256color"
    crawl = Crawl(arguments.hosts)
    spent_s = time.thread_time()
    for look in (crawl.snapshot, lambda: crawl.hosts(MOST), crawl.machine):
        look()
    each_s = time.thread_time() - spent_s
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        crawl.looks, began, spent_s = 0, time.monotonic(), time.thread_time()
        asyncio.run(watch(crawl, stream, arguments.seconds))
        spent_s, took_s = time.thread_time() - spent_s, time.monotonic() - began
    print(f"{arguments.hosts:,} hosts, {crawl.looks / took_s:.1f} views a second: {spent_s / took_s:.2%} of a core")
    print(f"one look at everything, without drawing it: {each_s * 1000:.1f} ms")


async def watch(crawl: Crawl, stream, seconds: float) -> None:
    watching = Watching(crawl, stream, SystemClock(), budget=BudgetConfig(), quit_=lambda: None, keys=False)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await watching.run()


def read_all(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(descriptor, 65_536):
            pass


if __name__ == "__main__":
    main()
