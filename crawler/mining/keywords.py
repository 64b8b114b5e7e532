"""What is a page about, and a host? The terms they say more often than the other pages of the crawl do (TF-IDF).

In two passes. The first counts the terms of each page, batch by batch (`count`), which is kept on disk
(`Counts.encode`, `decode`), and in how many pages each term is (`frequencies`; `merge` puts those of all batches
together). The second, with these, weighs the terms of each page (`page_keywords`) and of each host (`crawler.mining.
host_keywords`). No text is taken apart twice: reading the counts of a page back takes a tenth of the time.

The weight of a term in a page is tf * idf, divided by the length of the vector of all terms of the page: 1 + ln(how
often the page says it), times 1 + ln((1 + pages) / (1 + pages with it)). So does scikit-learn's `TfidfVectorizer` with
``analyzer=terms, sublinear_tf=True``. Without the first logarithm "the", "to" and "of" were among the ten keywords of
most of 895 real pages; with it of hardly one.

All is exact: no term is dropped for being rare, and what does not fit in memory is on disk. What is held is the
frequencies, 16 bytes for each term of the crawl, which may be a memory-mapped file.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from crawler.mining.words import is_term

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from crawler.mining.words import Texts

TOP = 10

#: a term and its weight
Keyword = tuple[str, float]


class Frequencies(NamedTuple):
    """In how many pages each term is."""

    #: of pages, those without a term too
    pages: int
    #: uint64, rising: the terms' hashes
    hashes: NDArray[np.uint64]
    #: int64: the number of pages with the term
    counts: NDArray[np.int64]

    def idf(self, hashes: NDArray[np.uint64]) -> NDArray[np.float64]:
        """How much a term says, for terms that are all known; faster if their hashes rise."""
        counts = self.counts[np.searchsorted(self.hashes, hashes)]
        return np.log((1 + self.pages) / (1 + counts)) + 1


class Counts(NamedTuple):
    """How often each page of a batch says each of its terms."""

    #: the terms of the batch in the order of their hashes, and these
    vocabulary: list[str]
    hashes: NDArray[np.uint64]
    #: int64, one more than there are pages: where in `terms` and `times` each page begins
    starts: NDArray[np.int64]
    #: int32: of each page in turn, its terms as indices of the vocabulary, rising
    terms: NDArray[np.int32]
    #: int32: how often it says each
    times: NDArray[np.int32]

    def encode(self) -> bytes:
        """To be kept on disk and read back by `decode`: six bytes a term and page, and the vocabulary."""
        small = np.minimum(self.times, 0xFFFF).astype("<u2")
        large = np.flatnonzero(self.times > 0xFFFF)
        return msgspec.msgpack.encode(
            (
                "\n".join(self.vocabulary),
                self.hashes.astype("<u8").tobytes(),
                self.starts.astype("<i8").tobytes(),
                self.terms.astype("<i4").tobytes(),
                small.tobytes(),
                large.astype("<i8").tobytes(),
                self.times[large].astype("<i4").tobytes(),
            )
        )


def decode(data: bytes) -> Counts:
    """What `Counts.encode` gave."""
    joined, hashes, starts, terms, small, large, exact = msgspec.msgpack.decode(
        data, type=tuple[str, bytes, bytes, bytes, bytes, bytes, bytes]
    )
    times = np.frombuffer(small, "<u2").astype(np.int32)
    times[np.frombuffer(large, "<i8")] = np.frombuffer(exact, "<i4")
    return Counts(
        joined.split("\n") if joined else [],
        np.frombuffer(hashes, "<u8"),
        np.frombuffer(starts, "<i8"),
        np.frombuffer(terms, "<i4"),
        times,
    )


def count(texts: Texts) -> Counts:
    """Count the terms of a batch."""
    chosen = np.flatnonzero(np.fromiter(map(is_term, texts.vocabulary), np.bool_, len(texts.vocabulary)))
    chosen = chosen[np.argsort(texts.hashes[chosen])]
    ranks = np.full(len(texts.vocabulary), -1, np.int64)
    ranks[chosen] = np.arange(len(chosen))
    pages = len(texts.starts) - 1
    page = np.repeat(np.arange(pages, dtype=np.int64) << 32, np.diff(texts.starts))
    found = ranks[texts.numbers]
    keys = (page | found)[found >= 0]
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    terms = keys[first]
    starts = np.searchsorted(terms, np.arange(pages + 1, dtype=np.int64) << 32)
    times = np.diff(first, append=len(keys)).astype(np.int32)
    vocabulary = [texts.vocabulary[at] for at in chosen.tolist()]
    return Counts(vocabulary, texts.hashes[chosen], starts, (terms & 0xFFFFFFFF).astype(np.int32), times)


def frequencies(counts: Counts) -> Frequencies:
    """Those of one batch."""
    return Frequencies(
        len(counts.starts) - 1, counts.hashes, np.bincount(counts.terms, minlength=len(counts.hashes)).astype(np.int64)
    )


def merge(parts: Iterable[Frequencies]) -> Frequencies:
    """Those of all pages of the parts; the same in whatever order they come."""
    kept = list(parts)
    hashes = np.concatenate([np.zeros(0, np.uint64), *(part.hashes for part in kept)])
    counts = np.concatenate([np.zeros(0, np.int64), *(part.counts for part in kept)])
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    first = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
    summed = np.add.reduceat(counts[order], first) if len(first) else counts
    return Frequencies(sum(part.pages for part in kept), hashes[first], summed)


def page_keywords(counts: Counts, whole: Frequencies, top: int = TOP) -> list[list[Keyword]]:
    """The terms of each page of a batch with the highest weights, highest first; of equals, by their hashes."""
    weights = term_weights(counts, whole)
    return [
        [(counts.vocabulary[term], weight) for term, weight in zip(terms.tolist(), own.tolist(), strict=True)]
        for terms, own in heaviest(counts, weights, top)
    ]


def term_weights(counts: Counts, whole: Frequencies) -> NDArray[np.float64]:
    """Of each page in turn, the weight of each of its terms."""
    pages = len(counts.starts) - 1
    page = np.repeat(np.arange(pages), np.diff(counts.starts))
    weights = (1 + np.log(counts.times)) * whole.idf(counts.hashes)[counts.terms]
    lengths = np.sqrt(np.bincount(page, weights * weights, pages))
    return weights / lengths[page]


def heaviest(
    counts: Counts, weights: NDArray[np.float64], top: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float64]]]:
    """Of each page in turn, the `top` terms with the highest weights, and these; of equals, the first."""
    for start, end in pairwise(counts.starts.tolist()):
        own = weights[start:end]
        if len(own) > top:
            least = np.partition(own, -top)[-top]
            over, equal = np.flatnonzero(own > least), np.flatnonzero(own == least)
            chosen = np.sort(np.concatenate([over, equal[: top - len(over)]]))
        else:
            chosen = np.arange(len(own))
        chosen = chosen[np.argsort(-own[chosen], kind="stable")]
        yield counts.terms[start:end][chosen], own[chosen]
