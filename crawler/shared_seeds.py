"""Who reads the seeds of a crawl that several workers have a part in, and from where?

One of them, at a time, admits the rows of its list, and tells how many of them are stored; the others never look at
theirs. If it dies or leaves, another whose list is the same goes on from that row; one whose list is another admits
all of it, which does no harm, and says that the rest of the first is missing. What came from standard input or another
pipe is gone with its reader.

A worker's engine does not know when all is found: others may hand it URLs at any time. So it is told that there are
seeds yet, none for the moment, until the crawl is over; and whenever the frontier gained something, to look there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Protocol

from xxhash import xxh3_64_hexdigest

from crawler.fleet.cue import goes_on
from crawler.spool import file_stamp, is_pipe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from crawler.fleet.orders import Seeding
    from crawler.models import Request
    from crawler.seedlist import Item, SeedList

log = logging.getLogger(__name__)

NOTED_EVERY = 20_000
"""Rows between two times that it is stored how many were read: what another worker may read again, for nothing."""

ONCE = "-"
"""What a list is called that came through a pipe."""

READER_S = 10.0
"""For so long nobody else reads the seeds of a worker that is not heard of; or for a lease, where that is longer."""


class Turns(Protocol):
    """Whose turn it is to read the seeds: `fleet.control.Control`, as far as it is about them."""

    async def seeding(
        self, worker: int, ttl_s: float, *, row: int = 0, seed_list: str = "", is_over: bool = False
    ) -> Seeding:
        """Read them, or go on reading them, if nobody else does."""
        ...

    async def leave_seeding(self, worker: int) -> None:
        """Let somebody else go on."""
        ...


class SharedSeeds:
    """The seeds of one worker's engine; `requests` is what it goes by.

    Args:
        seeds: The worker's own list.
        name: `name_of` its items: what tells it from others.
        turns: Says whose turn it is.
        worker: The worker's number.
        lease_s: For how long a worker is waited for that is not heard of.
        settled: Returns once all that was admitted before is stored.
        reads: Whether it may read its own list; if not, it waits for others to.
    """

    def __init__(
        self,
        seeds: SeedList,
        name: str,
        turns: Turns,
        worker: int,
        *,
        lease_s: float,
        settled: Callable[[], Awaitable[None]],
        reads: bool = True,
    ) -> None:
        self._seeds = seeds
        self._name = name
        self._turns = turns
        self._worker = worker
        self._ttl_s = max(lease_s, READER_S) if lease_s >= 1 else lease_s
        self._settled = settled
        self._reads = reads
        self._batches: deque[list[Request]] = deque()
        self._news = asyncio.Event()  # a batch, a tick, the end
        self._taken = asyncio.Event()
        self._asked = asyncio.Event()  # whose turn it is may have changed
        self._is_over = False
        #: whether this worker reads, or has read, some of the list
        self.has_read = False
        #: what a person should know of it, once it is known
        self.news: list[str] = []

    async def requests(self) -> AsyncIterator[list[Request]]:
        """Batches of seeds, empty ones whenever there may be something new elsewhere; ends when the crawl does."""
        while not self._is_over:
            self._news.clear()
            if self._batches:
                yield self._batches.popleft()
                self._taken.set()
            else:
                yield []
                await self._news.wait()

    def tick(self) -> None:
        """Have the engine look for what is new in the frontier."""
        self._news.set()

    def end(self) -> None:
        """The crawl is over: there are no more seeds."""
        self._is_over = True
        for event in (self._news, self._taken, self._asked):
            event.set()

    def heed(self) -> None:
        """Whose turn it is, or whether all are in, may have changed."""
        self._asked.set()

    async def run(self) -> None:
        """Read the seeds when it is this worker's turn, and see that all know once they are in, until it is over.

        Raises:
            ConfigError: An item of the list cannot be read.
            FrontierError: Redis cannot be had.
        """
        are_in = False
        while self._reads and not self._is_over:
            self._asked.clear()
            turn = await self._turns.seeding(self._worker, self._ttl_s)
            if turn.is_mine and are_in:  # Redis has lost that it was told so
                await self._note(self._seeds.rows, is_over=True)
                continue
            if turn.is_mine:
                await self._read(turn)
                are_in = True
                continue
            if turn.is_over:
                await self._asked.wait()
                continue
            try:
                async with asyncio.timeout(turn.free_in_s + 0.05):
                    await self._asked.wait()
            except TimeoutError:
                continue  # whoever read them has not been heard of

    async def _read(self, turn: Seeding) -> None:
        self.has_read = True
        if turn.seed_list in ("", self._name) and not (turn.row and self._name == ONCE):
            self._seeds.skip = turn.row
        else:
            self._tell("the seeds of the worker that read them before are not these: what it had not read is missing")
        if turn.row and self._seeds.skip:
            log.info("goes on with the seeds", extra={"why": f"{turn.row:,} rows are in"})
        keeping = asyncio.create_task(self._keep(), name="seeds-turn")
        try:
            noted = 0
            async for requests in self._seeds.requests():
                self._batches.append(requests)
                self._news.set()
                while self._batches and not self._is_over:
                    self._taken.clear()
                    await self._taken.wait()
                if self._is_over:
                    return
                if self._seeds.rows - noted >= NOTED_EVERY:
                    noted = self._seeds.rows
                    await self._note(noted)
            await self._note(self._seeds.rows, is_over=True)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _note(self, rows: int, *, is_over: bool = False) -> None:
        """Tell how many rows are stored, once they are. The batch just handed out is admitted by then."""
        await asyncio.sleep(0)
        await self._settled()
        await self._turns.seeding(self._worker, self._ttl_s, row=rows, seed_list=self._name, is_over=is_over)

    async def _keep(self) -> None:
        """Keep the turn, for as long as it is held."""
        while goes_on():
            turn = await self._turns.seeding(self._worker, self._ttl_s, seed_list=self._name)
            if not turn.is_mine and not turn.is_over:
                log.warning("another worker reads the seeds now")  # which does no harm: each is taken in once
                return
            await asyncio.sleep(self._ttl_s / 3)

    async def leave(self) -> None:
        """Let another worker go on with the list."""
        if self.has_read:
            await self._turns.leave_seeding(self._worker)

    def _tell(self, line: str) -> None:
        log.warning("seeds", extra={"why": line})
        self.news.append(line)


def name_of(items: Sequence[Item]) -> str:
    """What tells a seed list from others: the same where the same files are read on another machine. `ONCE` for one
    that cannot be read a second time."""
    if any(is_pipe(item.item) for item in items):
        return ONCE
    parts = []
    for item in items:
        stamp = file_stamp(item.item)
        parts.append(item.name if stamp is None else f"{item.name.rpartition('/')[2]} {stamp[0]}")
    return xxh3_64_hexdigest("\n".join(parts).encode())
