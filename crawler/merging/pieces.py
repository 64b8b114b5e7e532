"""Which bytes of a worker's file are next? So many, or so many lines, at a time; it may be packed, or torn."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)


class Pieces:
    """The whole lines of a file, in pieces of a size that somebody else knows.

    Args:
        path: The file; None if there is none, which has no bytes.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._blocks: Iterator[bytes] = Lines(path).blocks() if path is not None else iter(())
        self._block = b""
        self._at = 0  # of the block
        #: what kept it from being read to its end; None if nothing did
        self.damage: str | None = None

    def take(self, size: int) -> bytes | None:
        """The next `size` bytes, which end with a line; None if there are not so many, now and from then on."""
        end = self._at + size
        if end > len(self._block) and not self._fill(size):
            return None
        end = self._at + size
        piece = self._block[self._at : end]
        self._at = end
        if piece[-1:] != b"\n":
            self._end(f"has no end of a line {size:,} bytes on, where its journal has one")
            return None
        return piece

    def take_lines(self, count: int) -> bytes | None:
        """The next `count` lines; None if there are not so many, now and from then on."""
        end = self._at
        for _ in range(count):
            while (found := self._block.find(b"\n", end) + 1) == 0:
                before = end - self._at
                if not self._fill(len(self._block) - self._at + 1):
                    return None
                end = self._at + before
            end = found
        piece = self._block[self._at : end]
        self._at = end
        return piece

    def _fill(self, size: int) -> bool:
        """Have at least `size` bytes at hand; False if there are not so many."""
        parts = [self._block[self._at :]]
        held = len(parts[0])
        while held < size:
            block = self._next()
            if block is None:
                self._block, self._at = b"", 0
                return False
            parts.append(block)
            held += len(block)
        self._block, self._at = b"".join(parts), 0
        return True

    def _next(self) -> bytes | None:
        try:
            return next(self._blocks, None)
        except CrawlerError as error:
            self._end(str(error))
            return None

    def _end(self, why: str) -> None:
        self._blocks, self._block, self._at = iter(()), b"", 0
        self.damage = why
        log.warning("a worker's file cannot be read further", extra={"why": f"{self._path}: {why}"})
