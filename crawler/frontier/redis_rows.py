"""What do the numbers that are taken stand for?

What was stored of late is kept, as it is taken soon more often than not; all else is read back from Redis by the block
it was stored in, whose other requests are kept as well: those of one host lie together.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FrontierError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.fleet.store import PartitionStore
    from crawler.frontier.redis_partition import Partition
    from crawler.models import Request

Pick = tuple["Partition", int]
"""A number of a partition."""


class Rows:
    """Requests of stored numbers, by id, in two generations: a full one replaces the one before, which is forgotten.

    Args:
        store: Where all of them are.
        capacity: How many to keep, about 0.3 KB each.
    """

    def __init__(self, store: PartitionStore, capacity: int) -> None:
        self._store = store
        self._capacity = capacity
        self._recent: dict[int, Request] = {}
        self._older: dict[int, Request] = {}

    def keep(self, requests: Iterable[Request]) -> None:
        """These have been stored."""
        recent = self._recent
        for request in requests:
            recent[request.id] = request
        if len(recent) * 2 >= self._capacity:
            self._older, self._recent = recent, {}

    async def get(self, picks: Sequence[Pick]) -> list[Request | None]:
        """What was handed out, in one round trip at most; None where its partition is gone by now."""
        found: dict[int, Request] = {}
        unknown: dict[Partition, set[str]] = {}
        for partition, number in picks:
            key = partition.base | number
            request = partition.fresh(number) or self._recent.pop(key, None) or self._older.pop(key, None)
            if request is not None:
                found[key] = request
            else:
                unknown.setdefault(partition, set()).add(partition.block_of(number))
        if unknown:
            wanted = {partition.base | number for partition, number in picks}
            await asyncio.gather(*(self._read(one, blocks, wanted, found) for one, blocks in unknown.items()))
        return [self._as_it_is(partition, number, found) for partition, number in picks]

    async def _read(self, partition: Partition, blocks: set[str], wanted: set[int], found: dict[int, Request]) -> None:
        others: list[Request] = []
        for requests in (await self._store.rows(partition.index, sorted(blocks))).values():
            for request in requests:
                key = partition.base | request.id
                if key in wanted:
                    found[key] = replace(request, id=key)
                else:
                    others.append(replace(request, id=key))
        self.keep(others)

    def _as_it_is(self, partition: Partition, number: int, found: dict[int, Request]) -> Request | None:
        """With the attempt that is next."""
        if partition.is_gone:
            return None
        request = found.get(partition.base | number)
        if request is None:
            raise FrontierError(f"partition {partition.index} has lost its URL {number}")
        attempt = partition.later.get(number, request.attempt)
        return request if attempt == request.attempt else replace(request, attempt=attempt)
