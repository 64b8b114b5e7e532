"""How does a URL that was met get in: into a partition that is held, or to whoever holds it?

Most links of a page were met a moment ago, which is looked at first, whoever they belong to. A new one of a partition
that is held gets its number and can be taken at once. One of another partition is *posted*: it goes into that
partition's inbox with the next commit, before anything ends that led to it. What was posted of late is not posted
again; the inbox's owner finds out what else it knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.fleet.partitions import partition_of
from crawler.frontier.base import depth_below
from crawler.frontier.redis_ids import partition_of_id
from crawler.frontier.redis_seen import Lately
from crawler.models import Request
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.fleet.models import Posted
    from crawler.frontier.order import Order
    from crawler.frontier.redis_held import Held
    from crawler.frontier.redis_partition import Partition
    from crawler.models import HostKey, Link

_LATELY = 50_000


class Admission:
    """The way in, of one worker.

    Args:
        held: The partitions that are held.
        key: Of fingerprints.
        order: Which URL comes first.
    """

    def __init__(self, held: Held, key: int, order: Order) -> None:
        self.key = key
        self._held = held
        self._order = order
        self._lately = Lately(_LATELY)
        #: for others, by partition
        self.outbox: dict[int, list[Request]] = {}
        #: partitions with something in their draft
        self.drafted: dict[Partition, None] = {}
        #: URLs that were admitted or posted since the last cut
        self.uncut = 0

    def discover(self, parent: Request, links: Sequence[Link]) -> list[HostKey]:
        """Admit or post a page's new links; the distinct host keys that gained URLs here."""
        recent, older = self._lately.recent, self._lately.older
        held, total = self._held.get, self._held.total
        depth, parents = depth_below(parent), partition_of_id(parent.id)
        scope_host, via, seed = parent.scope_host, parent.url, parent.seed
        gained: dict[HostKey, None] = {}
        last_priority, band = -1, 0
        admitted = 0
        for link in links:
            mark = link.fingerprint
            if mark in recent or mark in older:
                continue
            recent.add(mark)
            host_key, priority = link.host_key, link.priority
            index = partition_of(host_key, total)
            partition, request_id = held(index), 0
            if partition is not None and partition.is_leaving:
                if mark in partition.seen:
                    continue
                partition = None
            if partition is not None:
                if not partition.seen.add(mark):
                    continue
                number = partition.last = partition.last + 1
                request_id = partition.base | number
                if priority != last_priority:
                    last_priority, band = priority, self._order.band(priority, depth)
                host_key = partition.queues.push(host_key, band, number)
                gained[host_key] = None
            request = Request(
                url=link.url,
                host_key=host_key,
                scope_host=scope_host,
                depth=depth,
                via=via,
                seed=seed,
                kind=link.kind,
                priority=priority,
                context=link.context,
                id=request_id,
            )
            if partition is None:
                self._post(index, request)
                continue
            admitted += 1
            if not partition.draft:
                self.drafted[partition] = None
            partition.draft.append(request)
            if index != parents:
                partition.draft_is_shared = True
        self._held.admitted += admitted
        self.uncut += admitted
        self._lately.turn()
        return list(gained)

    def add(self, requests: Sequence[Request]) -> list[bool]:
        """Admit or post seeds and redirect targets; True where one was new here."""
        return [self._add(request) is not None for request in requests]

    def add_taken(self, requests: Sequence[Request]) -> list[Request]:
        """Admit these; those that were new here are out, and nothing is queued."""
        taken = (self._add(request, is_out=True) for request in requests)
        return [request for request in taken if request is not None]

    def receive(self, partition: Partition, post: Posted) -> dict[HostKey, None]:
        """Admit what was posted to a partition; the hosts that gained some. It stays in the inbox until that is stored,
        whatever becomes of the pages that it was found on."""
        gained: dict[HostKey, None] = {}
        for request in post.requests:
            if partition.seen.add(fingerprint(request.url, self.key)):
                gained[self._admit(partition, request).host_key] = None
        partition.inbox_read = post.id
        self.drafted[partition] = None
        return gained

    def adopt(self, partition: Partition) -> dict[HostKey, None]:
        """Admit what was to be posted to a partition that is held by now; the hosts that gained some."""
        posts = self.outbox.pop(partition.index, ())
        self.uncut -= len(posts)
        new = [request for request in posts if self._add(request) is not None]
        return dict.fromkeys(request.host_key for request in new)

    def post(self, index: int, requests: Iterable[Request]) -> None:
        """Have these go to a partition with the next commit."""
        for request in requests:
            self._post(index, request if request.id == 0 else replace(request, id=0))

    def forget_lately(self) -> None:
        """A partition has gone: what was met of it may have to be met again."""
        self._lately.clear()

    def cut(self) -> tuple[list[Partition], dict[int, list[Request]]]:
        """What the next commit has to store: drafts, which are cut, and posts."""
        drafted, self.drafted = [one for one in self.drafted if not one.is_gone], {}
        for partition in drafted:
            partition.cut()
        outbox, self.outbox = self.outbox, {}
        self.uncut = 0
        return drafted, outbox

    def _add(self, request: Request, *, is_out: bool = False) -> Request | None:
        """Admit or post one; what was admitted."""
        mark = fingerprint(request.url, self.key)
        index = self._held.index(request.host_key)
        partition = self._held.get(index)
        if partition is None or partition.is_leaving:
            if mark not in self._lately and not (partition is not None and mark in partition.seen):
                self._lately.add(mark)
                self._post(index, request)
            return None
        if not partition.seen.add(mark):
            return None
        partition.draft_is_shared = True
        return self._admit(partition, request, is_out=is_out)

    def _admit(self, partition: Partition, request: Request, *, is_out: bool = False) -> Request:
        number = partition.last = partition.last + 1
        host_key = request.host_key
        if is_out:
            partition.out.add(number)
        else:
            host_key = partition.queues.push(host_key, self._order.band(request.priority, request.depth), number)
        request = replace(request, host_key=host_key, id=partition.base | number)
        if not partition.draft:
            self.drafted[partition] = None
        partition.draft.append(request)
        self._held.admitted += 1
        self.uncut += 1
        return request

    def _post(self, index: int, request: Request) -> None:
        self.outbox.setdefault(index, []).append(request)
        self.uncut += 1
