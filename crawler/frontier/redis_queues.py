"""Which URL of a host comes next, in a partition that is held?

Numbers wait in *fifos*, one for each band (`order`) of a host, in arrays of 32-bit integers: what was found first has
the lowest number and goes first. Snoozed ones that are due have a band before all others. Hosts have a place in
`Places` while something of them waits, wherever they are from: rounds go over these.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left

import msgspec

from crawler.frontier.waiting import WaitingHosts
from crawler.models import HostKey

_TRIM = 64


class Fifo(msgspec.Struct, eq=False, gc=False):
    """Numbers of one band of one host. In no cycle, so that the collector need not look at a million of them."""

    numbers: array[int]
    head: int = 0  #: those before it are gone

    def pop(self) -> int:
        """The next one, of which there has to be one."""
        number = self.numbers[self.head]
        self.head += 1
        if self.head >= _TRIM and self.head * 2 >= len(self.numbers):
            del self.numbers[: self.head]
            self.head = 0
        return number

    def insert(self, number: int) -> None:
        """Put one back to its place."""
        self.numbers.insert(bisect_left(self.numbers, number, self.head), number)

    def __bool__(self) -> bool:
        return self.head < len(self.numbers)


class HostQueue(msgspec.Struct, eq=False, gc=False):
    """What waits of one host: 250 bytes, and 4 for each number; gone when nothing waits any more."""

    key: HostKey
    partition: int
    place: int
    band: int  #: the lowest one that has numbers
    fifo: Fifo  #: of it
    more: dict[int, Fifo] | None = None  #: of higher bands


class Places:
    """A place for each host of which something waits."""

    def __init__(self) -> None:
        self.waiting = WaitingHosts()
        self._queues: list[HostQueue | None] = []
        self._free: list[int] = []

    def take(self, queue: HostQueue) -> int:
        """A place for this one."""
        if self._free:
            place = self._free.pop()
            self._queues[place] = queue
            self.waiting[place] = 1
            return place
        self._queues.append(queue)
        self.waiting.append(1)
        return len(self._queues) - 1

    def leave(self, place: int) -> None:
        """The one there has gone."""
        self._queues[place] = None
        self.waiting[place] = 0
        self._free.append(place)

    def at(self, place: int) -> HostQueue:
        """The one at a place that is taken."""
        return self._queues[place]  # type: ignore[return-value]


class HostQueues:
    """Those of one partition.

    Args:
        partition: Its number.
        places: Of the hosts of all partitions.
    """

    __slots__ = ("_partition", "_places", "by_host")

    def __init__(self, partition: int, places: Places) -> None:
        self._partition = partition
        self._places = places
        self.by_host: dict[HostKey, HostQueue] = {}

    def push(self, host_key: HostKey, band: int, number: int) -> HostKey:
        """Queue a number above all that its band ever had, or one that is due; the one string kept for this host."""
        queue = self.by_host.get(host_key)
        if queue is None:
            return self._make(host_key, band, number)
        if queue.band == band:
            queue.fifo.numbers.append(number)
        else:
            self._fifo(queue, band).numbers.append(number)
        return queue.key

    def put_back(self, host_key: HostKey, band: int, number: int) -> None:
        """Queue a number where it was before it was taken."""
        queue = self.by_host.get(host_key)
        if queue is None:
            self._make(host_key, band, number)
        else:
            self._fifo(queue, band).insert(number)

    def pop(self, host_key: HostKey, count: int) -> list[int]:
        """Up to `count` numbers of a host, best first."""
        queue = self.by_host.get(host_key)
        numbers: list[int] = []
        if queue is None:
            return numbers
        while len(numbers) < count:
            numbers.append(queue.fifo.pop())
            if not queue.fifo and not self._go_on(queue):
                del self.by_host[host_key]
                self._places.leave(queue.place)
                break
        return numbers

    def hide(self) -> None:
        """Take all hosts out of the rounds, for good."""
        for queue in self.by_host.values():
            self._places.leave(queue.place)
        self.by_host = {}

    def look_again(self, host_key: HostKey) -> None:
        """Something else is stored of this host."""
        queue = self.by_host.get(host_key)
        if queue is not None:
            self._places.waiting.look_again((queue.place,))

    def _make(self, host_key: HostKey, band: int, number: int) -> HostKey:
        host_key = HostKey(sys.intern(host_key))  # one string for all of its requests, and its state
        queue = HostQueue(host_key, self._partition, 0, band, Fifo(array("I", (number,))))
        queue.place = self._places.take(queue)
        self.by_host[host_key] = queue
        return host_key

    def _fifo(self, queue: HostQueue, band: int) -> Fifo:
        """That of a band, for something to be added to it."""
        if band == queue.band:
            return queue.fifo
        more = queue.more = queue.more or {}
        if band < queue.band:
            more[queue.band] = queue.fifo
            queue.band, queue.fifo = band, Fifo(array("I"))
            return queue.fifo
        return more.setdefault(band, Fifo(array("I")))

    def _go_on(self, queue: HostQueue) -> bool:
        """To the next band; False if there is none."""
        if not queue.more:
            return False
        queue.band = min(queue.more)
        queue.fifo = queue.more.pop(queue.band)
        queue.more = queue.more or None
        return True
