"""How do many readers get the latest state, however slow they are?

A message is made once and handed to all. A reader that is not ready for the next one misses it, and takes the latest
when it is: nothing is kept for it.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 16
"""Readers at once: each is a connection, of which the crawl needs its own."""


class Message(NamedTuple):
    """One state."""

    number: int
    data: bytes
    is_last: bool


class Hub:
    """The latest message, and who waits for the next."""

    def __init__(self) -> None:
        self.readers = 0
        #: set while somebody who came waits for a message that is of now
        self.wanted = asyncio.Event()
        self._message: Message | None = None
        self._news = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether there are as many readers as there may be."""
        return self.readers >= MOST

    def publish(self, data: bytes, *, last: bool = False) -> None:
        """Hand this to whoever waits. After the last one, readers go away."""
        number = self._message.number + 1 if self._message else 1
        self._message = Message(number, data, last)
        self._news.set()
        self._news = asyncio.Event()

    @contextmanager
    def reading(self) -> Iterator[int]:
        """Count one more reader, who wants a message at once; the number of one that is too old for it, 0 for none."""
        message = self._message
        is_stale = message is not None and not (self.readers or message.is_last)
        self.readers += 1
        self.wanted.set()
        try:
            yield message.number if message is not None and is_stale else 0
        finally:
            self.readers -= 1

    async def next(self, seen: int) -> Message:
        """The latest message, once it is not number `seen` any more; numbers begin with 1."""
        while self._message is None or self._message.number == seen:
            await self._news.wait()
        return self._message
