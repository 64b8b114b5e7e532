"""How is the ledger of a shared crawl read in Redis? As `merging.ledger` wants it; nothing is changed.

It may be read while the crawl runs. Of each partition what lies in its inbox is read before its URLs: what is taken in
meanwhile is then there twice, and not missed.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from xxhash import xxh3_64_hexdigest

from crawler.errors import ConfigError
from crawler.fleet.codec import unpacked_later, unpacked_robots
from crawler.fleet.control import Control
from crawler.fleet.keys import Keys
from crawler.fleet.link import Link
from crawler.fleet.models import FORMAT
from crawler.fleet.store import BLOCK_URLS, PartitionStore
from crawler.fleet.target import target_of
from crawler.merging.ledger import About, Hosts, Row, Used
from crawler.merging.segments import crawl_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from crawler.fleet.codec import Later
    from crawler.models import Request, RobotsFile


class LedgerGoneError(ConfigError):
    """The server answers, and has no such crawl: it was forgotten, or lost its data."""


class _Store(PartitionStore):
    """Partitions, of which some is read beside their URLs."""

    async def later(self, partition: int) -> dict[int, Later]:
        """When the snoozed URLs of a partition are due, by number."""
        key = self._keys.of(partition).later
        return {int(name): unpacked_later(data, key) async for name, data in self._hash(key)}

    async def verdicts(self, partition: int) -> tuple[RobotsFile, ...]:
        """All verdicts on robots.txt."""
        key = self._keys.of(partition).robots
        return tuple([unpacked_robots(name, data, key) async for name, data in self._hash(key)])

    async def posted(self, partition: int) -> list[Request]:
        """All that lies in an inbox."""
        found: list[Request] = []
        after = ""
        while blocks := await self.inbox(partition, after):
            after = blocks[-1].id
            for block in blocks:
                found += block.requests
        return found


class SharedLedger:
    """The ledger of one crawl in Redis: a `merging.ledger.Ledger`."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._control = Control(link, Keys(prefix))
        self._link = link
        self._store: _Store
        self._partitions = 0

    async def about(self) -> About:
        """See `Ledger.about`."""
        joined = await self._control.look(FORMAT)
        if joined is None:
            raise LedgerGoneError(f"{self._link.target.address}: there is no crawl {self._control.keys.prefix}")
        self._store = _Store(self._link, self._control.keys)
        self._partitions = joined.partitions
        orders = joined.orders
        return About(
            crawl=crawl_id(self._control.keys.prefix, joined.key),
            config=joined.config,
            state=orders.state,
            why=orders.why,
            is_seeded=orders.is_seeded,
            started_at=orders.started_at,
            state_at=orders.state_at,
        )

    async def stamp(self) -> str:
        """See `Ledger.stamp`; after `about`."""
        tallies = await self._store.tallies(range(self._partitions))
        told = [(tally.partition, tally.commit, tally.urls, tally.inbox) for tally in tallies]
        state = (await self._control.orders()).state
        return xxh3_64_hexdigest(repr((told, state)).encode())

    async def used(self) -> list[Used]:
        """See `Ledger.used`; after `about`."""
        tallies = await self._store.tallies(range(self._partitions))
        return [
            Used(tally.partition, tally.urls + tally.inbox * BLOCK_URLS)
            for tally in tallies
            if tally.commit or tally.inbox
        ]

    async def rows(self, partition: int) -> AsyncIterator[Row]:
        """See `Ledger.rows`; after `about`."""
        posted = await self._store.posted(partition)
        later = await self._store.later(partition)
        async for rows in self._store.ledger(partition):
            for request, end, where in rows:
                if end is not None and where is not None:
                    yield Row(request=request, end=end, where=where)
                elif (due := later.get(request.id)) is not None:
                    snoozed = due.snoozed(request)
                    yield Row(request=snoozed.request, due_at=snoozed.until, reason=snoozed.reason)
                else:
                    yield Row(request=request)
        for request in posted:
            yield Row(request=request)

    async def hosts(self, partition: int) -> Hosts:
        """See `Ledger.hosts`; after `about`."""
        hosts = tuple([host async for host in self._store.hosts(partition)])
        return Hosts(hosts, await self._store.verdicts(partition))


@asynccontextmanager
async def open_ledger(
    url: str,
    prefix: str,
    environ: Mapping[str, str],
    *,
    trouble: Callable[[str | None], None] = lambda _: None,
) -> AsyncIterator[SharedLedger]:
    """The ledger that a URL names, open: whether or not it asks for a password, as the workers' configuration has said
    whether it must, and it is only read.

    Args:
        url: Of the server, as ``frontier`` has it.
        prefix: What the keys of the crawl begin with, as its workers wrote it down.
        environ: Where user and password may be.
        trouble: Told why Redis cannot be used, while that is so.

    Raises:
        ConfigError: The URL, or the server, cannot be used.
        FrontierError: The server cannot be reached.
    """
    target = target_of(url, prefix, environ, allow_unauthenticated=True)
    link = await Link.open(target, trouble)
    try:
        yield SharedLedger(link, prefix)
    finally:
        await link.aclose()
