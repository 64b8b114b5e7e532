"""Which URLs have ended, and of which of them has a line been found?

Nine bytes a URL: fingerprints in sorted arrays, by their highest bits as in `frontier.seen`, and a byte beside each.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from crawler.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHARD_BITS = 11
_SHIFT = 64 - _SHARD_BITS
_OUTCOMES = tuple(Outcome)
_PAGE, _FOUND = 8, 16  # above the number of an outcome


class EndedTable:
    """The ends of all URLs, as a store says.

    Args:
        ends: Fingerprint, outcome, and whether there is a page; each URL once.
    """

    def __init__(self, ends: Iterable[tuple[int, Outcome, bool]]) -> None:
        fingerprints = [array("Q") for _ in range(1 << _SHARD_BITS)]
        marks = [bytearray() for _ in range(1 << _SHARD_BITS)]
        #: pages whose records an earlier generation has made
        self.unchanged_pages = 0
        numbers = {outcome: number for number, outcome in enumerate(_OUTCOMES)}
        for fingerprint, outcome, has_page in ends:
            fingerprints[fingerprint >> _SHIFT].append(fingerprint)
            marks[fingerprint >> _SHIFT].append(numbers[outcome] | _PAGE * has_page)
            self.unchanged_pages += has_page and outcome is Outcome.UNCHANGED
        self._fingerprints = fingerprints
        self._marks = marks
        for shard, held in enumerate(fingerprints):
            order = sorted(range(len(held)), key=held.__getitem__)
            fingerprints[shard] = array("Q", map(held.__getitem__, order))
            marks[shard] = bytearray(map(marks[shard].__getitem__, order))
        #: URLs of which no line was found yet
        self.lacking = sum(map(len, fingerprints))

    def has_page(self, fingerprint: int) -> bool:
        """Whether it ended as a page."""
        shard, place = self._place(fingerprint)
        return place is not None and bool(self._marks[shard][place] & _PAGE)

    def __contains__(self, fingerprint: int) -> bool:
        return self._place(fingerprint)[1] is not None

    def is_found(self, fingerprint: int) -> bool:
        """Whether its line was found."""
        shard, place = self._place(fingerprint)
        return place is not None and bool(self._marks[shard][place] & _FOUND)

    def find(self, fingerprint: int, outcome: Outcome, *, page: bool) -> bool:
        """A line was met that says this; whether it is the one that must be there, and the first."""
        shard, place = self._place(fingerprint)
        if place is None or self._marks[shard][place] != _OUTCOMES.index(outcome) | _PAGE * page:
            return False
        self._marks[shard][place] |= _FOUND
        self.lacking -= 1
        return True

    def find_page(self, fingerprint: int) -> bool:
        """A line of a page was met, fetched or kept as it was; whether it must be there, and is the first."""
        shard, place = self._place(fingerprint)
        if place is None or self._marks[shard][place] & (_PAGE | _FOUND) != _PAGE:
            return False
        self._marks[shard][place] |= _FOUND
        self.lacking -= 1
        return True

    def _place(self, fingerprint: int) -> tuple[int, int | None]:
        shard = fingerprint >> _SHIFT
        held = self._fingerprints[shard]
        place = bisect_left(held, fingerprint)
        return shard, place if place < len(held) and held[place] == fingerprint else None
