"""Which URL of a host comes next, and which hosts have any?

A host's queue is a heap of integers, each a band over a URL's id: the lowest band goes first, within a band the
lowest id, which was found first. What a band means is left to the frontier.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from crawler.frontier.waiting import WaitingHosts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.models import HostKey

_ID_BITS = 40
_ID_MASK = (1 << _ID_BITS) - 1


class HostQueues:
    """The ids that can be taken, by host and in the order they are taken in."""

    def __init__(self) -> None:
        self._numbers: dict[HostKey, int] = {}
        self._keys: list[HostKey] = []
        self._heaps: list[list[int]] = []
        self.waiting = WaitingHosts()

    def push(self, host_key: HostKey, band: int, number: int) -> HostKey:
        """Queue an id; returns the one string object kept for this host, for the caller to share."""
        host = self._numbers.get(host_key)
        if host is None:
            host = self._numbers[host_key] = len(self._keys)
            self._keys.append(host_key)
            self._heaps.append([])
            self.waiting.append(0)
        heapq.heappush(self._heaps[host], band << _ID_BITS | number)
        self.waiting[host] = 1
        return self._keys[host]

    def pop(self, host_key: HostKey, count: int) -> list[int]:
        """Up to `count` ids of a host, best first."""
        host = self._numbers.get(host_key)
        if host is None:
            return []
        heap = self._heaps[host]
        taken = [heapq.heappop(heap) & _ID_MASK for _ in range(min(count, len(heap)))]
        self.waiting[host] = bool(heap)
        return taken

    def key(self, number: int) -> HostKey:
        """The host that has a number in `waiting`."""
        return self._keys[number]

    def numbers(self, host_keys: Iterable[HostKey]) -> list[int]:
        """The numbers of those of these hosts that have one."""
        return [self._numbers[host_key] for host_key in host_keys if host_key in self._numbers]
