"""How did a URL end, given its text?

By its fingerprint, in the index that `sqlite_index` makes of what is stored and of which little may be missing: it is
brought up to date before the first question, while the loop goes on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from crawler.frontier.turns import parts, sliced
from crawler.url import Url, fingerprint

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from crawler.clock import Clock
    from crawler.frontier.sqlite_reader import Reader
    from crawler.frontier.sqlite_thread import WritingThread
    from crawler.frontier.sqlite_writer import Writer
    from crawler.models import Finished

_AT_ONCE = 200
_GATHERED_AT_ONCE = 5_000


class Finder:
    """Questions to one store, while it is open.

    Args:
        reader: Answers them.
        writer: Makes the index, on `thread`.
        thread: Where it works.
        clock: Tells the time.
        unindexed: How many fingerprints to go through one by one at most.
    """

    def __init__(self, reader: Reader, writer: Writer, thread: WritingThread, clock: Clock, unindexed: int) -> None:
        self._reader = reader
        self._writer = writer
        self._thread = thread
        self._clock = clock
        self._unindexed = unindexed
        self._key: int
        self._indexed = 0

    def restore(self, key: int, indexed: int) -> None:
        """Go on from a store that has fingerprints under this key, and an index up to an id."""
        self._key = key
        self._indexed = indexed

    async def ends(self, urls: Sequence[str], stored: int) -> list[Finished | None]:
        """How each of these canonical URLs ended, in a store of `stored` URLs; None where no end is stored."""
        await self._index(stored)
        fingerprints = {self._fingerprint(url) for url in urls}
        ids: list[int] = []
        async for some in sliced(parts(fingerprints, _AT_ONCE), self._clock):
            ids += self._reader.ids(some)
        ends: dict[str, Finished] = {}
        async for some in sliced(parts(ids, _AT_ONCE), self._clock):
            ends.update((end.request.url, end) for end in self._reader.ends(some))
        return [ends.get(url) for url in urls]

    async def gather(self, urls: AsyncIterable[Sequence[str]], stored: int) -> None:
        """Have the writer remember those of these URLs that have ended, for its next `requeue`."""
        await self._index(stored)
        gathered: list[str] = []
        await self._thread.run(self._writer.forget_gathered)
        async for batch in urls:
            gathered += batch
            if len(gathered) >= _GATHERED_AT_ONCE:
                await self._gather(gathered)
                gathered = []
        await self._gather(gathered)

    async def _gather(self, urls: Sequence[str]) -> None:
        fingerprints = [self._fingerprint(url) for url in urls]
        await self._thread.run(partial(self._writer.gather, urls, fingerprints))

    async def _index(self, stored: int) -> None:
        if stored - self._indexed > self._unindexed:
            while last := await self._thread.run(self._writer.index):
                self._indexed = last

    def _fingerprint(self, url: str) -> int:
        return fingerprint(Url(url), self._key)
