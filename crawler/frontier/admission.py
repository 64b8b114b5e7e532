"""How does a URL that was met get into the SQLite frontier?

Tested by its fingerprint; if it is new it gets an id, enters its host's queue, where it can be taken at once, and the
draft of the next commit. Nothing here waits for the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.frontier.draft import Draft, Row, SeedNumbers, extra_of
from crawler.models import Request
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.frontier.disk_queues import DiskQueues, HostQueue
    from crawler.frontier.host_numbers import HostNumbers
    from crawler.frontier.seen import Seen
    from crawler.models import HostKey, Link


class Admission:
    """The way in, of one crawl.

    Args:
        queues: Where what was admitted is taken from.
        numbers: Of hosts.
        seeds: Numbers of seeds.
    """

    def __init__(self, queues: DiskQueues, numbers: HostNumbers, seeds: SeedNumbers) -> None:
        self._queues = queues
        self._numbers = numbers
        self._seeds = seeds
        self._seen: Seen
        self._draft = Draft(1)
        #: of fingerprints
        self.key: int
        #: the id given out last
        self.last = 0

    def restore(self, key: int, seen: Seen, urls: int, seeds: int) -> None:
        """Go on from a store of so many URLs and seeds."""
        self.key = key
        self._seen = seen
        self.last = urls
        self._draft = Draft(urls + 1)
        self._seeds.count = seeds

    @property
    def committing(self) -> int:
        """The last id that was in a draft handed over."""
        return self._draft.first - 1

    def cut(self) -> Draft:
        """Hand over all that was admitted since the last time."""
        draft, self._draft = self._draft, Draft(self.last + 1)
        return draft

    def add(self, requests: Sequence[Request]) -> list[bool]:
        """Admit seeds and redirect targets; True where the URL was new."""
        fingerprints = [fingerprint(request.url, self.key) for request in requests]
        admitted = [False] * len(requests)
        rows: list[Row] = []
        new = self._seen.add_all(fingerprints)
        for position in new:
            request = requests[position]
            queue = self._queues.get(request.host_key) or self._new_queue(request.host_key)
            self.last += 1
            self._queues.push(queue, replace(request, id=self.last, host_key=queue.key))
            seed = self._seeds.number(request, self._draft)
            row = (queue.number, request.priority, request.depth, request.via, seed, request.url)
            extra = extra_of(request)
            rows.append((*row, extra) if extra else row)
            admitted[position] = True
        if rows:
            self._draft.append(rows, [fingerprints[position] for position in new])
        return admitted

    def discover(self, parent: Request, links: Sequence[Link]) -> list[HostKey]:
        """Admit a page's new links; the distinct host keys that gained URLs."""
        fingerprints = [link.fingerprint for link in links]
        new = self._seen.add_all(fingerprints)
        if not new:
            return []
        depth = parent.depth + 1
        via = parent.id or parent.url
        seed = self._seeds.number(parent, self._draft)
        gained: dict[HostKey, None] = {}
        rows: list[Row] = []
        get, push = self._queues.get, self._queues.push
        for position in new:
            link = links[position]
            queue = get(link.host_key) or self._new_queue(link.host_key)
            self.last += 1
            request = Request(
                url=link.url,
                host_key=queue.key,
                scope_host=parent.scope_host,
                depth=depth,
                via=parent.url,
                seed=parent.seed,
                priority=link.priority,
                context=link.context,
                id=self.last,
            )
            push(queue, request)
            row = (queue.number, link.priority, depth, via, seed, link.url)
            rows.append((*row, extra_of(request)) if link.context else row)
            gained[queue.key] = None
        self._draft.append(rows, [fingerprints[position] for position in new])
        return list(gained)

    def _new_queue(self, host_key: HostKey) -> HostQueue:
        return self._queues.make(host_key, self._numbers.number(host_key))
