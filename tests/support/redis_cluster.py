"""A Redis Cluster of three nodes on loopback, without replicas."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from tests.support.redis_server import RedisServer, free_port

if TYPE_CHECKING:
    from pathlib import Path

NODES = 3
_SLOTS = 16384
_JOIN_S = 20.0


class RedisCluster:
    """``with RedisCluster(folder) as cluster: cluster.url``; each node has a third of the slots."""

    def __init__(self, folder: Path) -> None:
        self._buses = [free_port() for _ in range(NODES)]
        self.nodes = [
            RedisServer(
                folder / f"node{number}", "cluster-enabled yes", f"cluster-port {bus}", "cluster-node-timeout 2000"
            )
            for number, bus in enumerate(self._buses)
        ]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for node in self.nodes:
                stack.enter_context(node)
            self._form()
            self._stack = stack.pop_all()
        return self

    def _form(self) -> None:
        first, clients = self.nodes[0], [node.client() for node in self.nodes]
        for number, client in enumerate(clients):
            begin, end = _SLOTS * number // NODES, _SLOTS * (number + 1) // NODES - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", begin, end)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for client in clients[1:]:
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", first.port, self._buses[0])
        deadline = time.monotonic() + _JOIN_S
        while not all(_is_whole(client) for client in clients):
            assert time.monotonic() < deadline, "the cluster does not form"
            time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """Where one of its nodes is."""
        return self.nodes[0].url


def _is_whole(client) -> bool:
    told = client.cluster("INFO")
    return told["cluster_state"] == "ok" and int(told["cluster_known_nodes"]) == NODES
