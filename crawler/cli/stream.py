"""How does `-o -` hand committed records to a pipe?

As a reader of pages.jsonl: it copies what has been committed, at its reader's pace, and never holds a checkpoint
back. A reader that goes away ends the crawl.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from crawler.errors import ExportError
from crawler.models import PAGES

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
        self._news = threading.Condition()
        self._committed = 0
        self._closed = False
        self._given_up = asyncio.Event()
        #: nobody reads `out` any more
        self.broken = False

    async def committed(self, committed: Committed) -> None:
        """Learn how far the file may be read; returns at once."""
        with self._news:
            self._committed = committed.positions.get(PAGES, 0)
            self._news.notify()

    def close(self) -> None:
        """Nothing more will be committed: let `run` end once all is copied."""
        with self._news:
            self._closed = True
            self._news.notify()

    def give_up(self) -> None:
        """Let `run` end at once, whatever is still to be copied."""
        self._given_up.set()

    async def run(self, broken: Callable[[], None]) -> None:
        """Copy until closed or given up; if nobody reads `out` any more, call `broken` and return.

        Raises:
            ExportError: `out` cannot be written for another reason.
        """
        loop = asyncio.get_running_loop()
        copied: asyncio.Future[None] = loop.create_future()

        def settle(error: OSError | None) -> None:
            if not copied.done():
                copied.set_result(None) if error is None else copied.set_exception(error)

        def copy() -> None:
            error = None
            try:
                self._copy()
            except OSError as failure:
                error = failure
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, error)

        # A daemon: a reader that stalls holds up the write for ever, and must not hold up the process's end.
        threading.Thread(target=copy, name="stdout", daemon=True).start()
        given_up = asyncio.ensure_future(self._given_up.wait())
        try:
            await asyncio.wait((copied, given_up), return_when=asyncio.FIRST_COMPLETED)
            if copied.done():
                copied.result()
        except BrokenPipeError:
            self.broken = True
            broken()
        except OSError as error:
            raise ExportError(f"standard output: cannot be written: {error.strerror}") from error
        finally:
            given_up.cancel()

    def _copy(self) -> None:
        """In the thread: copy what is committed, wait for more, until closed."""
        position = 0
        while (end := self._next_end(position)) > position:
            with self._path.open("rb") as file:
                while position < end:
                    file.seek(position)
                    position += self._out.write(file.read(min(CHUNK_BYTES, end - position)))

    def _next_end(self, position: int) -> int:
        """How far the file may be read, once that is beyond `position` or will never be."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._committed > position)
            return self._committed
