"""What is true of a whole crawl that workers share: its configuration, whether it runs, what all are told?

It is created by whoever comes first, and *running* until it is *done* (nothing is left), or *stopped*: by a person, or
by a budget that is spent. A crawl that is stopped may be gone on with, which begins another *run* of it; a worker of an
earlier run then knows that it is over for it. What all are told - to pause, other limits - has a version and is
published with each change (`Orders`).

A crawl begun anew (``--fresh``) is another *epoch* of it, with keys of its own: those of the one before stay until
`forget`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from crawler import __version__
from crawler.errors import ConfigError
from crawler.fleet import control_scripts as scripts
from crawler.fleet.keys import Keys
from crawler.fleet.orders import DONE, RETIRED, RUNNING, STOPPED, Joined, Orders, Seeding, orders_of
from crawler.fleet.removal import remove

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.config.manners import Pace
    from crawler.fleet.link import Link

CRAWLS = "crawler:crawls"
"""A set: the prefixes of all crawls on a server."""


class Control:
    """What is true of one crawl.

    Args:
        keys: Of its first epoch. `keys` afterwards: those of the epoch that it is in.
    """

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._base = keys
        self.keys = keys
        self.epoch = 1

    async def create_or_join(self, config: str, form: int, partitions: int) -> Joined:
        """Begin the crawl, or find what it is.

        Args:
            form: Of what is stored: `models.FORMAT`.
            partitions: How many a new one has.

        Raises:
            ConfigError: It is stored in another format.
        """
        await self._find_epoch()
        ours = secrets.token_hex(8)
        new: dict[str, str | int] = {"format": form, "program": __version__, "id": ours, "config": config}
        new |= {"key": secrets.randbits(64), "partitions": partitions}
        while True:
            flat = [part for pair in new.items() for part in pair]
            fields = scripts.paired(await scripts.run(self._link, scripts.CREATE, self._all("crawl"), *flat))
            self._require(form, fields)
            if fields["state"].decode() != RETIRED:
                break
            await self._advance()  # whoever retired it died before that
        await self._link.patiently(lambda: self._link.client.sadd(CRAWLS, self._base.prefix))
        return self._joined(fields, (await self._read())[1], ours)

    async def look(self, form: int) -> Joined | None:
        """What the crawl is; None if there is none. Changes nothing.

        Raises:
            ConfigError: It is stored in another format.
        """
        await self._find_epoch()
        fields, limits = await self._read()
        if not fields:
            return None
        self._require(form, fields)
        return self._joined(fields, limits, "")

    async def orders(self) -> Orders:
        """What all are told now.

        Raises:
            ConfigError: The crawl is gone.
        """
        fields, limits = await self._read()
        if not fields:
            raise ConfigError(f"there is no crawl {self.keys.prefix}, or it was forgotten meanwhile")
        return orders_of(fields, limits)

    async def pause(self, by: str) -> None:
        """Have all start nothing more, until `unpause`."""
        await self._change({}, {"paused_by": by})

    async def unpause(self) -> None:
        """Have all go on."""
        await self._change({}, {"paused_by": ""})

    async def stop(self, why: str) -> bool:
        """End it, with what is left to be gone on with; False if it is over."""
        return await self._change({"state": RUNNING}, {"state": STOPPED, "why": why})

    async def finish(self, run: int) -> bool:
        """Nothing is left of this run; False if it is over, or was begun anew."""
        return await self._change({"state": RUNNING, "run": str(run), "seeded": "1"}, {"state": DONE, "why": ""})

    async def go_on(self, state: str) -> bool:
        """Begin another run of a crawl that is in `state`, `DONE` or `STOPPED`; False if it is not (any more)."""
        return await self._change({"state": state}, {"state": RUNNING, "why": ""})

    async def configure(self, config: str) -> None:
        """Have those who join from now on go by another configuration: for who has found that nobody is there."""
        await self._change({}, {"config": config})

    async def limit(self, pattern: str, pace: Pace | None) -> None:
        """Have hosts asked at another pace, from now on; None: as the configuration says."""
        args = (self.keys.events, pattern, msgspec.json.encode(pace, enc_hook=float) if pace is not None else "")
        await scripts.run(self._link, scripts.LIMIT, self._all("crawl", "limits"), *args)

    async def seeding(
        self, worker: int, ttl_s: float, *, row: int = 0, seed_list: str = "", is_over: bool = False
    ) -> Seeding:
        """Read the seeds, or go on reading them, if nobody else does.

        Args:
            ttl_s: For how long, unless it is called again.
            row: How many rows of the list are stored.
            seed_list: What tells the list from others; empty: as before.
            is_over: Whether that is all of it.
        """
        args = (self.keys.events, worker, round(ttl_s * 1000), row, seed_list, int(is_over))
        keys = self._all("crawl", "seeding")
        owner, free_ms, at, over, name = await scripts.run(self._link, scripts.SEED, keys, *args)
        return Seeding(
            is_mine=not over and int(owner) == worker,
            row=int(at),
            is_over=bool(over),
            seed_list=name.decode(),
            free_in_s=max(0, free_ms) / 1000,
        )

    async def leave_seeding(self, worker: int) -> None:
        """Let somebody else go on reading the seeds."""
        keys = self._all("seeding")
        if await scripts.run(self._link, scripts.UNSEED, keys, worker):
            await self.tell("orders")

    async def draw(self, name: str, worker: int, total: int, most: int) -> tuple[int, int]:
        """Have `total` of a budget in all, those drawn before included, as far as there is so much; less than before
        gives some back. May be said again.

        Args:
            most: What all workers together may have.

        Returns:
            What this one has now, and what all have.
        """
        args = (self.keys.events, name, worker, total, most)
        had, drawn = await scripts.run(self._link, scripts.DRAW, self._all("budget", "flags"), *args)
        return int(had), int(drawn)

    async def spend(self, run: int, name: str, most: int) -> bool:
        """End the crawl if all of a budget is drawn: for the leader, once those who drew it have spent it."""
        args = (self.keys.events, run, name, most)
        return bool(
            await scripts.run(self._link, scripts.SPEND, self._all("crawl", "budget", "flags", "members"), *args)
        )

    async def fresh(self) -> int:
        """Make the next `create_or_join` begin anew, in another epoch; how many workers live: if any, nothing is done.
        Where there is no crawl, nothing needs to be."""
        await self._find_epoch()
        live = await self._retire()
        if not live and (await self._read())[0]:
            await self._advance()
        return live

    async def forget(self) -> int:
        """Remove all of it, and of all its epochs; how many workers live: if any, nothing is removed."""
        await self._find_epoch()
        if live := await self._retire():
            return live
        for epoch in range(1, self.epoch + 1):
            await remove(self._link, self._keys(epoch))
        client, epoch_key = self._link.client, self._base.control("epoch")
        await self._link.patiently(lambda: client.unlink(epoch_key))
        await self._link.patiently(lambda: client.srem(CRAWLS, self._base.prefix))
        return 0

    async def tell(self, event: str, worker: int = 0) -> None:
        """Publish an event to all workers, or to one. It may get lost: heartbeats find out what it was about."""
        channel = channel_of(self.keys, worker) if worker else self.keys.events
        await self._link.patiently(lambda: self._link.client.publish(channel, event))

    def _all(self, *names: str) -> list[str]:
        return [self.keys.control(name) for name in names]

    def _keys(self, epoch: int) -> Keys:
        return Keys(self._base.prefix + (f"#{epoch}" if epoch > 1 else ""))

    def _joined(self, fields: Mapping[str, bytes], limits: Mapping[str, bytes], ours: str) -> Joined:
        crawl = fields["id"].decode()
        return Joined(
            id=crawl,
            key=int(fields["key"]),
            epoch=self.epoch,
            partitions=int(fields["partitions"]),
            config=fields["config"].decode(),
            is_first=crawl == ours,
            orders=orders_of(fields, limits),
        )

    def _require(self, form: int, fields: Mapping[str, bytes]) -> None:
        if int(fields["format"]) != form:
            raise ConfigError(
                f"the crawl {self.keys.prefix} is stored in format {int(fields['format'])}, by crawler "
                f"{fields['program'].decode()}: this is crawler {__version__}, of format {form}. Let all workers be of "
                "one version, or begin the crawl anew (--fresh)"
            )

    async def _find_epoch(self) -> None:
        self._enter(int(await self._link.patiently(lambda: self._link.client.get(self._base.control("epoch"))) or 1))

    def _enter(self, epoch: int) -> None:
        self.epoch, self.keys = epoch, self._keys(epoch)

    async def _advance(self) -> None:
        args = (self.epoch, self.epoch + 1)
        self._enter(int(await scripts.run(self._link, scripts.ADVANCE, [self._base.control("epoch")], *args)))

    async def _retire(self) -> int:
        keys = self._all("crawl", "members")
        return int(await scripts.run(self._link, scripts.RETIRE, keys, RETIRED))

    async def _read(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        keys = self._all("crawl", "limits")
        fields, limits = await scripts.run(self._link, scripts.READ, keys)
        return scripts.paired(fields), scripts.paired(limits)

    async def _change(self, wanted: Mapping[str, str], fields: Mapping[str, str]) -> bool:
        conditions = [part for pair in wanted.items() for part in pair]
        changes = [part for pair in fields.items() for part in pair]
        args: tuple[str | int, ...] = (self.keys.events, len(wanted), *conditions, *changes)
        return bool(await scripts.run(self._link, scripts.CHANGE, self._all("crawl"), *args))


def channel_of(keys: Keys, worker: int) -> str:
    """The channel of events that are for one worker."""
    return f"{keys.events}:{worker}"
