"""How long does it take to go round all hosts that wait, to find the few that may be asked?

    python -m benchmarks.hosts [--hosts 1000000] [--frontier sqlite|memory]

Every host has a URL waiting and a stored state; one in a thousand is below its budget of pages, another one in a
thousand is not resting. Each kind of question goes round all hosts three times. Told is also how late a ticker, which
is due every millisecond, comes meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.clock import SystemClock
from crawler.frontier.memory import MemoryFrontier
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, HostState, Request

if TYPE_CHECKING:
    from crawler.frontier.base import Frontier

AT_ONCE = 20_000
PAGES, RESTS_UNTIL = 100, 1_000.0
ROUNDS = {
    "all": {"ready_before": RESTS_UNTIL, "pages_below": None},
    "pages left": {"ready_before": RESTS_UNTIL, "pages_below": PAGES},
    "not resting": {"ready_before": 0.0, "pages_below": None},
}


class Ticker:
    """Notes how late the loop is, a thousand times a second."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.late: list[float] = []
        self.tick(self.loop.time())

    def tick(self, due: float) -> None:
        now = self.loop.time()
        self.late.append(now - due)
        self.handle = self.loop.call_later(0.001, self.tick, now + 0.001)

    def stop(self) -> str:
        self.handle.cancel()
        late = sorted(self.late)
        return f"{late[len(late) * 99 // 100] * 1e3:.1f} ms p99, {late[-1] * 1e3:.1f} at most"


async def fill(frontier: Frontier, hosts: int) -> None:
    for first in range(0, hosts, AT_ONCE):
        names = [f"www.host{n}.example.org" for n in range(first, min(first + AT_ONCE, hosts))]
        frontier.add([Request(url=f"https://{n}/", host_key=n, scope_host=n, seed="s") for n in names])
        states = [
            HostState(
                host_key=name,
                ready_at=0.0 if number % 1000 == 1 else RESTS_UNTIL,
                pages=0 if number % 1000 == 2 else PAGES,
            )
            for number, name in enumerate(names, first)
        ]
        await frontier.commit(Checkpoint(hosts=tuple(states)))


async def go_round(frontier: Frontier, what: str, limit: int) -> None:
    ticker = Ticker()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        states, _ = await frontier.hosts(cursor=0, limit=limit, **ROUNDS[what])
        times.append(f"{time.perf_counter() - began:.3f}")
    print(f"{what:<14} {len(states):>9,} hosts in {', '.join(times)} s; loop late by {ticker.stop()}")


async def run(frontier: Frontier, hosts: int) -> None:
    await frontier.open()
    await fill(frontier, hosts)
    for what in ROUNDS:
        await go_round(frontier, what, 10_000 if what == "all" else hosts)
    await frontier.aclose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=1_000_000)
    parser.add_argument("--frontier", choices=("sqlite", "memory"), default="sqlite")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        clock = SystemClock()
        sqlite = options.frontier == "sqlite"
        asyncio.run(run(SqliteFrontier(folder / "crawl.db", clock) if sqlite else MemoryFrontier(clock), options.hosts))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
