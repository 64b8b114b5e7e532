"""Which hosts have something to take?

One byte for each of a million, so that those few that have are found at memchr's speed. Hosts that have, and that
nobody wants for as long as their stored state stays as it is, are set aside, so that not each round stops at them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WAITS, _SET_ASIDE = 1, 2


class WaitingHosts(bytearray):
    """By number of a host: 1 where something can be taken, else 0. Set by the owner as in any bytearray: a host set
    aside, of which something new is told, is looked at again."""

    #: what those were judged by that were set aside
    _limit: int | None = None

    def going_round(self, cursor: int) -> Iterator[int]:
        """Every host with something to take once, but for those set aside, from number `cursor` on."""
        end = len(self)
        start = cursor % (end or 1)
        for begin, stop in ((start, end), (0, start)):
            number = self.find(_WAITS, begin, stop)
            while number >= 0:
                yield number
                number = self.find(_WAITS, number + 1, stop)

    def judge_by(self, limit: int | None) -> None:
        """Look again at all that were set aside by another limit."""
        if limit != self._limit:
            self._limit = limit
            self[:] = self.replace(bytes((_SET_ASIDE,)), bytes((_WAITS,)))

    def set_aside(self, numbers: Iterable[int]) -> None:
        """Pass over these, which wait, until more is told of them."""
        for number in numbers:
            self[number] = _SET_ASIDE

    def look_again(self, numbers: Iterable[int]) -> None:
        """Something else is stored of these hosts."""
        for number in numbers:
            if number < len(self) and self[number] == _SET_ASIDE:
                self[number] = _WAITS
