"""Which snoozed URLs of the partitions that are held are due?

All of them wait in one heap, by the server's time in milliseconds: about 150 bytes each. Those of a partition that has
gone are found out when their time comes.
"""

from __future__ import annotations

import heapq
from math import floor
from typing import TYPE_CHECKING

from crawler.frontier.redis_ids import number_of_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.frontier.redis_partition import Partition
    from crawler.frontier.redis_times import Times
    from crawler.models import HostKey


class SnoozedUrls:
    """Ids of snoozed URLs by time.

    Args:
        times: Of the server.
        longest_s: How far away a stored time may be. Nobody snoozes for longer, but clocks may be set.
    """

    def __init__(self, times: Times, longest_s: float) -> None:
        self._times = times
        self._longest_s = longest_s
        self._heap: list[tuple[int, int, HostKey, Partition]] = []

    def add(self, partition: Partition, number: int, host_key: HostKey, due_ms: int) -> None:
        """A URL is stored as snoozed until then."""
        heapq.heappush(self._heap, (due_ms, partition.base | number, host_key, partition))

    def restore(self, partition: Partition, number: int, host_key: HostKey, due_at: float) -> None:
        """So it was when the partition was read."""
        latest = floor(self._times.now_ms() + self._longest_s * 1000)
        self.add(partition, number, host_key, min(round(due_at * 1000), latest))

    def due(self) -> Iterator[tuple[Partition, HostKey, int]]:
        """Take out those whose time has come, one by one, with their numbers."""
        now_ms = floor(self._times.now_ms())
        while self._heap and self._heap[0][0] <= now_ms:
            _, key, host_key, partition = heapq.heappop(self._heap)
            if not partition.is_gone and not partition.is_leaving:
                yield partition, host_key, number_of_id(key)

    def next_at(self) -> float | None:
        """The monotonic time at which the next one is due, once `due` has been exhausted; None if there is none."""
        while self._heap and self._heap[0][3].is_gone:
            heapq.heappop(self._heap)
        return self._times.monotonic(self._heap[0][0]) if self._heap else None
