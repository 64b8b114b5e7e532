"""The frontier backends under test. One joins all suites by a line in `BACKENDS`."""

from __future__ import annotations

import sqlite3

from crawler.frontier.bounds import Bounds
from crawler.frontier.memory import MemoryFrontier, MemoryStore
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Request

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


def seed(url="https://a.test/", **fields):
    host = url.split("/")[2]
    return Request(**{"url": url, "host_key": host, "scope_host": host, "seed": url, **fields})


async def opened(path, clock, **options):
    frontier = SqliteFrontier(path, clock, **options)
    await frontier.open()
    return frontier


async def stored(path, clock, urls=3):
    """A store of a few URLs, closed."""
    frontier = await opened(path, clock)
    frontier.add([seed(f"https://a.test/{n}") for n in range(urls)])
    await frontier.commit(Checkpoint())
    await frontier.aclose()


def altered(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
