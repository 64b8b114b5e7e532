"""Which number does a host have in the store?

Those met lately are known by name, in two generations: a full one replaces the one before, whose names are forgotten.
All are known by a fingerprint of their name, in `HostTable`. Nothing is looked up in the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.frontier.host_table import HostTable
from crawler.url import Url, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crawler.models import HostKey


class HostNumbers:
    """Dense numbers from 1, in the order hosts are met.

    Args:
        key: Of fingerprints.
        capacity: How many names to keep, about.
        expected: How many hosts the store has.
    """

    def __init__(self, key: int, capacity: int, expected: int = 0) -> None:
        self._key = key
        self._capacity = capacity
        self._table = HostTable(expected)
        self._recent: dict[HostKey, int] = {}
        self._older: dict[HostKey, int] = {}
        #: the number of hosts that are stored: those of the lowest numbers
        self.stored = 0
        self._new: dict[int, HostKey] = {}
        self._committing: dict[int, HostKey] = {}

    def __len__(self) -> int:
        return len(self._table)

    def restore(self, names: Iterable[HostKey]) -> None:
        """Go on from a store of further hosts, in the order of their numbers."""
        for number, name in enumerate(names, len(self._table) + 1):
            self._table.add(self._fingerprint(name), number)
            self.stored = number

    def find(self, name: HostKey) -> int | None:
        """The number of a host; None if it was never met."""
        number = self._recent.get(name) or self._older.get(name)
        if number is None:
            number = self._table.get(self._fingerprint(name))
            if not number:
                return None
            self._recall(name, number)
        return number

    def number(self, name: HostKey) -> int:
        """The number of a host, which gets one if it has none."""
        number = self.find(name)
        if number is None:
            number = len(self._table) + 1
            self._table.add(self._fingerprint(name), number)
            self._recall(name, number)
            self._new[number] = name
        return number

    def new_name(self, number: int) -> HostKey:
        """The name of a host that is not stored yet."""
        return self._new.get(number) or self._committing[number]

    def committing(self) -> Mapping[int, HostKey]:
        """The hosts the next commit has to store."""
        self._committing, self._new = self._new, {}
        return self._committing

    def committed(self) -> None:
        """The hosts last given to `committing` are stored."""
        self.stored += len(self._committing)
        self._committing = {}

    def _recall(self, name: HostKey, number: int) -> None:
        self._recent[name] = number
        if len(self._recent) * 2 >= self._capacity:
            self._older, self._recent = self._recent, {}

    def _fingerprint(self, name: HostKey) -> int:
        return fingerprint(Url(name), self._key)
