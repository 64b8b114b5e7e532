"""What does a report tell of what `crawler mine` has found? Lists are the first lines of its files."""

from __future__ import annotations

import msgspec

from crawler.mining.files import HostKeywords, HostRank, Language, Rank


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Pages that say nearly the same."""

    pages: int
    exact: int  #: of those shown, with the same text as the first
    urls: tuple[str, ...]  #: some of them, the one that stands for it first


class MinedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    made_at: float | None = None
    pages: int = 0  #: of how many page records
    clusters: tuple[Cluster, ...] = ()
    n_clusters: int = 0
    n_alike: int = 0  #: pages in clusters
    ranks: tuple[Rank, ...] = ()
    n_ranks: int = 0
    host_ranks: tuple[HostRank, ...] = ()
    n_host_ranks: int = 0
    host_keywords: tuple[HostKeywords, ...] = ()
    n_host_keywords: int = 0
    languages: tuple[Language, ...] = ()
    n_languages: int = 0
