"""How does `-o -` hand committed records to a pipe?

As a reader of pages.jsonl: it copies what has been committed, at its reader's pace, and never holds a checkpoint
back. A reader that goes away ends the crawl.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crawler.checkpoint import Committed

CHUNK_BYTES = 1 << 20


class Follower:
    """Copies a growing file to `out` as far as it is committed.

    Args:
        path: The file; it exists once something has been committed.
        out: Unbuffered; stays open.
    """

    def __init__(self, path: Path, out: BinaryIO) -> None:
        self._path = path
        self._out = out
        self._copied = 0
        self._committed = 0
        self._closed = False
        self._more = asyncio.Event()

    async def committed(self, committed: Committed) -> None:
        """Learn how far the file may be read; returns at once."""
        self._committed = committed.positions[self._path.name]
        self._more.set()

    def close(self) -> None:
        """Nothing more will be committed: let `run` end once all is copied."""
        self._closed = True
        self._more.set()

    async def run(self, broken: Callable[[], None]) -> None:
        """Copy until closed; if nobody reads `out` any more, call `broken` and return."""
        while not (self._closed and self._copied == self._committed):
            await self._more.wait()
            self._more.clear()
            try:
                await asyncio.to_thread(self._copy, self._committed)
            except BrokenPipeError:
                broken()
                return

    def _copy(self, end: int) -> None:
        with self._path.open("rb") as file:
            file.seek(self._copied)
            while self._copied < end:
                chunk = file.read(min(CHUNK_BYTES, end - self._copied))
                if not chunk:
                    return
                written = self._out.write(chunk)
                file.seek(self._copied + written)
                self._copied += written
