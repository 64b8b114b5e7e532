"""Which snoozed URLs are due?

The soonest wait in a heap in memory; when they grow too many, those beyond a *horizon* are left to the store, and
read from there a page at a time once the heap has run empty. A *place* in this order is a time in milliseconds and
an id. Times are the wall clock's as it was when the process began, carried on by the monotonic clock: setting the
wall clock meanwhile neither wakes nor delays anybody.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from math import ceil, floor
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from crawler.clock import Clock
    from crawler.models import HostKey

Place = tuple[int, int]

_PAGE = 2_000
_LAST_ID = 1 << 62


class SnoozedUrls:
    """Ids of snoozed URLs by time.

    Args:
        clock: Tells the time.
        page: The first stored ones after a place, at most so many: due_ms, id and host of each, in order.
        out: Ids that are in use, although the store may still call them snoozed.
        capacity: How many to keep in memory; twice as many for a while.
        longest_s: How far away a time may be that an earlier process stored. Nobody snoozes for longer, but the wall
            clock may have been set back.
    """

    def __init__(
        self,
        clock: Clock,
        page: Callable[[Place, int], Sequence[tuple[int, int, HostKey]]],
        out: Container[int],
        capacity: int,
        longest_s: float,
    ) -> None:
        self._clock = clock
        self._page = page
        self._out = out
        self._capacity = capacity
        self._longest_s = longest_s
        self._offset_s = clock.wall() - clock.monotonic()
        self._heap: list[tuple[int, int, HostKey]] = []
        self._horizon: Place | None = (-1, 0)  # None: nothing is left to the store
        self._looked_ms = -1  # the time for which `due` was last asked

    def due_ms(self, until: float) -> int:
        """How the store writes a monotonic time: less than a millisecond after it."""
        return ceil(self._wall_ms(until))

    def latest_ms(self) -> int:
        """The latest time to believe, as the store writes it."""
        return self.due_ms(self._clock.monotonic() + self._longest_s)

    def add(self, due_ms: int, number: int, host_key: HostKey) -> None:
        """A URL has been stored as snoozed until then."""
        if self._horizon is not None and (due_ms, number) > self._horizon:
            return
        heapq.heappush(self._heap, (due_ms, number, host_key))
        if len(self._heap) > 2 * self._capacity:
            self._heap.sort()
            # What was due at the last look stays: a horizon before it would have those read again that woke then.
            kept = max(self._capacity, bisect_right(self._heap, self._looked_ms, key=itemgetter(0)))
            if kept < len(self._heap):
                del self._heap[kept:]
                # Never before what was due then: those that woke are still in the store.
                self._horizon = max(self._heap[-1][:2], (self._looked_ms, _LAST_ID))

    def due(self) -> Iterator[tuple[HostKey, int]]:
        """Take out those whose time has come, one by one."""
        now_ms = self._looked_ms = floor(self._wall_ms(self._clock.monotonic()))
        while True:
            while not self._heap and self._horizon is not None:
                self._read_on(self._horizon)
            if not self._heap or self._heap[0][0] > now_ms:
                return
            _, number, host_key = heapq.heappop(self._heap)
            yield host_key, number

    def next_at(self) -> float | None:
        """The monotonic time at which the next one is due, once `due` has been exhausted; None if there is none."""
        return self._heap[0][0] / 1000 - self._offset_s if self._heap else None

    def _wall_ms(self, monotonic: float) -> float:
        """A monotonic time on the store's scale, without the noise of adding such unequal numbers."""
        return round((monotonic + self._offset_s) * 1000, 2)

    def _read_on(self, horizon: Place) -> None:
        size = min(_PAGE, self._capacity)
        page = self._page(horizon, size)
        self._horizon = page[-1][:2] if len(page) == size else None
        self._heap = [entry for entry in page if entry[1] not in self._out]  # sorted, hence a heap
