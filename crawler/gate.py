"""How much may be held at once? A count of bytes that lets callers wait while it is over its limit."""

from __future__ import annotations

import asyncio


class ByteGate:
    """Counts bytes held; open while they are under the limit.

    What is already under way is never refused, so the limit is overshot by at most what passed the open gate:
    ``limits.concurrency`` bodies of ``fetch.max_body``.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._open = asyncio.Event()
        self._open.set()

    async def passed(self) -> None:
        """Return once the gate is open."""
        await self._open.wait()

    def hold(self, size: int) -> None:
        """Count `size` more bytes; negative when they are let go."""
        self._held_bytes += size
        if self._held_bytes < self._limit_bytes:
            self._open.set()
        else:
            self._open.clear()
