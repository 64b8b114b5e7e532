"""How is the seed list read, and what became of each seed?

It is read once, while the crawl runs, so it may be a pipe and may change or vanish afterwards. Every row is kept
beside the crawl; once that has ended, `seeds.jsonl` gets a row per seed given, bad and repeated ones included,
joined to how its URL ended at the end of its redirects. Neither takes memory by the length of the list.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from crawler.models import MAX_EXAMPLES, MAX_REDIRECTS, Outcome
from crawler.seeds import Seed, seed_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.models import Finished, Request

BATCH = 1000
READ_AHEAD = 2


class SeedTally(msgspec.Struct, frozen=True, kw_only=True):
    """How the seed list fared."""

    given: int = 0
    bad: int = 0  #: no URL could be made of them
    fetched: int = 0  #: ended in a page or another 2xx, redirects followed
    bad_examples: tuple[str, ...] = ()  #: place and seed of the first bad ones


class SeedList:
    """The seed list of one crawl.

    Args:
        seeds: As `seeds.read_seeds` gives them; read once, in a thread, as files and pipes may be slow.
        spool: Where rows are kept between being read and `write`; removed by it.
    """

    def __init__(self, seeds: Iterator[Seed], spool: Path) -> None:
        self._seeds = seeds
        self._spool = spool
        self._read = 0  # rows handed out, all of them in the spool

    async def requests(self) -> AsyncIterator[list[Request]]:
        """The good seeds, in batches. Call it once.

        Raises:
            ConfigError: A seed file cannot be read to its end.
            OSError: The spool cannot be written.
        """
        loop = asyncio.get_running_loop()
        batches: asyncio.Queue[list[Seed] | BaseException] = asyncio.Queue()
        room = threading.Semaphore(READ_AHEAD)

        def read() -> None:
            end: list[Seed] | BaseException = []
            try:
                with self._spool.open("wb") as spool:
                    while batch := list(islice(self._seeds, BATCH)):
                        spool.writelines(msgspec.json.encode(seed) + b"\n" for seed in batch)
                        spool.flush()
                        room.acquire()
                        loop.call_soon_threadsafe(batches.put_nowait, batch)
            except BaseException as error:  # noqa: BLE001  (raised again where it is awaited)
                end = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(batches.put_nowait, end)

        # A daemon: nothing can wake a thread that waits for a pipe, and it must not hold up the process's end.
        threading.Thread(target=read, name="seeds", daemon=True).start()
        while batch := await batches.get():
            if isinstance(batch, BaseException):
                raise batch
            self._read += len(batch)
            yield [seed_request(seed) for seed in batch if seed.url is not None]
            room.release()

    async def write(
        self, frontier: Frontier, sink: Sink, line: Callable[[Seed, Finished | None], bytes], *, fsync: bool
    ) -> SeedTally:
        """Write a row per seed read so far to `sink`, open and empty, and count them.

        Raises:
            ExportError: The file cannot be written.
        """
        tally = SeedTally()
        if self._read:
            with self._spool.open("rb") as spool:
                decoder = msgspec.json.Decoder(Seed)
                rows = (decoder.decode(row) for row in islice(spool, self._read))
                while batch := list(islice(rows, BATCH)):
                    ends = await _ends(batch, frontier)
                    await sink.append([line(seed, end) for seed, end in zip(batch, ends, strict=True)])
                    tally = _counted(tally, batch, ends)
            await sink.sync(fsync=fsync)
        self._spool.unlink(missing_ok=True)
        return tally


def _counted(tally: SeedTally, seeds: Sequence[Seed], ends: Sequence[Finished | None]) -> SeedTally:
    bad = [f"{seed.place} {seed.given}" for seed in seeds if seed.url is None]
    fetched = sum(end is not None and end.outcome in (Outcome.FETCHED, Outcome.UNCHANGED) for end in ends)
    return SeedTally(
        given=tally.given + len(seeds),
        bad=tally.bad + len(bad),
        fetched=tally.fetched + fetched,
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
