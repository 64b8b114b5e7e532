"""Frontiers on a real Redis: one server for all tests of a process, a crawl of its own for each."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import secrets
import tempfile
from pathlib import Path

from crawler.frontier.bounds import Bounds
from tests.support.redis_server import RedisServer, require_redis

PARTITIONS = 8
"""Few, so that a worker has each of them in a test."""

_running = []
_numbers = itertools.count(1)


def server():
    """The server, which is started by the first who asks, and ends with the process."""
    require_redis()
    if not _running:
        folder = tempfile.TemporaryDirectory()
        stack = contextlib.ExitStack()
        stack.enter_context(folder)
        _running.append(stack.enter_context(RedisServer(Path(folder.name))))
        atexit.register(stack.close)
    return _running[0]


class Crawl:
    """A shared crawl: its own keys on the server."""

    def __init__(self, clock, partitions=PARTITIONS):
        from crawler.fleet.keys import Keys
        from crawler.fleet.target import target_of

        self.clock = clock
        self.partitions = partitions
        self.target = target_of(server().url, f"crawl{next(_numbers)}", {})
        self.keys = Keys(self.target.prefix)
        self.key = secrets.randbits(64)
        self.workers = itertools.count(1)

    async def link(self):
        from crawler.fleet.link import Link

        return await Link.open(self.target)

    def store(self, link):
        from crawler.fleet.store import PartitionStore

        return PartitionStore(link, self.keys)


class LoneFrontier:
    """A frontier that takes all partitions, on a connection that it opens and closes; asked like any other."""

    def __init__(self, crawl, bounds, options):
        self._crawl = crawl
        self._options = {"bounds": bounds} | options
        self._link = None
        self._frontier = None

    def __getattr__(self, name):
        return getattr(self._frontier, name)

    async def open(self):
        from crawler.frontier.redis import RedisFrontier
        from crawler.frontier.redis_restored import Belongings

        crawl = self._crawl
        self._link = await crawl.link()
        # The number of one that was dropped without being closed: as a process that takes its leases over.
        self._frontier = RedisFrontier(
            crawl.store(self._link),
            crawl.clock,
            worker=1,
            lease_s=60,
            key=crawl.key,
            partitions=crawl.partitions,
            lone=Belongings(self._link, crawl.keys, 1),
            **self._options,
        )
        return await self._frontier.open()

    async def aclose(self):
        if self._link is not None:
            await self._frontier.aclose()
            await self._link.aclose()
            self._link = None


def lone_factory(clock, bounds=None):
    crawl = Crawl(clock)
    return lambda **options: LoneFrontier(crawl, bounds or Bounds(), options)


def member(crawl, link, number, **options):
    """A frontier that holds nothing yet."""
    from crawler.frontier.redis import RedisFrontier

    return RedisFrontier(
        crawl.store(link),
        crawl.clock,
        worker=number,
        lease_s=60,
        key=crawl.key,
        partitions=crawl.partitions,
        **options,
    )
