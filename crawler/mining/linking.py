"""What is kept of the links of pages: who links to what, and who links to what is dead.

For a worker: of one part, block by block. Edges go to files as they come. Of a dead link, the pages that link to it are
counted, and the first `SOURCES` kept.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec
import numpy as np
from xxhash import xxh3_64_intdigest

from crawler.mining.ends import DEAD, DEAD_AT
from crawler.mining.layout import EDGE, file, placed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from crawler.mining.tasks import Task

SOURCES = 10
_UNFOLLOWED = frozenset(("nofollow", "ugc", "sponsored"))


class Link(msgspec.Struct, gc=False):
    """What is read of a link; see `crawler.extract.record.LinkRecord`."""

    url: str
    text: str
    rel: str | None


class DeadIn(msgspec.Struct, array_like=True, gc=False):
    """Links of one part to one dead URL."""

    dead: int  #: its number
    pages: int
    sources: list[tuple[str, str]]  #: page and text of the link, the first of them


class _Linked(NamedTuple):
    """The links of a block."""

    hashes: NDArray[np.uint64]  #: of all targets
    counts: NDArray[np.int64]  #: of each page


class Links:
    """The links of one part. A context manager, which writes its files."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._wants_ranks = "ranks" in task.wants
        self._dead = np.load(Path(task.folder) / DEAD, mmap_mode="r") if "dead" in task.wants else np.zeros(0, "u8")
        self._dead_at = np.load(Path(task.folder) / DEAD_AT, mmap_mode="r")
        self._found: dict[int, DeadIn] = {}
        self._last: dict[int, str] = {}
        self.count = 0

    def __enter__(self) -> Self:
        folder, number = self._task.folder, self._task.part.number
        self._followed = file(folder, number, "links").open("wb")
        self._others = file(folder, number, "nofollow").open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._followed.close()
        self._others.close()
        if error is None:
            rows = sorted(self._found.values(), key=lambda found: found.dead)
            path = file(self._task.folder, self._task.part.number, "dead")
            path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))

    def add(self, urls: Sequence[str], sources: NDArray[np.uint64], links: Sequence[Sequence[Link]]) -> None:
        """Take in the links of some pages.

        Args:
            urls: Of the pages.
            sources: What stands for each in an `EDGE`.
            links: Those of each.
        """
        all_links = list(chain.from_iterable(links))
        self.count += len(all_links)
        hashes = np.fromiter((xxh3_64_intdigest(link.url.encode()) for link in all_links), np.uint64, len(all_links))
        linked = _Linked(hashes, np.fromiter(map(len, links), np.int64, len(links)))
        if self._wants_ranks:
            self._put(linked, sources, all_links)
        if len(self._dead):
            self._look(linked, urls, all_links)

    def _put(self, linked: _Linked, sources: NDArray[np.uint64], links: Sequence[Link]) -> None:
        edges = np.empty(len(links), EDGE)
        edges["source"] = np.repeat(sources, linked.counts)
        edges["target"] = linked.hashes
        unfollowed = [place for place, link in enumerate(links) if link.rel and is_unfollowed(link.rel)]
        if unfollowed:
            self._others.write(edges[unfollowed].tobytes())
            edges = np.delete(edges, unfollowed)
        self._followed.write(edges.tobytes())

    def _look(self, linked: _Linked, urls: Sequence[str], links: Sequence[Link]) -> None:
        at, is_dead = placed(self._dead, linked.hashes)
        places = np.flatnonzero(is_dead)
        if not len(places):
            return
        pages = np.searchsorted(np.cumsum(linked.counts), places, side="right")
        numbers = self._dead_at[at[places]]
        for place, page, number in zip(places.tolist(), pages.tolist(), numbers.tolist(), strict=True):
            url = urls[page]
            if self._last.get(number) == url:
                continue  # another URL that redirects there
            self._last[number] = url
            found = self._found.setdefault(number, DeadIn(number, 0, []))
            found.pages += 1
            if len(found.sources) < SOURCES:
                found.sources.append((url, links[place].text))


def is_unfollowed(rel: str) -> bool:
    """Whether a link says that it is no recommendation: nofollow, ugc or sponsored in its rel."""
    return not _UNFOLLOWED.isdisjoint(rel.lower().split())
