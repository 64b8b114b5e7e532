"""How much of a frontier is held in memory? The one place for these numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What `SqliteFrontier` keeps in memory of a store of any size. Small values are for tests."""

    #: URLs admitted since the last sweep (about 0.4 KB each); at this many their queues are written as chunks, from a
    #: quarter of it on if these come out full
    memory_urls: int = 200_000
    #: URLs read back from chunks and not taken yet; beyond it the hosts read longest ago are forgotten
    window_urls: int = 50_000
    #: most URLs in one chunk, which is read as a whole
    chunk_urls: int = 64
    #: names of hosts; all others are known by their fingerprints
    host_names: int = 200_000
    #: snoozed URLs, those due first; at twice as many the rest is left in the store
    snoozed: int = 20_000
    #: pairs of seed and scope host; one met again after it was forgotten is stored again
    seeds: int = 50_000
    #: fingerprints a search may go through one by one; beyond it they are indexed first
    unindexed: int = 20_000
