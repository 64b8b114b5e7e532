"""Which of the hosts that have something to take may be asked, as far as the store knows?

Found by going round all of them, some at a time. Those that have pages enough are set aside in memory: when most hosts
of a large crawl are, a round costs as much as the few others.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

from crawler.models import HostState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.frontier.host_numbers import HostNumbers
    from crawler.frontier.sqlite_reader import Reader
    from crawler.frontier.waiting import WaitingHosts

_AT_ONCE = 500


class HostRounds:
    """Questions to one store, while it is open.

    Args:
        reader: Knows the states of stored hosts.
        waiting: The hosts that have something to take.
        numbers: Tells which hosts are stored, and the names of the others.
    """

    def __init__(self, reader: Reader, waiting: WaitingHosts, numbers: HostNumbers) -> None:
        self._reader = reader
        self._waiting = waiting
        self._numbers = numbers

    async def go_on(
        self, cursor: int, limit: int, *, ready_before: float, pages_below: int | None
    ) -> tuple[list[HostState], int]:
        """Up to `limit` hosts from `cursor` on, and the cursor to go on from; as `Frontier.hosts`."""
        found: list[HostState] = []
        self._waiting.judge_by(pages_below)
        numbers = self._waiting.going_round(cursor)
        size = limit  # no more than is needed where all are ready, and many at once where few are
        while some := list(islice(numbers, min(size, _AT_ONCE))):
            for number, state in self._ready(some, ready_before, pages_below):
                if len(found) == limit:
                    return found, cursor
                cursor = number + 1
                found.append(state)
            cursor = some[-1] + 1
            size *= 2
            await asyncio.sleep(0)
        return found, cursor

    def _ready(
        self, waiting: Sequence[int], ready_before: float, pages_below: int | None
    ) -> list[tuple[int, HostState]]:
        """Those of these hosts that are ready, in their order; those that are full are set aside."""
        stored = [number for number in waiting if number <= self._numbers.stored]
        if pages_below is not None:
            full = self._reader.full(stored, pages_below)
            self._waiting.set_aside(full)
            stored = [number for number in stored if number not in full]
        ready = self._reader.ready(stored, ready_before)
        for number in waiting:
            if number > self._numbers.stored:
                ready[number] = HostState(host_key=self._numbers.new_name(number))
        return [(number, ready[number]) for number in waiting if number in ready]
