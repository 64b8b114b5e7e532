"""What may a crawl be told while it runs? To pause, to go on, and how many requests may be in flight at once.

What is in flight when it is told to pause, or to have fewer, is finished as ever.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Control:
    """The wishes of whoever looks on. Asked by the engine, from the loop's thread.

    Args:
        concurrency: Requests in flight at the most, to begin with.
        most: What `set_concurrency` goes to at the most: what open files allow.
        changed: Called after each wish, so that the engine heeds it at once.
    """

    def __init__(self, concurrency: int, most: int, changed: Callable[[], None] = lambda: None) -> None:
        self.concurrency = concurrency
        self.most = most
        self._changed = changed
        self._going = asyncio.Event()
        self._going.set()

    @property
    def paused(self) -> bool:
        """Whether nothing more is started until `unpause`."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Start nothing more for now. Checkpoints, retries that come due and what is in flight go on."""
        self._going.clear()
        self._changed()

    def unpause(self) -> None:
        """Go on."""
        self._going.set()
        self._changed()

    def set_concurrency(self, concurrency: int) -> int:
        """Have at most so many requests in flight from now on, at least 1 and at most `most`; how many it came to."""
        self.concurrency = max(1, min(concurrency, self.most))
        self._changed()
        return self.concurrency

    async def passed(self) -> None:
        """Return once it is not paused."""
        await self._going.wait()
