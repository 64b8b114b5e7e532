"""How does somebody look at the crawls on a Redis who is none of their workers?

Nothing is changed by looking. What the crawls are called is kept in one set; what each is, where its workers keep it.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import ConfigError, FrontierError
from crawler.fleet.control import CRAWLS, Control
from crawler.fleet.keys import Keys
from crawler.fleet.link import Call, Link
from crawler.fleet.members import Members
from crawler.fleet.models import FORMAT
from crawler.fleet.status import (
    FleetStatus,
    Memory,
    Seeding,
    partitions_of,
    slowest_of,
    totals_of,
)
from crawler.fleet.store import PartitionStore
from crawler.fleet.target import target_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from crawler.fleet.members import Sight
    from crawler.fleet.models import WorkerInfo
    from crawler.fleet.orders import Joined

PREFIX = "crawler:"

_ENOUGH_URLS = 1_000
"""Below, memory by URL says more of the rest of it."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A crawl in a list."""

    name: str
    state: str
    workers: int  #: that are there


class Look:
    """One crawl, to be looked at and told what to do."""

    def __init__(self, link: Link, prefix: str, server: str) -> None:
        self._link = link
        self._server = server
        self.prefix = prefix
        #: what it is called
        self.name = name_of(prefix)
        self.control = Control(link, Keys(prefix))

    async def joined(self) -> Joined:
        """What the crawl is.

        Raises:
            ConfigError: There is none, or its format is another.
        """
        if (joined := await self.control.look(FORMAT)) is None:
            raise ConfigError(f"there is no crawl {self.name} at {self._server}, or it was forgotten")
        return joined

    async def workers(self) -> tuple[WorkerInfo, ...]:
        """Those that are there, by number."""
        await self.joined()
        return _there(await self._sight())

    async def status(self) -> FleetStatus:
        """How it stands.

        Raises:
            ConfigError: As of `joined`.
        """
        joined = await self.joined()
        sight = await self._sight()
        store = PartitionStore(self._link, self.control.keys)
        tallies = await store.tallies(range(joined.partitions))
        totals = totals_of(tallies)
        workers, orders = _there(sight), joined.orders
        is_paused = orders.state == "running" and orders.paused_by
        return FleetStatus(
            name=self.name,
            server=self._server,
            state="paused" if is_paused else orders.state,
            why=orders.paused_by if is_paused else orders.why,
            at=sight.now,
            began_at=orders.started_at,
            totals=totals,
            partitions=partitions_of(tallies, sight.there.keys(), sight.now),
            seeds=Seeding(given=orders.seed_row, done=orders.is_seeded),
            workers=workers,
            gone=len(sight.infos) - len(workers),
            slowest=slowest_of(workers),
            memory=await self._memory(totals.admitted),
            limits={pattern: _plain(pace) for pattern, pace in orders.limits.items()},
        )

    async def listed(self) -> Listed | None:
        """As a list shows it; None if it is gone."""
        try:
            joined = await self.control.look(FORMAT)
        except ConfigError:  # of another version of this package
            return Listed(name=self.name, state="of another version", workers=0)
        if joined is None:
            return None
        there = _there(await self._sight())
        return Listed(name=self.name, state=joined.orders.state, workers=len(there))

    async def _sight(self) -> Sight:
        return await Members(self._link, self.control.keys).look()

    async def _memory(self, urls: int) -> Memory:
        told = await self._link.patiently(lambda: self._link.client.info("memory"))
        nodes = [told] if "used_memory" in told else list(told.values())  # a cluster tells of each node
        used = sum(int(node["used_memory"]) for node in nodes)
        return Memory(
            used_bytes=used,
            most_bytes=sum(int(node.get("maxmemory", 0)) for node in nodes),
            bytes_per_url=used / urls if urls >= _ENOUGH_URLS else None,
        )


class Found:
    """The crawls on one server."""

    def __init__(self, link: Link, server: str, prefixes: Sequence[str], chosen: str | None) -> None:
        self._looks = {prefix: Look(link, prefix, server) for prefix in prefixes}
        self._chosen = chosen
        self._server = server

    def chosen(self, *, needed: bool) -> Look | None:
        """The one that is meant; None if none was named and there is not exactly one.

        Raises:
            ConfigError: The one that was named is not there, or one is `needed` and there is not exactly one.
        """
        names = ", ".join(sorted(look.name for look in self._looks.values()))
        if self._chosen is not None:
            if (look := self._looks.get(self._chosen)) is None:
                others = f"; there are {names}" if names else ""
                raise ConfigError(f"there is no crawl {name_of(self._chosen)} at {self._server}{others}")
            return look
        if len(self._looks) == 1:
            return next(iter(self._looks.values()))
        if needed or not self._looks:
            raise ConfigError(
                f"{self._server}: which crawl? Name one of {names}" if names else f"{self._server}: no crawl is there"
            )
        return None

    async def list(self) -> list[Listed]:
        """All of them, by name."""
        found = [await look.listed() for look in self._looks.values()]
        return sorted(filter(None, found), key=lambda listed: listed.name)


@asynccontextmanager
async def looking(
    url: str, prefix: str | None, name: str | None, *, waiting: Callable[[str], object] | None
) -> AsyncIterator[Found]:
    """Connect to where crawls are.

    Args:
        url: Of the server; may name a crawl's prefix.
        prefix: Of the crawl that is meant, where that is known.
        name: Of the crawl that is meant, where that is known.
        waiting: Told why Redis does not answer, while it is waited for; None: it is not waited for.

    Raises:
        ConfigError: The URL makes no sense, or there is no such crawl.
        FrontierError: Redis does not answer, and is not waited for.
    """
    target = target_of(url, name or "", os.environ, allow_unauthenticated=True)
    chosen = prefix or (target.prefix if target.prefix != PREFIX else None)
    server = target.shown.partition("?")[0]
    trouble = _Trouble(waiting)
    trouble.link = link = await Link.open(target, trouble)
    try:
        prefixes = sorted(prefix.decode() for prefix in await link.call(Call("SMEMBERS", (CRAWLS,))))
        if name is not None and chosen not in prefixes and name in prefixes:
            chosen = name
        yield Found(link, server, prefixes, chosen)
    except FrontierError as error:
        raise trouble.told(error) from error
    finally:
        await link.aclose()


def name_of(prefix: str) -> str:
    """What people call the crawl of this prefix."""
    return prefix.removeprefix(PREFIX)


class _Trouble:
    """Waits for a server that is away, and says so, or gives up at once."""

    def __init__(self, waiting: Callable[[str], object] | None) -> None:
        self.link: Link | None = None  #: once it is open
        self._waiting = waiting
        self._why = ""

    def __call__(self, why: str | None) -> None:
        self._why = why or self._why
        if self._waiting is None:
            if self.link is not None:
                self.link.stop()
        else:
            self._waiting(f"{why}: waiting" if why else "goes on")

    def told(self, error: FrontierError) -> FrontierError:
        """The error with the cause that this was told."""
        return FrontierError(self._why) if self._why else error


def _there(sight: Sight) -> tuple[WorkerInfo, ...]:
    return tuple(info for worker, info in sorted(sight.infos.items()) if worker in sight.there)


def _plain(pace: object) -> dict[str, str | int]:
    from crawler.config.file import to_plain  # noqa: PLC0415 - it reads YAML, which who has no limits need not

    return {key: value for key, value in to_plain(pace).items() if value is not None}  # type: ignore[arg-type]
