"""Which page links to which? The links of one part, from hashes to numbers of pages. For a worker.

An edge leads from one page of the crawl to another, once, however many links there are; to where redirects lead in the
end. Links of a page to itself, and to what is no page of the crawl, are left out. Links that say they are no
recommendation (nofollow) give no edge; where a page has no other to the same page, they are counted by themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crawler.mining.ends import Redirects
from crawler.mining.layout import EDGE, distinct, file, keep, mapped, placed
from crawler.mining.table import HOSTS, NODES, NUMBERS
from crawler.mining.tasks import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crawler.mining.tasks import Task

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


class Edges(NamedTuple):
    """Edges of a graph by their targets."""

    sources: NDArray[np.uint32]  #: of all edges, those to one target together
    targets: NDArray[np.uint32]  #: rising, each once
    starts: NDArray[np.int64]  #: where in `sources` those to each target begin

    @classmethod
    def of(cls, keys: NDArray[np.uint64]) -> Edges:
        """Made of rising ``target << 32 | source``, each once."""
        targets = (keys >> _32).astype(np.uint32)
        starts = np.flatnonzero(np.r_[True, targets[1:] != targets[:-1]]) if len(keys) else np.zeros(0, np.int64)
        return cls((keys & _LOW).astype(np.uint32), targets[starts], starts)

    @classmethod
    def read(cls, folder: Path, part: int) -> Edges:
        """Those that `resolve_edges` has left of a part."""
        kinds = {"sources": "<u4", "targets": "<u4", "starts": "<i8"}
        return cls(*(mapped(file(folder, part, name), kind) for name, kind in kinds.items()))


def resolve_edges(task: Task) -> Answer:
    """Make the edges of a part, and what follows from them for hosts."""
    folder, part = Path(task.folder), task.part.number
    resolver = _Resolver(task)
    keys = resolver.keys("links")
    edges = Edges.of(keys)
    for name, found in edges._asdict().items():
        keep(found, file(folder, part, name))
    others = np.setdiff1d(resolver.keys("nofollow"), keys, assume_unique=True)
    keep((others >> _32).astype(np.uint32), file(folder, part, "unfollowed"))
    host_of = np.load(folder / HOSTS, mmap_mode="r")
    from_hosts = host_of[edges.sources].astype(np.uint64)
    keep(distinct((keys & ~_LOW) | from_hosts), file(folder, part, "from_hosts"))
    to_hosts = host_of[(keys >> _32).astype(np.uint32)].astype(np.uint64)
    among = from_hosts != to_hosts
    keep(distinct((to_hosts[among] << _32) | from_hosts[among]), file(folder, part, "host_edges"))
    return Answer(part=part, counts={"edges": len(keys), "links": resolver.links, "to_pages": resolver.to_pages})


class _Resolver:
    """From hashes to numbers."""

    def __init__(self, task: Task) -> None:
        self._folder, self._part = Path(task.folder), task.part.number
        self._nodes: NDArray[np.uint64] = np.load(self._folder / NODES, mmap_mode="r")
        self._numbers = np.load(self._folder / NUMBERS, mmap_mode="r")
        self._redirects = Redirects(self._folder)
        self._first = None if task.numbers.get("by_hash") else np.uint64(task.numbers["first"])
        self.links = self.to_pages = 0

    def keys(self, name: str) -> NDArray[np.uint64]:
        """The edges of a file of links, as `Edges.of` takes them."""
        links: NDArray[Any] = mapped(file(self._folder, self._part, name), EDGE)
        self.links += len(links)
        targets, is_page = self._pages(self._redirects.ends(links["target"].copy()))
        if self._first is None:
            sources, is_known = self._pages(links["source"].copy())
            is_page &= is_known
        else:
            sources = links["source"] + self._first
        self.to_pages += int(is_page.sum())
        is_page &= sources != targets
        return distinct((targets[is_page] << _32) | sources[is_page])

    def _pages(self, hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        at, is_page = placed(self._nodes, hashes)
        numbers = self._numbers[at] if len(self._nodes) else at
        return numbers.astype(np.uint64), is_page
