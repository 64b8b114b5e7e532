"""What is committed of a frontier without a disk?"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.models import Checkpoint, Finished, HostKey, HostState, Request, RobotsFile


@dataclass(slots=True)
class MemoryStore:
    """What is committed. Everything in it is true at once."""

    key: int = field(default_factory=lambda: secrets.randbits(64))
    rows: list[Request | Finished] = field(default_factory=list)  #: of id n at n - 1
    snoozed: dict[int, float] = field(default_factory=dict)  #: id -> monotonic seconds
    hosts: dict[HostKey, HostState] = field(default_factory=dict)
    robots: dict[str, RobotsFile] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def update(self, checkpoint: Checkpoint) -> None:
        """Take over what a checkpoint says of anything but URLs."""
        self.hosts.update((state.host_key, state) for state in checkpoint.hosts)
        self.robots.update((file.origin, file) for file in checkpoint.robots)
        self.positions |= checkpoint.positions
        self.counters |= checkpoint.counters
        self.blobs |= checkpoint.blobs
        self.blobs = {name: content for name, content in self.blobs.items() if content}

    def forgive(self, hosts: Mapping[HostKey, int]) -> None:
        """Forget what these hosts are blamed for, so many of their pages, and every verdict that closes an origin."""
        for host_key, pages in hosts.items():
            if state := self.hosts.get(host_key):
                self.hosts[host_key] = replace(
                    state,
                    failures=0,
                    retired=None,
                    backoff_s=0.0,
                    ready_at=0.0 if state.retired else state.ready_at,
                    pages=max(state.pages - pages, 0),
                )
        self.robots = {origin: file for origin, file in self.robots.items() if file.closed is None}
