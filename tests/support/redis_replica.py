"""Two redis-servers of which one follows the other, behind one name that fails over."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from tests.support.redis_server import RedisServer
from tests.support.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from pathlib import Path

_SYNC_S = 10.0


class RedisPair:
    """``with RedisPair(folder) as pair: pair.url``; what is written to the primary is soon at the replica."""

    def __init__(self, folder: Path, *options: str) -> None:
        options = (*options, "repl-diskless-sync-delay 0")
        self.primary = RedisServer(folder / "primary", *options)
        self.replica = RedisServer(folder / "replica", *options, f"replicaof 127.0.0.1 {self.primary.port}")
        self.name = TcpProxy(self.primary.port)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for part in (self.primary, self.replica, self.name):
                stack.enter_context(part)
            self._until(lambda: self.replica.client().info("replication").get("master_link_status") == "up")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """Where whoever is the primary is."""
        return self.name.url

    def fail_over(self, *, read_only_s: float = 0.0) -> None:
        """The primary dies with what it had not passed on, and the replica takes its place.

        Args:
            read_only_s: For how long the name leads to the replica before that may be written to.
        """
        self.primary.kill()
        self.name.lead_to(self.replica.port)
        time.sleep(read_only_s)
        self.replica.client().execute_command("REPLICAOF", "NO", "ONE")

    def _until(self, holds) -> None:
        deadline = time.monotonic() + _SYNC_S
        while not holds():
            assert time.monotonic() < deadline, "the replica does not follow"
            time.sleep(0.02)
