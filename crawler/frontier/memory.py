"""What is left to fetch, for a crawl that fits in memory and need not outlive its process.

Behaves as a frontier with a disk does: `MemoryStore` stands for the disk and changes only in `commit` and
`requeue`; dropping a `MemoryFrontier` and opening another on the same store is a crash and a restart.

Theory of operation. A URL's id is its place in order of discovery, from 1. Its row is its `Request` while it is
pending and its `Finished` afterwards; rows not committed yet wait in `_fresh`. Ids that can be taken wait in
`HostQueues`, in the bands of `order`. Snoozed ids wait in one heap by time and enter their host's queue once `wake`
finds them due.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.frontier.base import depth_below
from crawler.frontier.host_queues import HostQueues
from crawler.frontier.memory_store import MemoryStore
from crawler.frontier.order import DUE, Order
from crawler.frontier.seen import Seen
from crawler.models import Counts, Finished, HostState, Outcome, Request, Restored
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from crawler.clock import Clock
    from crawler.models import Checkpoint, HostKey, Link, RobotsFile

_HOSTS_AT_ONCE = 1_000


class MemoryFrontier:
    """All URLs of one crawl, in this process's memory: 0.4 KB each.

    Args:
        clock: Tells the time.
        store: What is committed; empty by default.
        deepest_first: Of URLs of the same priority, whether those that lie deepest are taken first.
    """

    def __init__(self, clock: Clock, store: MemoryStore | None = None, *, deepest_first: bool = False) -> None:
        self._clock = clock
        self._store = store or MemoryStore()
        self._order = Order(deepest_first=deepest_first)
        self._seen = Seen()
        self._fresh: list[Request] = []
        self._cut: int | None = None  # how many of them the next commit stores, where it was cut before
        self._queues = HostQueues()
        self._snoozed: list[tuple[float, int]] = []
        self._outcomes: Counter[Outcome] = Counter()
        self._ids: dict[str, int] = {}  # by URL, of all rows up to its length; filled when first asked for

    async def open(self) -> Restored:
        """Queue whatever the store holds that has no end yet."""
        store = self._store
        self._seen.add_all([fingerprint(_request(row).url, store.key) for row in store.rows])
        for number, row in enumerate(store.rows, 1):
            if isinstance(row, Finished):
                self._outcomes[row.outcome] += 1
            elif number in store.snoozed:
                heapq.heappush(self._snoozed, (store.snoozed[number], number))
            else:
                self._queues.push(row.host_key, self._order.band(row.priority, row.depth), number)
        return Restored(positions=dict(store.positions), counters=dict(store.counters), blobs=dict(store.blobs))

    @property
    def key(self) -> int:
        """The crawl's own random 64-bit fingerprint key."""
        return self._store.key

    def add(self, requests: Sequence[Request]) -> list[bool]:
        """Admit seeds and redirect targets; True where the URL was new."""
        admitted = [False] * len(requests)
        for position in self._new(requests):
            request = requests[position]
            number = self._next_id()
            host_key = self._queues.push(request.host_key, self._order.band(request.priority, request.depth), number)
            self._fresh.append(replace(request, id=number, host_key=host_key))
            admitted[position] = True
        return admitted

    def add_taken(self, requests: Sequence[Request]) -> list[Request]:
        """Admit these and hand out those that were new."""
        taken = []
        for position in self._new(requests):
            taken.append(replace(requests[position], id=self._next_id()))
            self._fresh.append(taken[-1])
        return taken

    def discover(self, parent: Request, links: Sequence[Link]) -> list[HostKey]:
        """Admit a page's new links; the distinct host keys that gained URLs."""
        depth = depth_below(parent)
        gained: dict[HostKey, None] = {}
        for position in self._seen.add_all([link.fingerprint for link in links]):
            link = links[position]
            number = self._next_id()
            host_key = self._queues.push(link.host_key, self._order.band(link.priority, depth), number)
            request = Request(
                url=link.url,
                host_key=host_key,
                scope_host=parent.scope_host,
                depth=depth,
                via=parent.url,
                seed=parent.seed,
                kind=link.kind,
                priority=link.priority,
                context=link.context,
                id=number,
            )
            self._fresh.append(request)
            gained[host_key] = None
        return list(gained)

    def expect_nothing(self) -> None:
        """Nothing is expected here: what ends with its process is never crawled again."""

    @property
    def uncommitted(self) -> int:
        """URLs admitted since the last commit."""
        return len(self._fresh) - (self._cut or 0)

    async def wake(self) -> tuple[list[HostKey], float | None]:
        """Make snoozed URLs takeable whose time has come; the hosts that gained some, and when more are due."""
        now = self._clock.monotonic()
        gained: dict[HostKey, None] = {}
        while self._snoozed and self._snoozed[0][0] <= now:
            _, number = heapq.heappop(self._snoozed)
            gained[self._queues.push(self._request(number).host_key, DUE, number)] = None
        return list(gained), self._snoozed[0][0] if self._snoozed else None

    async def take(self, wanted: Sequence[tuple[HostKey, int]]) -> list[Request]:
        """Hand out up to n URLs for each host: woken ones, then by priority, depth and age."""
        return [self._request(number) for host_key, count in wanted for number in self._queues.pop(host_key, count)]

    def cut(self) -> None:
        """Leave URLs admitted from now on to the commit after the next one."""
        self._cut = len(self._fresh)

    async def commit(self, checkpoint: Checkpoint) -> None:
        """Make `checkpoint` and every URL admitted so far part of the store.

        Raises:
            FrontierError: A request in it was never admitted, is in it twice, or has ended before.
        """
        self._check(checkpoint)
        store = self._store
        last, self._cut = len(self._fresh) if self._cut is None else self._cut, None
        store.rows += self._fresh[:last]
        del self._fresh[:last]
        for finished in checkpoint.finished:
            number = finished.request.id
            store.rows[number - 1] = finished
            store.snoozed.pop(number, None)
            self._outcomes[finished.outcome] += 1
        for snoozed in checkpoint.snoozed:
            number = snoozed.request.id
            store.rows[number - 1] = snoozed.request
            store.snoozed[number] = snoozed.until
            heapq.heappush(self._snoozed, (snoozed.until, number))
        store.update(checkpoint)
        self._queues.waiting.look_again(self._queues.numbers(state.host_key for state in checkpoint.hosts))

    async def hosts(
        self, ready_before: float, cursor: int, limit: int, pages_below: int | None = None
    ) -> tuple[list[HostState], int]:
        """Up to `limit` hosts with takeable URLs that are ready and below a number of pages; the next cursor."""
        found: list[HostState] = []
        waiting = self._queues.waiting
        waiting.judge_by(pages_below)
        for looked_at, number in enumerate(waiting.going_round(cursor), 1):
            if len(found) == limit:
                break
            cursor = number + 1
            host_key = self._queues.key(number)
            state = self._store.hosts.get(host_key) or HostState(host_key=host_key)
            if pages_below is not None and state.pages >= pages_below and not state.retired:
                waiting.set_aside([number])
            elif state.ready_at <= ready_before:
                found.append(state)
            if looked_at % _HOSTS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return found, cursor

    async def host(self, host_key: HostKey) -> HostState | None:
        """The committed state of one host."""
        return self._store.hosts.get(host_key)

    async def robots(self, origin: str) -> RobotsFile | None:
        """The committed robots verdict of an origin."""
        return self._store.robots.get(origin)

    async def find(self, urls: Sequence[str]) -> list[Finished | None]:
        """How each canonical URL ended. The first call indexes all URLs known by then."""
        ends = []
        for url in urls:
            number = self._number(url)
            row = self._store.rows[number - 1] if number else None
            ends.append(row if isinstance(row, Finished) else None)
        return ends

    async def requeue(self, urls: AsyncIterable[Sequence[str]], checkpoint: Checkpoint) -> int:
        """Make ended URLs pending again, as if never tried; the number of them."""
        numbers = {self._number(url): None async for batch in urls for url in batch}
        store = self._store
        hosts: Counter[HostKey] = Counter()  # with the number of pages each loses
        requeued = 0
        for number in numbers:
            row = store.rows[number - 1] if number else None
            if isinstance(row, Finished):
                request = store.rows[number - 1] = replace(row.request, attempt=1)
                self._outcomes[row.outcome] -= 1
                self._queues.push(request.host_key, self._order.band(request.priority, request.depth), number)
                hosts[request.host_key] += row.has_page
                requeued += 1
        store.update(checkpoint)
        store.forgive(hosts)
        self._queues.waiting.look_again(self._queues.numbers(state.host_key for state in checkpoint.hosts))
        return requeued

    def counts(self) -> Counts:
        """Admitted, pending and ended; a URL has ended once its checkpoint is committed."""
        admitted = len(self._store.rows) + len(self._fresh)
        outcomes = {outcome: self._outcomes[outcome] for outcome in Outcome}
        return Counts(admitted=admitted, pending=admitted - sum(outcomes.values()), outcomes=outcomes)

    async def aclose(self) -> None:
        """Nothing to release: what was not committed goes with this object."""

    def _new(self, requests: Sequence[Request]) -> list[int]:
        """The places of those that were not met before."""
        return self._seen.add_all([fingerprint(request.url, self._store.key) for request in requests])

    def _next_id(self) -> int:
        return len(self._store.rows) + len(self._fresh) + 1

    def _number(self, url: str) -> int:
        """The id of a committed URL, 0 if there is none."""
        rows = self._store.rows
        for number in range(len(self._ids) + 1, len(rows) + 1):
            self._ids[_request(rows[number - 1]).url] = number
        return self._ids.get(url, 0)

    def _request(self, number: int) -> Request:
        """The request of an id that was given out."""
        committed = len(self._store.rows)
        return _request(self._store.rows[number - 1]) if number <= committed else self._fresh[number - committed - 1]

    def _is_pending(self, number: int) -> bool:
        rows = self._store.rows
        return 0 < number < self._next_id() and not (number <= len(rows) and isinstance(rows[number - 1], Finished))

    def _check(self, checkpoint: Checkpoint) -> None:
        """Refuse a checkpoint that would end or move a URL twice, before anything of it is stored."""
        requests = [*(item.request for item in checkpoint.finished), *(item.request for item in checkpoint.snoozed)]
        for request in requests:
            if not self._is_pending(request.id):
                raise FrontierError(f"checkpoint ends or snoozes {request.url}, id {request.id}, which is not pending")
        if len({request.id for request in requests}) != len(requests):
            raise FrontierError("checkpoint names a URL twice")


def _request(row: Request | Finished) -> Request:
    return row.request if isinstance(row, Finished) else row
