"""How does a partition get into memory when it is taken over?

What is known beside its URLs is read first, then these, block by block, in the order of their numbers; whatever has no
end and is not snoozed is queued as it is met, so that each fifo is in order. The loop goes on meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.frontier.turns import sliced, sliced_stream

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.fleet.codec import Later
    from crawler.fleet.codec_urls import UrlBlock
    from crawler.fleet.store import PartitionStore
    from crawler.frontier.order import Order
    from crawler.frontier.redis_hosts import Hosts
    from crawler.frontier.redis_partition import Partition
    from crawler.frontier.redis_snoozed import SnoozedUrls

AT_ONCE_S = 0.0
"""When a URL is due that was requeued: it is not snoozed at all, and waits its turn."""

_ENDED, _SNOOZED = 1, 2


class Loader:
    """Reads partitions.

    Args:
        store: From where.
        key: Of fingerprints.
        order: Which URL comes first.
        hosts, snoozed: Learn what is stored.
        clock: Tells when it is another's turn.
    """

    def __init__(
        self, store: PartitionStore, *, key: int, order: Order, hosts: Hosts, snoozed: SnoozedUrls, clock: Clock
    ) -> None:
        self._store = store
        self._key = key
        self._order = order
        self._hosts = hosts
        self._snoozed = snoozed
        self._clock = clock

    async def load(self, partition: Partition) -> None:
        """Fill one of which only the lease is known.

        Raises:
            FrontierError: What is stored of it cannot be read.
        """
        if partition.commit == 0:
            return
        held = await self._store.held(partition.index, partition.last)
        marks = held.ended
        for number, later in held.later.items():
            partition.later[number] = later.attempt
            if later.due_at > AT_ONCE_S:
                marks[number] = _SNOOZED
        async for state in sliced(held.hosts, self._clock):
            self._hosts.note(partition, state)
        async for file in sliced(held.robots, self._clock):
            self._hosts.note_robots(partition, file)
        async for block in sliced_stream(self._store.blocks(partition.index), self._clock):
            partition.add_block(block.id, block.first)
            self._queue(partition, block, marks, held.later)
            partition.seen.update(block.fingerprints(self._key))

    def _queue(self, partition: Partition, block: UrlBlock, marks: bytearray, later: dict[int, Later]) -> None:
        """Queue what is left of a block."""
        those = marks[block.first : block.first + len(block)]
        if 0 not in those and _SNOOZED not in those:
            return
        push, band_of = partition.queues.push, self._order.band
        last = (-1, -1)
        band = 0
        columns = zip(block.numbers, block.host_keys(), block.priorities(), block.depths(), strict=True)
        for number, host_key, priority, depth in columns:
            if not (mark := marks[number]):
                if last != (priority, depth):
                    last = priority, depth
                    band = band_of(priority, depth)
                push(host_key, band, number)
            elif mark == _SNOOZED:
                self._snoozed.restore(partition, number, host_key, later[number].due_at)
