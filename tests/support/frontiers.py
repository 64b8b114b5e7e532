"""The frontier backends under test. One joins all suites by a line in `BACKENDS`."""

from __future__ import annotations

from crawler.frontier.bounds import Bounds
from crawler.frontier.memory import MemoryFrontier, MemoryStore
from crawler.frontier.sqlite import SqliteFrontier

#: so small that nearly everything goes by way of the disk
TIGHT = Bounds(memory_urls=3, window_urls=2, chunk_urls=2, host_names=2, snoozed=1, seeds=1, unindexed=2)


def memory(clock, folder):
    store = MemoryStore()
    return lambda: MemoryFrontier(clock, store)


def sqlite(clock, folder):
    folder.mkdir(exist_ok=True)
    return lambda: SqliteFrontier(folder / "crawl.db", clock)


def tight_sqlite(clock, folder):
    folder.mkdir(exist_ok=True)
    return lambda: SqliteFrontier(folder / "crawl.db", clock, bounds=TIGHT)


#: (clock, empty folder) -> a function that makes a frontier on one store, another each time, as after a crash
BACKENDS = {"memory": memory, "sqlite": sqlite, "tight sqlite": tight_sqlite}
