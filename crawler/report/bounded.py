"""How is much counted in little memory? Samples, the largest of many, and counts of which only so many are told apart.

What is kept does not depend on the order in which things come, so the same crawl gives the same report.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from heapq import heappush, heapreplace
from typing import TYPE_CHECKING, Generic, TypeVar

from xxhash import xxh3_64_intdigest

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T")
K = TypeVar("K", bound="Hashable")


class Sample(Generic[T]):
    """A few of many things: those whose keys have the smallest hashes, whatever comes first.

    Args:
        size: How many.
    """

    __slots__ = ("_kept", "_limit", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[tuple[int, str, T]] = []
        self._limit = 1 << 64  # hashes below it are of interest

    def add(self, key: str, thing: T) -> None:
        """Consider one. Of two with the same key, one is kept."""
        place = xxh3_64_intdigest(key.encode("utf-8", "surrogatepass"))
        if place >= self._limit or any(place == held for held, _, _ in self._kept):
            return
        insort(self._kept, (place, key, thing), key=_place)
        if len(self._kept) >= self._size:
            del self._kept[self._size :]
            self._limit = self._kept[-1][0]

    def things(self) -> tuple[T, ...]:
        """Those kept, by their keys."""
        return tuple(thing for _, _, thing in sorted(self._kept, key=_key))


def _place(kept: tuple[int, str, object]) -> int:
    return kept[0]


def _key(kept: tuple[int, str, object]) -> str:
    return kept[1]


class Largest(Generic[T]):
    """The largest of many things. Of equal ones, those with the greater names.

    Args:
        size: How many.
    """

    __slots__ = ("_kept", "_size", "floor")

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[tuple[float, str, T]] = []
        #: what is smaller need not be added
        self.floor = float("-inf")

    def add(self, value: float, name: str, thing: T) -> None:
        """Consider one; its name is nobody else's."""
        if len(self._kept) < self._size:
            heappush(self._kept, (value, name, thing))
        elif (value, name) > self._kept[0][:2]:
            heapreplace(self._kept, (value, name, thing))
        if len(self._kept) == self._size:
            self.floor = self._kept[0][0]

    def things(self) -> tuple[T, ...]:
        """Those kept, the largest first."""
        return tuple(thing for _, _, thing in sorted(self._kept, key=lambda kept: (-kept[0], kept[1])))


class Counts(Generic[K]):
    """How often each of many things came; those met when there is no more room are counted together.

    Args:
        size: How many are told apart.
        others: What the rest is called.
    """

    __slots__ = ("_others", "_size", "counts")

    def __init__(self, size: int, others: K) -> None:
        self._size = size
        self._others = others
        self.counts: Counter[K] = Counter()

    def add(self, thing: K, count: int = 1) -> None:
        """Count one."""
        if thing not in self.counts and len(self.counts) >= self._size:
            thing = self._others
        self.counts[thing] += count

    def most(self) -> dict[K, int]:
        """All, the most first; of equal ones, in the order of their texts."""
        return dict(sorted(self.counts.items(), key=lambda item: (-item[1], str(item[0]))))
