"""Which URL of a host comes next, where most queues are on disk?

Theory of operation. A URL is identified by its id and waits under a *key*: its band (`order`) over its
id. Lowest key first; snoozed URLs that are due have a band below all others. Of a host that has something in
memory there is a `HostQueue`: a heap of keys, and a lower bound of the keys that are in chunks on disk only. While
the heap's first key is below the bound it is the next one of all; else the next chunk is read into the heap. Of all
other hosts there is one byte, which says whether they have chunks.

What queued ids stand for is in `_fresh` while they are above the watermark; all others are read when they are taken.
Those that have come from a chunk are in `_read`. What has been handed out and has not ended is in `out`. A chunk on
disk lists all of these still: it is read without what is in memory or out, so that nothing is handed out twice.
Forgetting a queue loses nothing for the same reason: its chunks are read anew, from the first one on.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import msgspec

from crawler.errors import FrontierError
from crawler.frontier.base import depth_below
from crawler.frontier.order import DUE
from crawler.frontier.waiting import WaitingHosts
from crawler.models import HostKey, Kind, Request, Url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from crawler.frontier.order import Order
    from crawler.frontier.sqlite_reader import Chunk

_ID_BITS = 40
_ID_MASK = (1 << _ID_BITS) - 1
_DUE_END = (DUE + 1) << _ID_BITS  # keys below it are of due ids
_UNREAD = 0  # as a bound: chunks may hold any key
_NOTHING = 1 << 90  # as a bound: no chunk holds any
_READ_AHEAD = 2
_START = (-1, -1, -1)  # a place before all chunks


class FreshLink(msgspec.Struct, frozen=True, gc=False):
    """A link that was admitted of late. Hundreds of thousands of them are nothing to the garbage collector."""

    url: Url
    host_key: HostKey
    parent: Request  #: of the page it is on
    kind: Kind
    context: bytes


class Chunks(Protocol):
    """Where chunks and requests are read from."""

    def chunks(self, host: int, after: tuple[int, int, int], limit: int) -> Sequence[Chunk]:
        """The first chunks of a host after the place of another one: its priority, depth and first id."""
        ...

    def requests(self, ids: Collection[int]) -> Iterable[Request]:
        """The requests of stored ids."""
        ...


class HostQueue(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """What is in memory of one host's queue. Not for the garbage collector either: it can be in no cycle."""

    key: HostKey
    number: int
    #: no key that is on disk only is lower
    bound: int
    #: fresh ids above it are in the heap
    floor: int
    heap: list[int] = []
    #: place of the last chunk that has nothing left to read
    after: tuple[int, int, int] = _START


