"""Stand-ins for what a worker's membership stands on: a plain link, partitions in memory, a crawl that is a counter."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from crawler.fleet.control import Control
from crawler.fleet.keys import Keys
from crawler.fleet.member import Member
from crawler.fleet.members import Members
from crawler.fleet.models import FORMAT, Lease, Refused, WorkerInfo
from crawler.models import Outcome


class PlainLink:
    """A connection that is never patient."""

    def __init__(self, url):
        import redis.asyncio

        self.client = redis.asyncio.Redis.from_url(url)

    async def patiently(self, call):
        return await call()

    async def aclose(self):
        await self.client.aclose()


@dataclass
class Tally:
    """What a look at a partition tells."""

    partition: int
    commit: int
    urls: int
    ended: dict
    snoozed: int
    inbox: int


@dataclass
class Shelf:
    """One partition, stored."""

    owner: int = 0
    until: float = 0.0
    fence: int = 0
    dirty: bool = False
    commit: int = 0
    urls: int = 0
    ends: int = 0
    inbox: list = field(default_factory=list)
    seen: set = field(default_factory=set)
    open: set = field(default_factory=set)


class Shelves:
    """Partitions in memory, as `PartitionStore` has them in Redis. Time is the machine's."""

    def __init__(self, partitions, now=time.monotonic):
        self.shelves = [Shelf() for _ in range(partitions)]
        self.now = now
        self.calls = Counter()

    async def acquire(self, partitions, worker, ttl_s):
        self.calls["acquire"] += 1
        leases, refused = [], []
        for partition in partitions:
            shelf = self.shelves[partition]
            if shelf.owner not in (0, worker) and shelf.until > self.now():
                refused.append(Refused(partition=partition, owner=shelf.owner, free_in_s=shelf.until - self.now()))
                continue
            is_clean, shelf.dirty = not shelf.dirty, True
            shelf.owner, shelf.until, shelf.fence = worker, self.now() + ttl_s, shelf.fence + 1
            leases.append(Lease(partition=partition, fence=shelf.fence, commit=shelf.commit, is_clean=is_clean))
        return leases, refused

    async def renew(self, fences, worker, ttl_s):
        self.calls["renew"] += 1
        lost = set()
        for partition, fence in fences.items():
            shelf = self.shelves[partition]
            if shelf.fence == fence and shelf.dirty:
                shelf.owner, shelf.until = worker, self.now() + ttl_s
            else:
                lost.add(partition)
        return lost

    async def release(self, fences, worker):
        for partition, fence in fences.items():
            shelf = self.shelves[partition]
            if shelf.fence == fence:
                shelf.owner, shelf.dirty = 0, False

    async def tallies(self, partitions):
        self.calls["tallies"] += 1
        return [
            Tally(number, shelf.commit, shelf.urls, {Outcome.FETCHED: shelf.ends}, 0, len(shelf.inbox))
            for number, shelf in ((number, self.shelves[number]) for number in partitions)
        ]

    def owners(self):
        """Who holds what now."""
        return [shelf.owner if shelf.until > self.now() else 0 for shelf in self.shelves]


class Counting:
    """A crawl that does nothing but note what its member has it do.

    Args:
        busy: Partitions of which something is under way: not given back while they are in it.
    """

    def __init__(self):
        self.loaded = set()
        self.busy = set()
        self.log = deque()
        self.is_idle = False
        self.spent = ""
        self.budgets = {}
        self.units_in_use = 0
        self.orders = None
        self.units = 0
        self.troubles = []
        self.known = {}
        self.gate = None

    async def run(self):
        await asyncio.Event().wait()

    async def gained(self, leases):
        if self.gate is not None:
            await self.gate.wait()
        self.log.append(("gained", sorted(lease.partition for lease in leases)))
        self.loaded |= {lease.partition for lease in leases}

    async def give_back(self, partitions):
        await asyncio.sleep(0.01)
        clean = set(partitions) - self.busy
        self.loaded -= clean
        return clean

    def lost(self, partitions):
        self.log.append(("lost", sorted(partitions)))
        self.loaded -= set(partitions)

    async def receive(self, partitions):
        self.log.append(("received", sorted(partitions)))

    def info(self, info):
        return replace(info, pending=len(self.loaded))

    def weights(self):
        return {one: self.known.get(one, 0.0) for one in self.loaded}

    def heed(self, orders, units):
        self.orders, self.units = orders, units

    def told_time(self, ahead_s):
        pass

    def trouble(self, why):
        self.troubles.append(why)


def told_of(number, name="worker"):
    """What a worker tells of itself."""
    return WorkerInfo(id=number, name=name, version="test", directory="somewhere", started_at=0.0)


@asynccontextmanager
async def linked(url):
    """A link that is closed at the end."""
    link = PlainLink(url)
    try:
        yield link
    finally:
        await link.aclose()


class Worker:
    """A worker that takes part, and may die."""

    def __init__(self, link, store, *, lease_s=1.0, at_address=8, name="crawler:test", **more):
        self.link, self.store, self.lease_s, self.at_address, self.name, self.more = (
            link, store, lease_s, at_address, name, more,
        )  # fmt: skip
        self.holder = Counting()

    async def join(self):
        """Begin or join the crawl, and take part."""
        self.control = Control(self.link, Keys(self.name))
        joined = await self.control.create_or_join("name: test", FORMAT, len(self.store.shelves))
        self.members = Members(self.link, self.control.keys, joined.id)
        self.id = await self.members.new_id()
        self.member = Member(
            self.link, control=self.control, members=self.members, store=self.store, holder=self.holder, joined=joined,
            info=told_of(self.id), lease_s=self.lease_s, at_address=self.at_address, **self.more,
        )  # fmt: skip
        self.task = asyncio.ensure_future(self.member.run())
        return self

    async def die(self):
        """Be gone without a word."""
        self.task.cancel()
        await asyncio.wait((self.task,))

    async def leave(self):
        """Give everything back."""
        await self.member.leave()
        await self.task


async def until(told, within_s=5.0):
    """Return once `told()` is true, looked at often; how long that took."""
    began = time.monotonic()
    while not told():
        assert time.monotonic() - began < within_s, "it did not come true"
        await asyncio.sleep(0.005)
    return time.monotonic() - began
