"""Which pages say nearly the same? Clusters of sketches, or of fingerprints where a crawl kept no texts.

Equal sketches are one from the start, so a million equal pages cost what one does. Candidates are those that agree in
a *band*: a few numbers of a sketch. Band by band, all are sorted by it, and each is compared with the few before it in
the same bucket (sorted by one more number, so that the likest are neighbours) and with the first of the bucket: a
bucket of a million, as boilerplate makes it, costs no more than many small ones. Those whose whole sketches are alike,
but for what is shared with pages that are not (`crawler.mining.shared`), have a link; what is made of links is
`crawler.mining.linked`'s.

The threshold was chosen on two crawls of 20,000 planted pages (``python -m benchmarks.near`` makes others): from 0.5 to
0.6 precision was 1.000 and recall 1.000, or 0.994 where unrelated pages have up to four fifths of their words in common
with others of their site; at 0.65 recall was 0.999 and 0.994.

Fingerprints find less: 97 % of the pairs with 1 % of their words edited, 60 to 75 % with 3 %, 2 % with 10 %.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from crawler.mining import sketch
from crawler.mining.linked import Clusters, Links, join, settle
from crawler.mining.shared import shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from crawler.mining.linked import Alike

NEAR = 0.6
"""From this similarity on two texts are near-duplicates."""
NEAR_BITS = 5
"""In so many bits fingerprints of near-duplicates may differ."""

_SETTLED = 0.8  # pages that links so strong join need not be compared again
_BAND = 3
_BANDS = sketch.HALF // _BAND
_BANDS_AT_ONCE = 7  # read in one go through the file, at 8 bytes a page and band
_ROWS = 1 << 14
_PAIRS = 1 << 13  # compared at once: what fits a processor's cache
_BEFORE = 3
_LEAST_OWN = 32  # numbers that are not boilerplate, to be judged by these alone


def clusters(sketches: NDArray[np.uint16], near: float = NEAR) -> Clusters:
    """Clusters of near-duplicates.

    Args:
        sketches: (n, `crawler.mining.sketch.SIZE`), of pages that have one; may be a memory-mapped file, which is read
            in order, a part at a time, and looked up where two may be alike.
        near: The least similarity of near-duplicates.
    """
    if not len(sketches):
        return Clusters(np.zeros(0, np.int64), np.zeros(0, np.float32))
    first, copies = _distinct(_digests(sketches))
    compared = _Compared(sketches, first)
    compared.find_shared(near)
    links = _links(len(first), compared.bands(), compared.alike, near)
    return _spread(settle(len(first), links, compared.alike, near), first, copies)


def fingerprint_clusters(fingerprints: NDArray[np.uint64]) -> Clusters:
    """Clusters by the fingerprints of records alone (n,), for crawls without texts: finds fewer.

    All pairs that differ in at most `NEAR_BITS` bits meet, as of eight bytes three are equal then.
    """
    first, copies = _distinct(fingerprints)
    octets = fingerprints[first].astype("<u8").view(np.uint8).reshape(-1, 8)

    def alike(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float32]:
        differing = np.bitwise_count(fingerprints[first[one]] ^ fingerprints[first[other]])
        found: NDArray[np.float32] = (1 - np.minimum(differing, 32) / np.float64(32)).astype(np.float32)
        return found

    def bands() -> Iterator[NDArray[np.uint64]]:
        for equal in combinations(range(8), 3):
            places = [*equal, *(place for place in range(8) if place not in equal)]
            yield np.ascontiguousarray(octets[:, places]).view(">u8")[:, 0].astype(np.uint64)

    near = 1 - NEAR_BITS / 32
    links = _links(len(first), bands(), alike, near, key_bits=24)
    return _spread(settle(len(first), links, alike, near), first, copies)


class _Compared:
    """Sketches, one of each kind, and which of their numbers do not count."""

    def __init__(self, sketches: NDArray[np.uint16], first: NDArray[np.int64]) -> None:
        self._sketches = sketches
        self._first = first
        self._shared: NDArray[np.uint8] | None = None

    def find_shared(self, near: float) -> None:
        """Find what does not count, which takes comparisons where all counts."""
        self._shared = shared(self._rows, len(self._first), sketch.SIZE, self.alike, near)

    def _rows(self) -> Iterator[NDArray[np.uint16]]:
        for at in range(0, len(self._first), _ROWS):
            yield self._sketches[self._first[at : at + _ROWS]]

    def alike(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float32]:
        """How alike pairs of them are."""
        found = np.empty(len(one), np.float32)
        for at in range(0, len(one), _PAIRS):
            part = slice(at, at + _PAIRS)
            found[part] = self._alike(one[part], other[part])
        return found

    def _alike(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        equal = np.packbits(self._sketches[self._first[one]] == self._sketches[self._first[other]], axis=1)
        plain: NDArray[np.float64] = _bits(equal) / sketch.SIZE
        if self._shared is None:
            return plain
        own = ~(self._shared[one] | self._shared[other])
        of = _bits(own)
        return np.where(of < _LEAST_OWN, plain, _bits(equal & own) / np.maximum(of, 1))

    def bands(self) -> Iterator[NDArray[np.uint64]]:
        """Band by band: a band's numbers of each sketch, and below them one more that sorts those that agree."""
        for start in range(0, _BANDS, _BANDS_AT_ONCE):
            keys = np.zeros((min(_BANDS_AT_ONCE, _BANDS - start), len(self._first)), np.uint64)
            at = 0
            for rows in self._rows():
                pairs = self._own_pairs(rows[:, : sketch.HALF], at).astype(np.uint64)
                for band, key in enumerate(keys[:, at : at + len(rows)], start):
                    for column in range(band * _BAND, (band + 1) * _BAND + 1):
                        key[:] = key << np.uint64(16) | pairs[:, column % sketch.HALF]
                at += len(rows)
            yield from keys

    def _own_pairs(self, pairs: NDArray[np.uint16], at: int) -> NDArray[np.uint16]:
        """The numbers of pairs of some sketches as if what does not count were not in the texts."""
        if self._shared is None:
            return pairs
        own = np.unpackbits(self._shared[at : at + len(pairs), : sketch.HALF // 8], axis=1) == 0
        own[~own.any(axis=1)] = True
        pairs = pairs.copy()
        sketch.borrow(pairs, own)
        return pairs


def _bits(packed: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many bits are set in each row."""
    found: NDArray[np.int64] = np.bitwise_count(np.ascontiguousarray(packed).view(np.uint64)).sum(
        axis=1, dtype=np.int64
    )
    return found


def _distinct(digests: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The index of the first of each kind, rising, and of each its kind."""
    _, first, kinds = np.unique(digests, return_index=True, return_inverse=True)
    order = np.argsort(first)
    ranks = np.empty(len(first), np.int64)
    ranks[order] = np.arange(len(first))
    return first[order], ranks[kinds]


def _digests(sketches: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """A hash of 64 bits of each sketch."""
    factors = np.random.default_rng(2017).integers(1 << 63, size=(sketches.shape[1] // 4,), dtype=np.uint64) * 2 + 1
    found = np.empty(len(sketches), np.uint64)
    for at in range(0, len(sketches), _ROWS):
        rows = np.ascontiguousarray(sketches[at : at + _ROWS]).view(np.uint64)
        rows = (rows ^ rows >> np.uint64(29)) * factors
        found[at : at + _ROWS] = (rows ^ rows >> np.uint64(32)).sum(axis=1)
    return found


def _links(
    count: int, bands: Iterable[NDArray[np.uint64]], alike: Alike, near: float, key_bits: int = 16 * _BAND
) -> Links:
    """The links among `count` pages. Those that agree in the upper `key_bits` of a band are in the same bucket."""
    found: list[Links] = []
    settled = np.arange(count)
    for band in bands:
        order = np.argsort(band, kind="stable")
        buckets = band[order] >> np.uint64(64 - key_bits)
        begins = np.flatnonzero(np.diff(buckets, prepend=~buckets[:1]))
        firsts = np.repeat(begins, np.diff(begins, append=count))
        places = np.arange(count)
        for back in (None, *range(1, _BEFORE + 1)):
            other = firsts if back is None else places - back
            # the first is not compared with itself, nor twice with those that come soon after it
            within = np.flatnonzero(places - firsts > _BEFORE if back is None else other >= firsts)
            links = _alike(order[within], order[other[within]], settled, alike, near)
            strong = links.similarity >= _SETTLED
            join(settled, links.one[strong], links.other[strong])
            found.append(links)
    return Links(*map(np.concatenate, zip(*found, strict=True)))


def _alike(
    one: NDArray[np.int64], other: NDArray[np.int64], settled: NDArray[np.int64], alike: Alike, near: float
) -> Links:
    """Those of some pairs that are alike."""
    apart = settled[one] != settled[other]
    one, other = one[apart], other[apart]
    similarity = alike(one, other)
    kept = similarity >= near
    return Links(one[kept], other[kept], similarity[kept])


def _spread(found: Clusters, first: NDArray[np.int64], copies: NDArray[np.int64]) -> Clusters:
    """From what was found of the first of each kind to all."""
    return Clusters(first[found.labels][copies], found.similarity[copies])