class DiskQueues:
    """The ids that can be taken, by host.

    Args:
        chunks: The store, which reads in the same order.
        order: Which URL comes first.
        window_urls: How many ids read from it to hold at most.
    """

    def __init__(self, chunks: Chunks, order: Order, window_urls: int) -> None:
        self._chunks = chunks
        self._order = order
        self._window_urls = window_urls
        self._queues: dict[HostKey, HostQueue] = {}
        #: the queue of a host that has something in memory, or None
        self.get = self._queues.get
        self.waiting = WaitingHosts()
        self._fresh: dict[int, Request | FreshLink] = {}
        self._read: set[int] = set()
        self._read_hosts: OrderedDict[HostKey, None] = OrderedDict()  # longest ago first
        #: ids handed out that have not ended
        self.out: set[int] = set()
        #: the last id that is in a chunk, unless it has ended or is snoozed
        self.watermark = 0

    def restore(self, hosts: int, waiting: Collection[int], watermark: int) -> None:
        """Go on from a store of `hosts` hosts, of which those numbered in `waiting` have chunks."""
        self.waiting.extend(bytes(hosts + 1))
        self.watermark = watermark
        self.reread(waiting)

    def reread(self, hosts: Collection[int]) -> None:
        """The chunks of these hosts, by number, are new."""
        for number in hosts:
            self.waiting[number] = 1
        affected = frozenset(hosts)
        for queue in self._queues.values():
            if queue.number in affected:
                queue.bound = _UNREAD
                queue.after = _START

    def make(self, key: HostKey, number: int) -> HostQueue:
        """A queue for a host that has none."""
        if number >= len(self.waiting):
            self.waiting.extend(bytes(number + 1 - len(self.waiting)))
        bound = _UNREAD if self.waiting[number] else _NOTHING
        queue = self._queues[key] = HostQueue(key=key, number=number, bound=bound, floor=self.watermark)
        return queue

    def level(self, priority: int, depth: int) -> int:
        """The part of a key that comes above the id."""
        return self._order.band(priority, depth) << _ID_BITS

    def push(self, queue: HostQueue, key: int, number: int, fresh: Request | FreshLink) -> None:
        """Queue what has just been admitted, under a key made of its `level` and its id."""
        heapq.heappush(queue.heap, key)
        self.waiting[queue.number] = 1
        self._fresh[number] = fresh

    def hand_out(self, queue: HostQueue, number: int) -> None:
        """An id that was never queued is out."""
        self.out.add(number)
        self._settle(queue)

    def push_due(self, queue: HostQueue, number: int) -> None:
        """Queue a snoozed id whose time has come."""
        heapq.heappush(queue.heap, number)
        self.waiting[queue.number] = 1

    def pop(self, queue: HostQueue, count: int) -> list[int]:
        """Hand out the keys of up to `count` URLs of a host, best first; `requests` has to follow."""
        heap = queue.heap
        keys: list[int] = []
        while len(keys) < count:
            if heap and heap[0] < queue.bound:
                keys.append(heapq.heappop(heap))
            elif queue.bound == _NOTHING:
                break
            else:
                self._read_on(queue)
        self.out.update(key & _ID_MASK for key in keys)
        self._settle(queue)
        return keys

    def requests(self, keys: Sequence[int]) -> list[Request]:
        """What was handed out under these keys, in their order."""
        ids = [key & _ID_MASK for key in keys]
        self._read.difference_update(ids)
        requests: dict[int, Request] = {}
        stored: list[int] = []
        for number, key in zip(ids, keys, strict=True):
            fresh = self._fresh.pop(number, None)
            if fresh is None:
                stored.append(number)
            else:
                requests[number] = self._request(fresh, key)
        if stored:
            requests.update((request.id, request) for request in self._chunks.requests(stored))
        return [requests[number] for number in ids]

    def check_out(self, requests: Iterable[Request]) -> None:
        """Refuse what would end or move a URL twice. Raises a `FrontierError`."""
        named: set[int] = set()
        for request in requests:
            if request.id not in self.out:
                raise FrontierError(f"checkpoint ends or snoozes {request.url}, id {request.id}, which is not out")
            if request.id in named:
                raise FrontierError(f"checkpoint names {request.url} twice")
            named.add(request.id)

    def __len__(self) -> int:
        """How many hosts have something in memory."""
        return len(self._queues)

    def keys(self) -> list[HostKey]:
        """The hosts that have something in memory."""
        return list(self._queues)

    def forget(self, key: HostKey) -> None:
        """Drop from memory what chunks hold of a host: all up to the watermark but for what is due or out."""
        queue = self._queues.get(key)
        if queue is None:
            return
        queue.floor = self.watermark
        kept = [entry for entry in queue.heap if entry < _DUE_END or entry & _ID_MASK > self.watermark]
        if key in self._read_hosts:
            self._read.difference_update(entry & _ID_MASK for entry in queue.heap)
        if len(kept) < len(queue.heap) or queue.bound != _NOTHING:
            heapq.heapify(kept)
            queue.heap = kept
            queue.bound = _UNREAD
            queue.after = _START
        self._read_hosts.pop(key, None)
        self._settle(queue)

    def fresh(self) -> list[int]:
        """The ids of what was admitted of late."""
        return list(self._fresh)

    def drop(self, ids: Iterable[int]) -> None:
        """Drop what these fresh ids stand for, up to the watermark, once each queue was told to `forget`."""
        for number in ids:
            if number <= self.watermark:
                self._fresh.pop(number, None)

    def _settle(self, queue: HostQueue) -> None:
        """Note whether there is something to take, and drop a queue that knows nothing worth knowing."""
        self.waiting[queue.number] = bool(queue.heap) or queue.bound != _NOTHING
        if not queue.heap and queue.bound in (_NOTHING, _UNREAD):
            del self._queues[queue.key]
            self._read_hosts.pop(queue.key, None)

    def _read_on(self, queue: HostQueue) -> None:
        """Read the next chunk that has anything to take, and learn where the one after it begins."""
        filled = False
        more = True
        while more:
            chunks = self._chunks.chunks(queue.number, queue.after, _READ_AHEAD)
            more = len(chunks) == _READ_AHEAD
            for chunk in chunks:
                ids = [number for number in chunk.ids if self._is_unread(number, queue.floor)]
                level = self.level(chunk.priority, chunk.depth)
                if ids and filled:
                    queue.bound = level | min(ids)
                    return
                if ids:
                    self._fill(queue, ids, level)
                    filled = True
                queue.after = (chunk.priority, chunk.depth, chunk.first)
        queue.bound = _NOTHING

    def _is_unread(self, number: int, floor: int) -> bool:
        return not (number in self.out or number in self._read or (number > floor and number in self._fresh))

    def _fill(self, queue: HostQueue, ids: Sequence[int], level: int) -> None:
        self._read.update(ids)
        queue.heap += [level | number for number in ids]
        heapq.heapify(queue.heap)
        self._read_hosts[queue.key] = None
        self._read_hosts.move_to_end(queue.key)
        while max(len(self._read), len(self._read_hosts)) > self._window_urls and len(self._read_hosts) > 1:
            self.forget(next(iter(self._read_hosts)))

    def _request(self, fresh: Request | FreshLink, key: int) -> Request:
        """What was admitted under this key."""
        if isinstance(fresh, Request):
            return fresh
        parent = fresh.parent
        return Request(
            url=fresh.url,
            host_key=fresh.host_key,
            scope_host=parent.scope_host,
            depth=depth_below(parent),
            via=parent.url,
            seed=parent.seed,
            kind=fresh.kind,
            priority=self._order.priority(key >> _ID_BITS),
            context=fresh.context,
            id=key & _ID_MASK,
        )
