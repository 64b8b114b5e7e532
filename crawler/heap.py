"""How much memory that nobody uses does a process keep?

The C library keeps what was freed between blocks that are still in use, and after bodies of megabytes that adds up: a
crawl whose objects take 100 MB may hold 300 MB. It can give such pages back, but only when told to.
"""

from __future__ import annotations

import ctypes
import os
import sys


class Heap:
    """The memory of this process. Only glibc can give back from the middle, and only Linux tells what is resident.

    Args:
        spare_bytes: How much more than after the last `trim` may be resident before it is worth another.
    """

    def __init__(self, spare_bytes: int) -> None:
        self._spare_bytes = spare_bytes
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._limit = self._resident() + spare_bytes

    def is_loose(self) -> bool:
        """Whether so much has come that some of it may be of no use. Costs 2 us."""
        return self._trim is not None and self._resident() > self._limit

    def trim(self) -> None:
        """Give back what is free. Takes some milliseconds, without the interpreter's lock."""
        if self._trim is not None:
            self._trim(0)
            self._limit = self._resident() + self._spare_bytes  # what is left is in use, and is not gone through again

    def _resident(self) -> int:
        if self._trim is None:
            return 0
        with open("/proc/self/statm", "rb", buffering=0) as statm:  # noqa: PTH123  (a Path costs as much again)
            return int(statm.read(100).split()[1]) * self._page_bytes
