"""Which number does a host have in the store?

Names are known from memory while they are few; beyond a bound only those met lately are, and others are looked up
in the store. Two generations of names do it: a full one replaces the one before, whose names are forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crawler.models import HostKey


class HostNumbers:
    """Dense numbers from 1, in the order hosts are met.

    Args:
        stored: The number of a host that was stored, if it was; asked only for names that are not in memory.
        capacity: How many names to keep, about.
    """

    def __init__(self, stored: Callable[[HostKey], int | None], capacity: int) -> None:
        self._stored = stored
        self._capacity = capacity
        self._recent: dict[HostKey, int] = {}
        self._older: dict[HostKey, int] = {}
        self._complete = True  # every name is in memory
        self._new: dict[int, HostKey] = {}
        self._committing: dict[int, HostKey] = {}
        self.count = 0

    def restore(self, count: int, names: Mapping[HostKey, int]) -> None:
        """Go on from a store of `count` hosts, some or all of which are given by name."""
        self.count = count
        self._complete = len(names) == count
        self._recent.update(names)

    def find(self, key: HostKey) -> int | None:
        """The number of a host; None if it was never met."""
        number = self._recent.get(key) or self._older.get(key)
        if number is None and not self._complete:
            number = self._stored(key)
            if number is not None:
                self._recent[key] = number
        return number

    def number(self, key: HostKey) -> int:
        """The number of a host, which gets one if it has none."""
        number = self.find(key)
        if number is None:
            number = self.count = self.count + 1
            self._recent[key] = number
            self._new[number] = key
        return number

    def new_name(self, number: int) -> HostKey:
        """The name of a host that is not stored yet."""
        return self._new.get(number) or self._committing[number]

    def committing(self) -> Mapping[int, HostKey]:
        """The hosts the next commit has to store."""
        self._committing, self._new = self._new, {}
        return self._committing

    def committed(self) -> None:
        """The hosts last given to `committing` are stored.

        Names are forgotten here only: whatever is in the older generation was stored by a commit before this one.
        """
        self._committing = {}
        if len(self._recent) * 2 >= self._capacity:
            self._complete = self._complete and not self._older
            self._older, self._recent = self._recent, {}
