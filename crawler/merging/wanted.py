"""Which ends of which workers does the ledger point at? Four bytes for each end that a worker committed.

Beside each stands a hash of its URL: a journal that says otherwise is not of the crawl that it seems to be of, and its
records are not taken.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from xxhash import xxh32_intdigest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.fleet.models import FinishedAt

_GROWN_BY = 1 << 16


class Wanted:
    """The ends that count, and which of them were found."""

    def __init__(self) -> None:
        self._hashes: dict[int, array[int]] = {}  # worker -> by number of its end: 0 if it does not count, or is found
        #: how many were asked for, and how many of them are not found yet
        self.asked = self.lacking = 0

    def want(self, where: FinishedAt, url: str) -> None:
        """The records of this end count."""
        hashes = self._hashes.setdefault(where.worker, array("I"))
        if where.ordinal >= len(hashes):
            hashes.frombytes(bytes(hashes.itemsize * (where.ordinal + 1 - len(hashes) + _GROWN_BY)))
        hashes[where.ordinal] = _hash(url)
        self.asked += 1
        self.lacking += 1

    def counts(self, worker: int, ordinal: int, url: str) -> bool:
        """Whether the records of this end, which is of this URL as its worker says, are to be kept."""
        hashes = self._hashes.get(worker)
        return hashes is not None and ordinal < len(hashes) and hashes[ordinal] == _hash(url)

    def found(self, worker: int, ordinal: int) -> None:
        """They are all there: of one that `counts`."""
        self._hashes[worker][ordinal] = 0
        self.lacking -= 1

    def is_lacking(self, where: FinishedAt) -> bool:
        """Whether the records of an end that was asked for were not found."""
        return bool(self._hashes[where.worker][where.ordinal])

    def workers(self) -> Iterator[int]:
        """Those of which something was asked for."""
        yield from sorted(self._hashes)


def _hash(url: str) -> int:
    return xxh32_intdigest(url.encode()) or 1
