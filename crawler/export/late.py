"""How is a file that most crawls never need kept out of sight until it is needed?

A sink like any other, whose file is made with its first lines. Until then its length is 0, and there is no file.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crawler.export.base import Sink


class LateSink:
    """Puts off making a file.

    Args:
        path: The file.
        sink: Writes to it; not open. Owned by this one.
    """

    def __init__(self, path: Path, sink: Sink) -> None:
        self._path = path
        self._sink = sink
        self._opened = False

    async def open(self, position: int | None) -> None:
        """See `Sink.open`. At position 0 the file need not be there."""
        exists = await asyncio.to_thread(self._path.exists)
        if exists or position:
            await self._begin(position)

    async def append(self, lines: Sequence[bytes]) -> None:
        """See `Sink.append`."""
        if not lines:
            return
        if not self._opened:
            await self._begin(None)
        await self._sink.append(lines)

    async def sync(self, *, fsync: bool) -> int:
        """See `Sink.sync`."""
        return await self._sink.sync(fsync=fsync) if self._opened else 0

    async def aclose(self) -> None:
        """See `Sink.aclose`."""
        self._opened = False
        await self._sink.aclose()

    async def _begin(self, position: int | None) -> None:
        await self._sink.open(position)
        self._opened = True
