"""Which pages and hosts are linked to, by how many and how important ones? The lines of ranks.jsonl and
host_ranks.jsonl.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from crawler.mining.edges import Edges
from crawler.mining.files import HostRank, Rank
from crawler.mining.layout import distinct, file, mapped
from crawler.mining.pagerank import pagerank

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crawler.mining.pagerank import Ranked
    from crawler.mining.table import Table

_PAIRS_AT_ONCE = 4_000_000
_BATCH = 10_000
_32 = np.uint64(32)


class Importance:
    """The link graph of a crawl, once workers have resolved its edges.

    Args:
        table: The pages.
        folder: Where parts are.
        parts: Of the files that links were read from.
    """

    def __init__(self, table: Table, folder: Path, parts: Sequence[int]) -> None:
        self._table, self._folder, self._parts = table, folder, parts
        self._ranked = pagerank([Edges.read(folder, part) for part in parts], table.count)
        self._hosts = pagerank([self._host_edges()], len(table.hosts))
        self.counts = {
            "nodes": table.count,
            "edges": int(self._ranked.out_links.sum()),
            "dangling": int((self._ranked.out_links == 0).sum()),
            "rounds": self._ranked.rounds,
        }

    def rows(self) -> Iterator[Rank]:
        """Of pages, the most important first."""
        in_hosts, unfollowed = self._in_hosts(), self._unfollowed()
        for some in _batches(self._ranked):
            columns = (self._ranked.ranks, self._ranked.in_links, in_hosts, unfollowed, self._ranked.out_links)
            values = (column[some].tolist() for column in columns)
            for url, rank, in_links, hosts, others, out_links in zip(self._table.urls(some), *values, strict=True):
                yield Rank(
                    url=url, rank=rank, in_links=in_links, in_hosts=hosts, in_nofollow=others, out_links=out_links
                )

    def host_rows(self) -> Iterator[HostRank]:
        """Of hosts, the most important first."""
        pages = np.bincount(self._table.host_of, minlength=len(self._table.hosts))
        for some in _batches(self._hosts):
            for host in some.tolist():
                yield HostRank(
                    host=self._table.hosts[host],
                    rank=float(self._hosts.ranks[host]),
                    pages=int(pages[host]),
                    in_hosts=int(self._hosts.in_links[host]),
                    out_hosts=int(self._hosts.out_links[host]),
                )

    def _host_edges(self) -> Edges:
        keys = np.zeros(0, np.uint64)
        for part in self._parts:
            keys = distinct(np.concatenate((keys, mapped(file(self._folder, part, "host_edges"), "<u8"))))
        return Edges.of(keys)

    def _in_hosts(self) -> NDArray[np.int64]:
        """From how many hosts each page is linked: a range of pages at a time, as a host may be in many parts."""
        pairs = [mapped(file(self._folder, part, "from_hosts"), "<u8") for part in self._parts]
        counts = np.zeros(self._table.count, np.int64)
        ranges = max(1, -(-sum(map(len, pairs)) // _PAIRS_AT_ONCE))
        bounds = [np.uint64(self._table.count * place // ranges) << _32 for place in range(ranges + 1)]
        for start, end in pairwise(bounds):
            found = [part[slice(*np.searchsorted(part, (start, end)))] for part in pairs]
            unique = distinct(np.concatenate([np.zeros(0, np.uint64), *found]))
            counts += np.bincount((unique >> _32).astype(np.int64), minlength=len(counts))
        return counts

    def _unfollowed(self) -> NDArray[np.int64]:
        counts = np.zeros(self._table.count, np.int64)
        for part in self._parts:
            counts += np.bincount(mapped(file(self._folder, part, "unfollowed"), "<u4"), minlength=len(counts))
        return counts


def _batches(ranked: Ranked) -> Iterator[NDArray[np.int64]]:
    """The nodes by rank, equal ones by number."""
    order = np.argsort(-ranked.ranks, kind="stable")
    yield from (order[start : start + _BATCH] for start in range(0, len(order), _BATCH))
