"""What is a host about? The mean of what its pages are about, term by term.

That is the centroid of the TF-IDF vectors of its pages, the usual label of a group of texts (C. Manning, P. Raghavan,
H. Schütze, "Introduction to Information Retrieval", 2008, section 17.7), cut down as usual: of each page only its
`PER_PAGE` heaviest terms count, which also keeps everyday words out: no page weighs them highest, but all have them.
(Of a language that few pages of a crawl are in they are rare, and come in.) Hosts as documents, the other way to do it,
would say nothing of a crawl of one host.

Hosts come mixed and may be a million, so what their pages add is written to files, parted by host: one part at a time
is read back.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from xxhash import xxh3_64_intdigest

from crawler.mining.keywords import TOP, heaviest, term_weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crawler.mining.keywords import Counts, Frequencies, Keyword

PER_PAGE = 16
PARTS = 32

_ADDED = np.dtype([("host", "<u8"), ("term", "<u8"), ("weight", "<u8")])
#: one in weights on disk: whole numbers have the same sum in whatever order
_ONE = 1 << 40


def host_hash(host: str) -> int:
    """What stands for a host's name."""
    return xxh3_64_intdigest(host.encode())


class HostSums:
    """What pages add to their hosts, on disk: 24 bytes for each of the `PER_PAGE` terms of each. A context manager.

    Args:
        folder: Where to write `PARTS` files.
        name: Begins the names of the files: another one for each process.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._files = [(folder / f"{name}.{part}").open("wb") for part in range(PARTS)]

    def add(self, counts: Counts, hosts: Sequence[str], whole: Frequencies) -> None:
        """Count in the pages of a batch; `hosts` says the host of each."""
        kept = [*heaviest(counts, term_weights(counts, whole), PER_PAGE)]
        hashed = np.array([host_hash(host) for host in hosts], np.uint64)
        added = np.empty(sum(len(terms) for terms, _ in kept), _ADDED)
        added["host"] = np.repeat(hashed, [len(terms) for terms, _ in kept])
        added["term"] = counts.hashes[np.concatenate([np.zeros(0, np.int32), *(terms for terms, _ in kept)])]
        added["weight"] = np.rint(np.concatenate([np.zeros(0), *(weights for _, weights in kept)]) * _ONE)
        added = _summed(added)
        parts = added["host"] % PARTS
        for part in np.unique(parts).tolist():
            self._files[part].write(added[parts == part].tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()


class HostKeywords:
    """The keywords of hosts, from what all processes wrote.

    Args:
        folder: Where the files are.
        names: The names of the `HostSums` that wrote them.
        batches: All batches they were made of, to know how terms are spelt.
        top: Keywords of a host, at most: 24 bytes each are held.
    """

    def __init__(self, folder: Path, names: Iterable[str], batches: Iterable[Counts], top: int = TOP) -> None:
        names = list(names)
        parts = [_heaviest([folder / f"{name}.{part}" for name in names], top) for part in range(PARTS)]
        found = np.concatenate([np.zeros(0, _ADDED), *parts])
        self._found = found[np.argsort(found["host"], kind="stable")]
        self._spelling = spelled(self._found["term"], batches)

    def of(self, host: str, pages: int) -> list[Keyword]:
        """The keywords of a host of so many pages, with their mean weights, highest first."""
        hashed = np.uint64(host_hash(host))
        start, end = (int(np.searchsorted(self._found["host"], hashed, side)) for side in ("left", "right"))
        own = self._found[start:end]
        weights = own["weight"] / (_ONE * pages)
        return [
            (self._spelling[term], weight) for term, weight in zip(own["term"].tolist(), weights.tolist(), strict=True)
        ]


def spelled(hashes: NDArray[np.uint64], batches: Iterable[Counts]) -> dict[int, str]:
    """The terms that some hashes stand for, from the batches they came from."""
    wanted = np.unique(hashes)
    found: dict[int, str] = {}
    for counts in batches:
        for at in np.flatnonzero(np.isin(counts.hashes, wanted)).tolist():
            found.setdefault(int(counts.hashes[at]), counts.vocabulary[at])
    return found


def _heaviest(paths: Iterable[Path], top: int) -> NDArray[np.void]:
    """The heaviest terms of each host of a part, heaviest first; of equals, by their hashes."""
    added = _summed(np.concatenate([np.zeros(0, _ADDED), *(np.fromfile(path, _ADDED) for path in paths)]))
    added = added[np.lexsort((added["term"], ~added["weight"], added["host"]))]
    begins = np.flatnonzero(np.diff(added["host"], prepend=~added["host"][:1]))
    ranks = np.arange(len(added)) - np.repeat(begins, np.diff(begins, append=len(added)))
    return added[ranks < top]


def _summed(added: NDArray[np.void]) -> NDArray[np.void]:
    """One entry for each term of each host, in their order."""
    added = added[np.lexsort((added["term"], added["host"]))]
    changes = np.diff(added["host"]) | np.diff(added["term"])
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(added)), np.bool_), changes != 0]))
    found = added[first]
    if len(first):
        found["weight"] = np.add.reduceat(added["weight"], first)
    return found
