"""The frontier backends under test. One joins all suites by a line in `BACKENDS`."""

from __future__ import annotations

import sqlite3

from msgspec.structs import replace

from crawler.frontier.bounds import Bounds
from crawler.frontier.memory import MemoryFrontier, MemoryStore
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Finished, Link, Outcome, Request, Snoozed
from crawler.url import fingerprint
from tests.support.shared_frontiers import lone_factory

#: so small that nearly everything goes by way of the disk
TIGHT = Bounds(memory_urls=3, window_urls=2, chunk_urls=2, host_names=2, snoozed=1, seeds=1, unindexed=2)


def memory(clock, folder):
    store = MemoryStore()
    return lambda **options: MemoryFrontier(clock, store, **options)


def sqlite(clock, folder):
    folder.mkdir(exist_ok=True)
    return lambda **options: SqliteFrontier(folder / "crawl.db", clock, **options)


def tight_sqlite(clock, folder):
    folder.mkdir(exist_ok=True)
    return lambda **options: SqliteFrontier(folder / "crawl.db", clock, bounds=TIGHT, **options)


def redis(clock, folder):
    """A crawl of its own on one server for all tests; each frontier a worker of its own, on its own connection."""
    return lone_factory(clock, Bounds())


def tight_redis(clock, folder):
    return lone_factory(clock, TIGHT)


#: (clock, empty folder) -> a function that makes a frontier, with options, on one store: another each time, as after a
#: crash
BACKENDS = {
    "memory": memory,
    "sqlite": sqlite,
    "tight sqlite": tight_sqlite,
    "redis": redis,
    "tight redis": tight_redis,
}
#: those whose store lies beside the files of its crawl, and is put right with them
BESIDE_FILES = {name: make for name, make in BACKENDS.items() if "redis" not in name}


def seed(url="https://a.test/", **fields):
    host = url.split("/")[2]
    return Request(**{"url": url, "host_key": host, "scope_host": host, "seed": url, **fields})


def link(frontier, url, **fields):
    return Link(url=url, host_key=url.split("/")[2], fingerprint=fingerprint(url, frontier.key), **fields)


def finished(request, outcome=Outcome.FETCHED, **fields):
    return Finished(request=request, outcome=outcome, **fields)


def urls(requests):
    return [request.url for request in requests]


async def take_all(frontier, *hosts, count=100):
    return await frontier.take([(host, count) for host in hosts or ("a.test",)])


async def snooze(frontier, *requests, until):
    """As after a failed attempt."""
    again = tuple(Snoozed(request=replace(request, attempt=request.attempt + 1), until=until) for request in requests)
    await frontier.commit(Checkpoint(snoozed=again))


async def put_off(frontier, *requests, until):
    """As before an attempt."""
    await frontier.commit(Checkpoint(snoozed=tuple(Snoozed(request=request, until=until) for request in requests)))


async def crash(frontier, frontier_factory, **options):
    """Drop a frontier with whatever it has not committed, and open another on its store."""
    await frontier.aclose()
    another = frontier_factory(**options)
    await another.open()
    return another


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
