"""Which hosts may be asked, and what is stored of them, in the partitions that are held?"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import msgspec

from crawler.fleet.codec import packed_host, unpacked_host
from crawler.models import HostKey, HostState, RobotsFile
from crawler.url import Url
from crawler.url import host_key as host_key_of

if TYPE_CHECKING:
    from crawler.frontier.redis_held import Held
    from crawler.frontier.redis_partition import Partition
    from crawler.frontier.redis_times import Times

_AT_ONCE = 1_000

_pack = msgspec.msgpack.Encoder().encode
_file = msgspec.msgpack.Decoder(RobotsFile).decode


class Hosts:
    """States of hosts and verdicts of robots.txt: packed, some 200 bytes a host that was asked.

    Args:
        held: The partitions that are held.
        times: Theirs.
    """

    def __init__(self, held: Held, times: Times) -> None:
        self._held = held
        self._times = times

    def note(self, partition: Partition, state: HostState) -> None:
        """This is stored of a host."""
        partition.states[HostKey(sys.intern(state.host_key))] = packed_host(state)
        partition.queues.look_again(state.host_key)

    def note_robots(self, partition: Partition, file: RobotsFile) -> None:
        """This is stored of an origin."""
        partition.robots[file.origin] = _pack(file)

    def stored(self, partition: Partition, host_key: HostKey) -> HostState | None:
        """What is stored of a host, as it is stored."""
        packed = partition.states.get(host_key)
        return unpacked_host(host_key, packed, "the states of hosts") if packed is not None else None

    def partition_of_origin(self, origin: str) -> Partition | None:
        """The partition of an origin, if it is held."""
        return self._held.of(host_key_of(Url(origin + "/")))

    def closed(self, partition: Partition) -> list[RobotsFile]:
        """The stored verdicts that close an origin."""
        return [file for file in map(_file, partition.robots.values()) if file.closed is not None]

    def state(self, host_key: HostKey) -> HostState | None:
        """What is stored of a host, in the worker's own time; None if nothing is, or its partition is not held."""
        partition = self._held.of(host_key)
        state = self.stored(partition, host_key) if partition is not None else None
        return self._times.own_host(state) if state is not None else None

    def robots(self, origin: str) -> RobotsFile | None:
        """The stored verdict of an origin, in the worker's own time."""
        partition = self.partition_of_origin(origin)
        packed = partition.robots.get(origin) if partition is not None else None
        return self._times.own_robots(_file(packed)) if packed is not None else None

    async def go_on(
        self, cursor: int, limit: int, *, ready_before: float, pages_below: int | None
    ) -> tuple[list[HostState], int]:
        """Up to `limit` hosts from `cursor` on, and the cursor to go on from; as `Frontier.hosts`."""
        found: list[HostState] = []
        waiting = self._held.places.waiting
        waiting.judge_by(pages_below)
        for looked_at, place in enumerate(waiting.going_round(cursor), 1):
            if len(found) == limit:
                break
            cursor = place + 1
            queue = self._held.places.at(place)
            state = self.state(queue.key) or HostState(host_key=queue.key)
            if pages_below is not None and state.pages >= pages_below and not state.retired:
                waiting.set_aside([place])
            elif state.ready_at <= ready_before:
                found.append(state)
            if looked_at % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return found, cursor
