"""How is something written to Redis so that whoever is cancelled at that moment ends?

redis-py writes under `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes as the write ends
(CPython issue 86296): a task that was to end goes on, and whoever waits for its end does so for ever.
`asyncio.timeout` does not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from redis.asyncio import Connection, SSLConnection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redis.asyncio.cluster import RedisCluster


class _Cancellable(Connection):
    """Takes no longer over a write than `socket_timeout`, as any, and raises a `TimeoutError`."""

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - as it is there
        """See `redis.asyncio.Connection`: connects first if need be."""
        silence_s, self.socket_timeout = self.socket_timeout, None  # else it would see to that by itself
        try:
            async with asyncio.timeout(silence_s):
                await super().send_packed_command(command, check_health)
        finally:
            self.socket_timeout = silence_s


class PlainConnection(_Cancellable):
    """``redis://``."""


class SafeConnection(_Cancellable, SSLConnection):
    """``rediss://``."""


def have_cancellable(cluster: RedisCluster) -> None:
    """Have a cluster make such connections, which it does not take as an argument; before it has made any."""
    own = SafeConnection if cluster.connection_kwargs["connection_class"] is SSLConnection else PlainConnection
    for kwargs in (cluster.connection_kwargs, cluster.nodes_manager.connection_kwargs):
        kwargs["connection_class"] = own
    for node in cluster.nodes_manager.startup_nodes.values():
        node.connection_class = own
