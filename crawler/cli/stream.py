"""How does `-o -` hand committed records to a pipe?

As a reader of pages.jsonl, compressed or not: it copies what has been committed, at its reader's pace, and never
holds a checkpoint back. A reader that goes away ends the crawl. Checkpoints keep how far it had got: a resumed crawl's
stream goes on from there, repeats what was handed over since, and skips nothing.
"""

from __future__ import annotations

import asyncio
import select
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError, ExportError
from crawler.models import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import RawIOBase
    from pathlib import Path

    from crawler.checkpoint import Committed


class Follower:
    """Copies the lines of a growing file to `out`, unpacked, as far as they are committed.

    Args:
        path: The file; it exists once something has been committed.
        out: Unbuffered; stays open.
        passed: What each block of lines passes through on its way.
    """

    def __init__(self, path: Path, out: RawIOBase, passed: Callable[[bytes], bytes] = bytes) -> None:
        self._path = path
        self._out = out
        self._passed = passed
        self._news = threading.Condition()
        self._committed = 0
        self._closed = False
        self._given_up = asyncio.Event()
        #: nobody reads `out` any more
        self.broken = False
        #: byte of the file up to which `out` has taken everything; never within a line, nor a compressed file's member
        self.position = 0

    def restore(self, state: bytes) -> None:
        """Go on from where an earlier run's stream had got to; from the beginning if there was none."""
        self.position = int(state or b"0")

    def state(self) -> bytes:
        """How far the stream has got."""
        return b"%d" % self.position

    async def sync(self, *, fsync: bool) -> None:
        """Nothing: what is in the pipe is its reader's."""

    @property
    def was_cut(self) -> bool:
        """Whether something that is committed was not handed over."""
        return self.position < self._committed

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
            CrawlerError: `out` cannot be written for another reason, or the file cannot be read.
        """
        loop = asyncio.get_running_loop()
        copied: asyncio.Future[None] = loop.create_future()

        def settle(error: Exception | None) -> None:
            if not copied.done():
                copied.set_result(None) if error is None else copied.set_exception(error)

        def copy() -> None:
            error = None
            try:
                self._copy()
            except Exception as failure:  # noqa: BLE001 - raised again by whoever waits
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
            copied.cancel()  # given up: its error, if one comes yet, is nobody's

    def _copy(self) -> None:
        """In the thread: copy what is committed, wait for more, until closed."""
        while (end := self._next_end()) > self.position:
            lines = Lines(self._path, start=self.position, end=end)
            for block in lines.blocks():
                self.position = lines.position  # of the blocks before this one
                self._write(block)
            self.position = lines.position
            if self.position != end:
                raise CrawlerError(
                    f"{self._path}: whole up to byte {self.position:,} only, expected {end:,}, as committed"
                )

    def _write(self, block: bytes) -> None:
        rest = memoryview(self._passed(block))
        while rest:
            written = self._out.write(rest)
            if written is None:  # full, and made non-blocking by somebody who shares it
                select.select((), (self._out,), ())
            else:
                rest = rest[written:]

    def _next_end(self) -> int:
        """How far the file may be read, once that is beyond `position` or will never be."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._committed > self.position)
            return self._committed
