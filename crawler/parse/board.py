"""Which page is each worker on, and since when?

A few bytes of memory shared by the pool and its workers. A worker notes each page it starts; the pool
looks only when a deadline may have passed or a worker has died. So the note costs the event loop nothing,
and unlike a message it survives the worker and is never late.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import time
from typing import BinaryIO, NamedTuple

_CELLS = 2  # a worker's: pages started (-1 while it loads), and when the page in work was started


class Progress(NamedTuple):
    """What one worker last noted."""

    #: pages started so far in its life; -1 before it was ready
    started: int
    #: monotonic time at which the page in work was started; 0.0 between pages
    since: float


class Board:
    """One note a worker. Each worker writes its own slot only; aligned 8-byte writes do not tear.

    Times are CLOCK_MONOTONIC (Linux) or mach_absolute_time (macOS), which all processes of a machine share.
    """

    def __init__(self, fd: int, slots: int) -> None:
        """Map the file open as `fd`, made by `create`; the descriptor stays the caller's."""
        self._map = mmap.mmap(fd, slots * _CELLS * 8)
        self._cells = memoryview(self._map).cast("d")

    def reset(self, slot: int) -> None:
        """For a new worker, before it is started."""
        self._cells[slot * _CELLS] = -1
        self._cells[slot * _CELLS + 1] = 0.0

    def ready(self, slot: int) -> None:
        """The worker has loaded."""
        self._cells[slot * _CELLS] = 0

    def page_starts(self, slot: int) -> None:
        """The worker starts its next page now."""
        cell = slot * _CELLS
        self._cells[cell + 1] = time.monotonic()
        self._cells[cell] += 1

    def page_ends(self, slot: int) -> None:
        """The worker is between pages: if it dies now, no page is to blame."""
        self._cells[slot * _CELLS + 1] = 0.0

    def read(self, slot: int) -> Progress:
        """What the worker last noted, even if it is dead."""
        cell = slot * _CELLS
        return Progress(int(self._cells[cell]), self._cells[cell + 1])

    def close(self) -> None:
        """Unmap; the other processes' views stay."""
        self._cells.release()
        self._map.close()


def create(slots: int) -> BinaryIO:
    """A nameless file for a board of `slots` workers; it lives as long as someone has it open or mapped."""
    file = nameless_file()
    file.truncate(slots * _CELLS * 8)
    return file


def nameless_file() -> BinaryIO:
    """A file without a name, which the caller closes. Where the system has some in memory, no folder need be writable.

    Raises:
        OSError: There can be none.
    """
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("crawler"), "w+b")
    return tempfile.TemporaryFile()
