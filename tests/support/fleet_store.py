"""A store of partitions on a real server, and short names for what goes into it."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager

from crawler.fleet.keys import Keys
from crawler.fleet.link import Link
from crawler.fleet.models import FinishedAt
from crawler.fleet.store import Change, PartitionStore
from crawler.fleet.target import target_of
from crawler.models import Finished, Outcome, Request

PREFIX = "crawler:test"


@asynccontextmanager
async def opened_link(server, trouble=lambda _: None, **options):
    """To a `RedisServer`."""
    link = await Link.open(target_of(server.url, "test", os.environ), trouble, **options)
    try:
        yield link
    finally:
        await link.aclose()


@asynccontextmanager
async def opened_store(server, trouble=lambda _: None, **options):
    """The partitions of a crawl called ``test``."""
    async with opened_link(server, trouble, **options) as link:
        yield PartitionStore(link, Keys(PREFIX))


async def leased(store, partition=0, worker=1, ttl_s=60):
    """The lease of a partition that is free."""
    (lease,), refused = await store.acquire([partition], worker, ttl_s)
    assert not refused
    return lease


def change(lease, commit=None, **fields):
    """One that comes next under a lease, or after another commit."""
    number = lease.commit if commit is None else commit
    return Change(partition=lease.partition, fence=lease.fence, commit=number, **fields)


def request(number, host="a.test", **fields):
    """That of a URL."""
    return Request(**{"url": f"https://{host}/{number}", "host_key": host, "scope_host": host, "seed": host, **fields})


def end(number, ordinal=0, outcome=Outcome.FETCHED, worker=1, **fields):
    """As `Change.ended` takes it."""
    finished = Finished(request=request(number), outcome=outcome, **fields)
    return number, finished, FinishedAt(worker=worker, ordinal=ordinal)


async def all_rows(store, partition=0):
    """The whole ledger of a partition."""
    return [row async for rows in store.ledger(partition) for row in rows]
