"""What does a fleet ask of Redis? Part of the simulation `fleet`: arithmetic with figures that others measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp


@dataclass(frozen=True)
class Redis:
    """What Redis costs, as `benchmarks.fleet_calls` measures it: microseconds of its processor, and memory."""

    bytes_a_url: float = 70.0  #: where a commit has six of a partition; 26 at 500, 193 at one
    bytes_a_host: float = 200.0  #: its state, and the verdict of its robots.txt
    commit_us: float = 25.0  #: a call that stores what became of a partition
    url_us: float = 0.25  #: each URL in it, admitted and ended
    delivery_us: float = 8.0  #: a block that is put into an inbox, read and removed
    link_us: float = 0.1  #: each URL in it
    renewal_us: float = 8.0  #: of a lease


@dataclass(frozen=True)
class Load:
    """What a second at full speed asks of Redis."""

    commits: float  #: scripts
    deliveries: float  #: blocks of URLs put into inboxes
    readings: float  #: of inboxes
    renewals: float  #: of leases
    urls: float  #: admitted and ended
    links: float  #: URLs in those blocks

    @property
    def calls(self) -> float:
        """Calls a second."""
        return self.commits + self.deliveries + self.readings + self.renewals

    def cores(self, redis: Redis) -> float:
        """Processors of Redis that this keeps busy."""
        calls_us = (
            self.commits * redis.commit_us + self.deliveries * redis.delivery_us + self.renewals * redis.renewal_us
        )
        return (calls_us + self.urls * redis.url_us + self.links * redis.link_us) / 1e6


def load(
    *,
    workers: int,
    partitions: int,
    rate_per_s: float,
    checkpoint_s: float,
    lease_s: float,
    links: float,
) -> Load:
    """Of workers at full speed, whose partitions all have something to do.

    Args:
        rate_per_s: URLs a worker ends a second; as many are admitted.
        links: To hosts of other workers, found on a page and sent to their partition.
    """
    urls = rate_per_s * checkpoint_s
    touched = _touched(partitions / workers, urls)
    posted = _touched(partitions * (1 - 1 / workers), urls * links)
    filled = _touched(partitions, workers * posted)
    return Load(
        commits=workers * touched / checkpoint_s,
        deliveries=workers * posted / checkpoint_s,
        readings=filled / checkpoint_s,
        renewals=partitions * 3 / lease_s,
        urls=workers * rate_per_s,
        links=workers * rate_per_s * links,
    )


def memory_gb(urls: float, hosts: float, redis: Redis) -> float:
    """Of Redis at the end of a crawl, in 1e9 bytes."""
    return (urls * redis.bytes_a_url + hosts * redis.bytes_a_host) / 1e9


def nodes(memory: float, cores: float, node_gb: float = 24.0, busy: float = 0.5) -> int:
    """Masters of a cluster, each with so much memory in use and so much of its processor busy."""
    return max(1, ceil(memory / node_gb), ceil(cores / busy))


def _touched(boxes: float, balls: float) -> float:
    """How many of some boxes get at least one ball, thrown at random."""
    return boxes * (1 - exp(-balls / boxes)) if boxes else 0.0
