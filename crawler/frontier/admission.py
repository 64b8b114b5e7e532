"""How does a URL that was met get into the SQLite frontier?

Tested by its fingerprint; if it is new it gets an id, enters its host's queue, where it can be taken at once, and the
draft of the next commit. Nothing here waits for the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.frontier.base import depth_below
from crawler.frontier.disk_queues import FreshLink
from crawler.frontier.draft import HOST_SHIFT, Draft, Extra, SeedNumbers, extra_of, row
from crawler.models import Kind
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.frontier.disk_queues import DiskQueues, HostQueue
    from crawler.frontier.host_numbers import HostNumbers
    from crawler.frontier.seen import Seen
    from crawler.models import HostKey, Link, Request

_PAGE = Kind.PAGE  # looked up once: an enumeration is slow to ask


class Admission:
    """The way in, of one crawl.

    Args:
        key: Of fingerprints.
        seen: Fingerprints of all URLs of the store.
        urls: How many there are.
        queues: Where what was admitted is taken from.
        hosts: Their numbers.
        seeds: And theirs.
    """

    def __init__(
        self, *, key: int, seen: Seen, urls: int, queues: DiskQueues, hosts: HostNumbers, seeds: SeedNumbers
    ) -> None:
        self.key = key
        self._seen = seen
        #: the id given out last
        self.last = urls
        self._queues = queues
        self._hosts = hosts
        self._seeds = seeds
        self._draft = Draft(urls + 1)
        #: fingerprints of URLs that will come with what is known of them, and not otherwise; None for none
        self.expected: Seen | None = None

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
        admitted = [False] * len(requests)
        for position, queue, request in self._admit(requests):
            level = self._queues.level(request.priority, request.depth)
            self._queues.push(queue, level | request.id, request.id, request)
            admitted[position] = True
        return admitted

    def add_taken(self, requests: Sequence[Request]) -> list[Request]:
        """Admit these; those that were new are out, and nothing is queued."""
        taken = []
        for _, queue, request in self._admit(requests):
            self._queues.hand_out(queue, request.id)
            taken.append(request)
        return taken

    def discover(self, parent: Request, links: Sequence[Link]) -> list[HostKey]:
        """Admit a page's new links; the distinct host keys that gained URLs."""
        if (expected := self.expected) is not None:
            links = [link for link in links if link.fingerprint not in expected]
        if not links:
            return []
        fingerprints = [link.fingerprint for link in links]
        new = self._seen.add_all(fingerprints)
        if not new:
            return []
        draft, get, push = self._draft, self._queues.get, self._queues.push
        depth = depth_below(parent)
        source = draft.source(depth, parent.id or parent.url, self._seeds.number(parent, draft))
        gained: dict[HostKey, None] = {}
        rows: dict[str, int] = {}
        number = self.last
        last_priority, level, low = -1, 0, 0
        for position in new:
            link = links[position]
            host_key, priority, number = link.host_key, link.priority, number + 1
            queue = get(host_key) or self._new_queue(host_key)
            gained[queue.key] = None
            if priority != last_priority:
                last_priority, level, low = priority, self._queues.level(priority, depth), row(0, priority, source)
            rows[link.url] = queue.number << HOST_SHIFT | low
            if link.context or link.kind is not _PAGE:
                draft.extras.append((number, Extra(kind=link.kind, context=link.context)))
            push(queue, level | number, number, FreshLink(link.url, queue.key, parent, link.kind, link.context))
        self.last = number
        draft.append(rows, [fingerprints[position] for position in new])
        return list(gained)

    def _admit(self, requests: Sequence[Request]) -> Iterator[tuple[int, HostQueue, Request]]:
        """Draft those of these that are new: the place of each, the queue of its host, and itself with its id."""
        fingerprints = [fingerprint(request.url, self.key) for request in requests]
        rows: dict[str, int] = {}
        new = self._new(requests, fingerprints)
        draft = self._draft
        for position in new:
            request = requests[position]
            queue = self._queues.get(request.host_key) or self._new_queue(request.host_key)
            self.last += 1
            source = draft.source(request.depth, request.via, self._seeds.number(request, draft))
            rows[request.url] = row(queue.number, request.priority, source)
            if extra := extra_of(request):
                draft.extras.append((self.last, extra))
            yield position, queue, replace(request, id=self.last, host_key=queue.key)
        if rows:
            draft.append(rows, [fingerprints[position] for position in new])

    def _new(self, requests: Sequence[Request], fingerprints: Sequence[int]) -> Sequence[int]:
        """The places of those that were not met before; what is expected is met when it comes as it should."""
        if (expected := self.expected) is None:
            return self._seen.add_all(fingerprints)
        pairs = zip(requests, fingerprints, strict=True)
        places = [at for at, (request, mark) in enumerate(pairs) if request.known is not None or mark not in expected]
        return [places[at] for at in self._seen.add_all([fingerprints[place] for place in places])]

    def _new_queue(self, host_key: HostKey) -> HostQueue:
        return self._queues.make(host_key, self._hosts.number(host_key))
