"""How did URLs end, given their text, and how do they become pending again?

There is no index by text: the ledgers of the partitions are gone through that the URLs are in. What asks for this is a
crawl at its end, or before it begins, never while it runs.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.frontier.redis_ids import number_of_id
from crawler.frontier.redis_load import AT_ONCE_S
from crawler.models import Snoozed
from crawler.url import Url, host_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from crawler.fleet.store import PartitionStore
    from crawler.frontier.order import Order
    from crawler.frontier.redis_change import Parts
    from crawler.frontier.redis_held import Held
    from crawler.frontier.redis_hosts import Hosts
    from crawler.frontier.redis_partition import Partition
    from crawler.models import Finished, HostKey, Request


class Again:
    """Questions to one store.

    Args:
        store: Has the ledgers.
        held: The partitions that are held.
        hosts: What is stored of their hosts.
        order: Which URL comes first.
    """

    def __init__(self, store: PartitionStore, held: Held, hosts: Hosts, order: Order) -> None:
        self._store = store
        self._held = held
        self._hosts = hosts
        self._order = order

    async def find(self, urls: Sequence[str]) -> list[Finished | None]:
        """How each of these ended; None where no end is stored."""
        found = await self._ends(urls)
        return [found[url][1] if url in found else None for url in urls]

    async def requeue(self, urls: Collection[str], parts: Parts) -> list[Finished]:
        """Have those of these that have ended become pending again with what is to be stored, as if never tried; how
        they had ended."""
        ends = list((await self._ends(urls)).values())
        pages: Counter[HostKey] = Counter()
        for row, end in ends:
            pages[row.host_key] += end.has_page
            part = parts.of(self._partition(row.host_key))
            part.requeued.append((row.id, end.outcome, end.reason))
            if row.attempt != 1:  # as it was admitted
                part.snoozed.append((row.id, Snoozed(request=replace(row, attempt=1), until=AT_ONCE_S)))
        for host, count in pages.items():
            self._forgive(host, count, parts)
        for partition in self._held:
            if closed := self._hosts.closed(partition):
                parts.of(partition).forgotten += (file.origin for file in closed)
        return [end for _, end in ends]

    def requeued(self, ends: Iterable[Finished]) -> None:
        """That is stored."""
        for end in ends:
            request = end.request
            partition = self._partition(request.host_key)
            self._held.take_back(partition, end.outcome)
            band = self._order.band(request.priority, request.depth)
            partition.queues.put_back(request.host_key, band, number_of_id(request.id))

    def _forgive(self, host: HostKey, pages: int, parts: Parts) -> None:
        """Forget what a host is blamed for, and so many of its pages."""
        partition = self._partition(host)
        state = self._hosts.stored(partition, host)
        given = [one for one in parts.of(partition).hosts if one.host_key == host]
        if given:
            state = given[-1]
        if state is not None:
            forgiven = replace(
                state,
                failures=0,
                retired=None,
                backoff_s=0.0,
                ready_at=0.0 if state.retired else state.ready_at,
                pages=max(state.pages - pages, 0),
            )
            parts.of(partition).hosts.append(forgiven)

    def _partition(self, host: HostKey) -> Partition:
        partition = self._held.of(host)
        if partition is None:
            raise FrontierError(f"the partition of {host} is not held")
        return partition

    async def _ends(self, urls: Iterable[str]) -> dict[str, tuple[Request, Finished]]:
        """Those of these that have ended: as they were admitted, with their numbers as ids, and how they ended."""
        wanted: dict[int, set[str]] = {}
        for url in urls:
            wanted.setdefault(self._held.index(host_key(Url(url))), set()).add(url)
        found: dict[str, tuple[Request, Finished]] = {}
        for index, some in wanted.items():
            partition = self._held.get(index)
            async for rows in self._store.ledger(index):
                for row, end, _ in rows:
                    if end is not None and row.url in some:
                        number = partition.base | row.id if partition is not None else 0
                        found[row.url] = row, replace(end, request=replace(end.request, id=number))
        return found
