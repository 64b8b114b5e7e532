"""Was this URL of a partition met before, where partitions come and go?

Theory of operation. Each partition has a set of its own, so that it leaves no trace when it goes. Most are small and a
few are huge, and all grow while URLs are found: a *linear hash table* (Litwin, 1980). Its shards are open-addressing
tables in an ``array('Q')`` as in `seen`; whenever the mean shard is full another one is added, which takes its half of
the items of one that was there: no step is longer than the work on a thousand items, whatever the size.

Exact up to two URLs of one fingerprint, as `seen` says.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHIFT = 32  # bits above it choose a shard, so that all of them choose the slot
_MEAN = 700  # items a shard; between half of it and as many, as its turn to be split comes
_FIRST_SLOTS = 5
_LOAD = 0.74
_GROWTH = 1.4


class PartitionSeen:
    """A growing set of unsigned 64-bit integers, none of them 0: 11 to 16 bytes each. Nothing is ever removed.

    Args:
        expected: How many will be added soon; room is made for them at once.
    """

    __slots__ = ("_count", "_free", "_mask", "_split", "_tables")

    def __init__(self, expected: int = 0) -> None:
        shards = 1 + expected // _MEAN
        self._mask = (1 << (shards.bit_length() - 1)) - 1
        self._split = shards - self._mask - 1  # shards before it were split: one more bit chooses among these
        self._tables: list[array[int]] = []
        self._free: list[int] = []
        for shard in range(shards):
            is_half = shard < self._split or shard > self._mask
            share = expected / (self._mask + 1) / (2 if is_half else 1)
            slots = max(_FIRST_SLOTS, int((share + 3 * share**0.5) / _LOAD) + 1)
            self._tables.append(_empty(slots))
            self._free.append(int(slots * _LOAD))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, fingerprint: int) -> bool:
        shard = fingerprint >> _SHIFT & self._mask
        if shard < self._split:
            shard = fingerprint >> _SHIFT & (self._mask << 1 | 1)
        table = self._tables[shard]
        slot = fingerprint % len(table)
        while (held := table[slot]) and held != fingerprint:
            slot -= 1
        return bool(held)

    def add(self, fingerprint: int) -> bool:
        """Add one; True if it was new."""
        shard = fingerprint >> _SHIFT & self._mask
        if shard < self._split:
            shard = fingerprint >> _SHIFT & (self._mask << 1 | 1)
        table = self._tables[shard]
        slot = fingerprint % len(table)
        held = table[slot]
        while held and held != fingerprint:
            slot -= 1  # below 0 it wraps: -1 is the last slot
            held = table[slot]
        if held:
            return False
        table[slot] = fingerprint
        self._count += 1
        self._free[shard] -= 1
        if not self._free[shard]:
            self._replace(shard, table, int(len(table) * _GROWTH) + 2)
        if self._count > _MEAN * len(self._tables):
            self._add_shard()
        return True

    def update(self, fingerprints: Iterable[int]) -> None:
        """Add many, without asking which were new."""
        for fingerprint in fingerprints:
            self.add(fingerprint)

    def _add_shard(self) -> None:
        """Split the next shard in its turn."""
        bit = self._mask + 1
        items = [item for item in self._tables[self._split] if item]
        for shard, is_upper in ((self._split, 0), (self._split + bit, bit)):
            part = [item for item in items if item >> _SHIFT & bit == is_upper]
            if shard == len(self._tables):
                self._tables.append(_empty(1))
                self._free.append(0)
            self._replace(shard, part, max(_FIRST_SLOTS, int(len(part) * 1.2 / _LOAD) + 1))
        self._split += 1
        if self._split > self._mask:
            self._mask, self._split = self._mask << 1 | 1, 0

    def _replace(self, shard: int, items: Iterable[int], slots: int) -> None:
        table = _empty(slots)
        free = int(slots * _LOAD)
        for item in items:
            if item:
                slot = item % slots
                while table[slot]:
                    slot -= 1
                table[slot] = item
                free -= 1
        self._tables[shard] = table
        self._free[shard] = free


def _empty(slots: int) -> array[int]:
    return array("Q", bytes(8 * slots))


class Lately:
    """What was asked for of late, whoever it belongs to: where most links of a page are found, in a tenth of the time.

    Two generations: a full one replaces the one before, whose items are forgotten.

    Args:
        capacity: Of each generation.
    """

    __slots__ = ("_capacity", "older", "recent")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        #: to be asked, in a long loop, without the cost of a call; the second takes what is new
        self.older: set[int] = set()
        self.recent: set[int] = set()

    def __contains__(self, item: int) -> bool:
        return item in self.recent or item in self.older

    def add(self, item: int) -> None:
        """Remember one, for a while."""
        self.recent.add(item)
        self.turn()

    def turn(self) -> None:
        """See to the size, after items were added to `recent`."""
        if len(self.recent) >= self._capacity:
            self.older, self.recent = self.recent, set()

    def clear(self) -> None:
        """Forget all."""
        self.recent.clear()
        self.older.clear()
