"""What is a page about, and a host? The words it says more often than the other pages of the crawl do (TF-IDF).

In two passes. The first counts the terms of each page, batch by batch (`count`), keeps that on disk
(`Counts.encode`), and in how many pages each term is (`frequencies`, `merge`). The second, with those of all pages,
weighs the terms of each page (`page_keywords`) and adds up those of each host (`Hosts`). Nothing is tokenised twice.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from crawler.mining.words import Texts

TOP = 10


class Frequencies(NamedTuple):
    """In how many pages each term is."""

    #: of pages, those without a term too
    pages: int
    #: uint64, rising: the terms' hashes
    hashes: NDArray[np.uint64]
    #: uint32: the number of pages with the term
    counts: NDArray[np.uint32]


class Counts(NamedTuple):
    """How often each page of a batch says each of its terms."""

    #: the terms of the batch, and their hashes
    vocabulary: list[str]
    hashes: NDArray[np.uint64]
    #: of each page in turn, its terms' numbers and how often it says them
    numbers: NDArray[np.int32]
    times: NDArray[np.int32]
    #: int64, one more than there are pages: where in `numbers` and `times` each page begins
    starts: NDArray[np.int64]

    def encode(self) -> bytes:
        """To be kept on disk and read back by `decode`."""
        raise NotImplementedError


def decode(data: bytes) -> Counts:
    """What `Counts.encode` gave."""
    raise NotImplementedError


def count(texts: Texts) -> Counts:
    """Count the terms of a batch."""
    raise NotImplementedError


def frequencies(counts: Counts) -> Frequencies:
    """Those of one batch."""
    raise NotImplementedError


def merge(parts: Iterable[Frequencies]) -> Frequencies:
    """Those of all pages of the parts; the same in whatever order they come."""
    raise NotImplementedError


def page_keywords(counts: Counts, whole: Frequencies, top: int = TOP) -> list[list[tuple[str, float]]]:
    """The terms of each page of a batch with the highest weights, highest first; as scikit-learn weighs them."""
    raise NotImplementedError


class Hosts:
    """Keywords of hosts, added up from their pages. One for each process, to be merged."""

    def add(self, counts: Counts, hosts: Sequence[str], whole: Frequencies) -> None:
        """Count in a batch; `hosts` names the host of each of its pages."""

    def merge(self, other: Hosts) -> None:
        """Count in those of another process."""

    def keywords(self, top: int = TOP) -> dict[str, list[tuple[str, float]]]:
        """Of each host, its terms with the highest weights."""
        raise NotImplementedError
