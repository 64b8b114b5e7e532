"""How is the seed list read, and what became of each seed?

It is read once, beside the crawl and as fast as it comes, into a spool in the crawl's directory; the crawl takes its
seeds from there. So the list may be a pipe and may change or vanish afterwards, and takes no memory by its length.
Once the crawl has ended, `seeds.jsonl` gets a row per seed given, bad and repeated ones included, joined to how its URL
ended at the end of its redirects.

A checkpoint stores how long the spool is and up to where its seeds were admitted. A resumed crawl goes on from there,
and reads on: items that are new, those that were not read to their end, and files that have changed since. An item that
is named twice is read once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.errors import ConfigError
from crawler.models import MAX_EXAMPLES, MAX_REDIRECTS, Outcome
from crawler.seeds import Seed, seed_request
from crawler.spool import Spool, file_stamp, is_pipe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.models import Finished, Request
    from crawler.spool import Known

log = logging.getLogger(__name__)


class SeedTally(msgspec.Struct, frozen=True, kw_only=True):
    """How the seed list fared."""

    given: int = 0
    bad: int = 0  #: no URL could be made of them
    fetched: int = 0  #: ended in a page or another 2xx, redirects followed
    bad_examples: tuple[str, ...] = ()  #: place and seed of the first bad ones
    #: items that could not be read to their end, as they belong to an earlier run and were not given again
    unread: tuple[str, ...] = ()


class Item(NamedTuple):
    """An item of the SEED grammar."""

    item: str  #: as it is read: a file as its path
    name: str  #: what it is called in every run
    is_given: bool  #: whether it is asked for now, or just known from an earlier run


class Place(msgspec.Struct, frozen=True):
    """What a checkpoint stores of a seed list."""

    spooled: int = 0  #: length of the spool in bytes
    admitted: int = 0  #: the bytes before this are of seeds that the frontier has


class SeedList:
    """The seed list of one crawl. A `checkpoint.Keeper`. To be closed.

    Args:
        items: What it consists of.
        read: The seeds of an item, given with its number from 1; called in a thread, as files and pipes may be slow.
        spool: Where rows are kept; no other file is written before `write`.
    """

    def __init__(self, items: Sequence[Item], read: Callable[[int, str], Iterator[Seed]], spool: Path) -> None:
        self._items = items
        self._read_item = read
        self._spool = Spool(spool)
        self._spooled = 0  # bytes that are in the file, whole rows
        self._synced = 0
        self._handed_out = 0
        self._admitted = 0
        self._is_read = False
        self._unread: list[str] = []
        self._error: BaseException | None = None
        self._news = asyncio.Event()
        self._waiting = False  # for the spool to grow
        #: rows of the list that `requests` passes over: they were admitted elsewhere
        self.skip = 0
        #: rows that it has gone through, those passed over and bad ones included, and whose seeds are admitted
        self.rows = 0

    def restore(self, state: bytes) -> None:
        """Create the spool, or cut it to what the last checkpoint knew.

        Raises:
            CrawlerError: It is missing or too short, or cannot be written.
        """
        place = msgspec.json.decode(state, type=Place) if state else Place()
        self._spool.open(place.spooled)
        self._spooled = place.spooled
        self._admitted = self._handed_out = place.admitted

    def close(self) -> None:
        """Spool nothing more, even if a pipe that is being read yields something yet."""
        self._spool.close()

    def state(self) -> bytes:
        """How far the list was spooled and admitted."""
        return msgspec.json.encode(Place(self._spooled, self._admitted))

    async def sync(self, *, fsync: bool) -> None:
        """Make the spool safe from a power cut."""
        if fsync and self._synced < self._spooled:
            length = self._spooled
            await asyncio.to_thread(self._spool.sync)
            self._synced = length

    async def requests(self) -> AsyncIterator[list[Request]]:
        """The good seeds, in batches. Call it once.

        Raises:
            ConfigError: An item that is given now cannot be read to its end.
            CrawlerError: The spool cannot be written.
        """
        self._start_reading()
        while True:
            self._news.clear()
            self._waiting = True  # before looking: what grows afterwards rings
            if self._handed_out < self._spooled:
                seeds, self._handed_out = await asyncio.to_thread(self._spool.batch, self._handed_out, self._spooled)
                new = seeds[max(0, self.skip - self.rows) :]
                if requests := [seed_request(seed) for seed in new if seed.url is not None]:
                    yield requests
                self.rows += len(seeds)
                self._admitted = self._handed_out
            elif self._error:
                raise self._error
            elif self._is_read:
                return
            else:
                await self._news.wait()

    async def write(
        self, frontier: Frontier, sink: Sink, line: Callable[[Seed, Finished | None], bytes], *, fsync: bool
    ) -> SeedTally:
        """Write a row per seed handed out so far to `sink`, open and empty, and count them.

        Raises:
            ExportError: The file cannot be written.
        """
        tally = SeedTally(unread=self.unread)
        position = 0
        while position < self._handed_out:
            batch, position = await asyncio.to_thread(self._spool.batch, position, self._handed_out)
            ends = await _ends(batch, frontier)
            await sink.append([line(seed, end) for seed, end in zip(batch, ends, strict=True)])
            tally = _counted(tally, batch, ends)
        await sink.sync(fsync=fsync)
        return tally

    @property
    def unread(self) -> tuple[str, ...]:
        """Names of items that could not be read to their end."""
        return tuple(self._unread)

    def _start_reading(self) -> None:
        loop = asyncio.get_running_loop()

        def grown(length: int) -> None:
            self._spooled = length
            if self._waiting:
                self._waiting = False
                loop.call_soon_threadsafe(self._news.set)

        def read() -> None:
            error: BaseException | None = None
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                try:
                    self._read_all(grown)
                except BaseException as failure:  # noqa: BLE001  (raised again where it is awaited)
                    error = failure
                loop.call_soon_threadsafe(self._ended, error)

        # A daemon: nothing can wake a thread that waits for a pipe, and it must not hold up the process's end.
        threading.Thread(target=read, name="seeds", daemon=True).start()

    def _ended(self, error: BaseException | None) -> None:
        self._error, self._is_read = error, True
        self._news.set()

    def _read_all(self, grown: Callable[[int], object]) -> None:
        """In the thread: bring all that is not in the spool into it."""
        known = self._spool.known()
        for number, item in enumerate(self._items, 1):
            before = known.get(item.name)
            if before and before.complete and not _may_have_more(item, before):
                continue
            if not item.is_given and is_pipe(item.item):
                self._skip(item, "it is a pipe of an earlier run")
                continue
            try:
                seeds = self._read_item(number, item.item)
                self._spool.add(item.name, file_stamp(item.item), self._spool.unlike(seeds, before), grown)
            except ConfigError as error:
                if item.is_given:
                    raise
                self._skip(item, str(error))

    def _skip(self, item: Item, why: str) -> None:
        self._unread.append(item.name)
        log.warning("part of the seed list was not read to its end", extra={"why": f"{item.name}: {why}"})


def _may_have_more(item: Item, before: Known) -> bool:
    """Whether an item that was read to its end is worth reading again: a file that has changed, another pipe."""
    stamp = file_stamp(item.item)
    if stamp is not None:
        return stamp != before.file
    return item.is_given and is_pipe(item.item)


def _counted(tally: SeedTally, seeds: Sequence[Seed], ends: Sequence[Finished | None]) -> SeedTally:
    bad = [f"{seed.place} {seed.given}" for seed in seeds if seed.url is None]
    fetched = sum(end is not None and end.outcome in (Outcome.FETCHED, Outcome.UNCHANGED) for end in ends)
    return SeedTally(
        given=tally.given + len(seeds),
        bad=tally.bad + len(bad),
        fetched=tally.fetched + fetched,
        unread=tally.unread,
        bad_examples=(*tally.bad_examples, *bad)[:MAX_EXAMPLES],
    )


async def _ends(seeds: Sequence[Seed], frontier: Frontier) -> list[Finished | None]:
    """How each seed's URL ended, at the last hop of its redirects; None while that is pending."""
    found = iter(await frontier.find([seed.url for seed in seeds if seed.url]))
    ends = [next(found) if seed.url else None for seed in seeds]
    for _ in range(MAX_REDIRECTS):
        hops = {
            number: end.target for number, end in enumerate(ends) if end is not None and end.target and _goes_on(end)
        }
        if not hops:
            break
        for number, end in zip(hops, await frontier.find(list(hops.values())), strict=True):
            ends[number] = end
    return ends


def _goes_on(end: Finished) -> bool:
    """Whether a redirect's target was admitted; one out of scope is where the seed ended."""
    return end.outcome is Outcome.REDIRECTED and end.reason is None
