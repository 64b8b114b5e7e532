"""What is a host about? The mean of what its pages are about, term by term.

That is the centroid of the TF-IDF vectors of its pages, the usual label of a group of texts (C. Manning, P. Raghavan,
H. Schütze, "Introduction to Information Retrieval", 2008, section 17.7), cut down as usual: of each page only its
`PER_PAGE` heaviest terms count. Hosts as documents, the other way to do it, would say nothing of a crawl of one host.

Hosts come mixed and may be a million, so what their pages add is written to files, parted by host: one part at a time
is read back.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from xxhash import xxh3_64_intdigest

from crawler.mining.keywords import TOP, heaviest, term_weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crawler.mining.keywords import Counts, Frequencies, Keyword

PER_PAGE = 32
PARTS = 32

_ADDED = np.dtype([("host", "<u8"), ("term", "<u8"), ("weight", "<u8")])
#: one in weights on disk: whole numbers have the same sum in whatever order
_ONE = 1 << 40


class Host(NamedTuple):
    """The heaviest terms of a host."""

    #: see `host_hash`
    host: int
    #: the hashes of the terms, heaviest first
    terms: list[int]
    #: not yet divided by the number of the host's pages
    weights: list[float]


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


def host_keywords(folder: Path, names: Iterable[str], top: int = TOP) -> Iterator[Host]:
    """The heaviest terms of every host, from what all processes wrote; hosts without a term are missing."""
    names = list(names)
    for part in range(PARTS):
        added = np.concatenate(
            [np.zeros(0, _ADDED), *(np.fromfile(folder / f"{name}.{part}", _ADDED) for name in names)]
        )
        added = _summed(added)
        order = np.lexsort((added["term"], ~added["weight"], added["host"]))
        added = added[order]
        if not len(added):
            continue
        begins = np.flatnonzero(np.diff(added["host"], prepend=~added["host"][:1]))
        for start, end in zip(begins.tolist(), [*begins[1:].tolist(), len(added)], strict=True):
            own = added[start : min(end, start + top)]
            yield Host(int(own["host"][0]), own["term"].tolist(), (own["weight"] / _ONE).tolist())


def spelled(hashes: Iterable[int], batches: Iterable[Counts]) -> dict[int, str]:
    """The terms that some hashes stand for, from the batches they came from."""
    wanted = np.unique(np.fromiter(hashes, np.uint64))
    found: dict[int, str] = {}
    for counts in batches:
        for at in np.flatnonzero(np.isin(counts.hashes, wanted)).tolist():
            found.setdefault(int(counts.hashes[at]), counts.vocabulary[at])
    return found


def named(host: Host, pages: int, spelling: dict[int, str]) -> list[Keyword]:
    """The keywords of a host of so many pages: its terms, each with its mean weight."""
    return [(spelling[term], weight / pages) for term, weight in zip(host.terms, host.weights, strict=True)]


def _summed(added: NDArray[np.void]) -> NDArray[np.void]:
    """One entry for each term of each host, in their order."""
    added = added[np.lexsort((added["term"], added["host"]))]
    changes = np.diff(added["host"]) | np.diff(added["term"])
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(added)), np.bool_), changes != 0]))
    found = added[first]
    if len(first):
        found["weight"] = np.add.reduceat(added["weight"], first)
    return found
