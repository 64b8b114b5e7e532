"""Which pages say nearly the same? Clusters of sketches, or of fingerprints where a crawl kept no texts.

Equal sketches are one from the start, so a million equal pages cost what one does. Candidates are those that agree in
a *band*: a few of the numbers of a sketch. Band by band, all are sorted by it, and each is compared with the few before
it in the same bucket (sorted by one more number, so that the likest are neighbours) and with the first of the bucket:
a bucket of a million, as boilerplate makes it, costs no more than many small ones. Those whose whole sketches are alike
have a link; what is made of links is `crawler.mining.linked`'s.

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
"""From this similarity on two texts are near-duplicates: measured, see `crawler.mining.sketch`."""
NEAR_BITS = 5
"""In so many bits fingerprints of near-duplicates may differ."""

_SETTLED = 0.8  # pages that links so strong join need not be compared again
_BAND = 3
_BANDS = sketch.HALF // _BAND
_BANDS_AT_ONCE = 7  # read in one go through the file, at 8 bytes a page and band
_ROWS = 1 << 16
_PAIRS = 1 << 13  # compared at once: what fits a processor's cache
_BEFORE = 3


def clusters(sketches: NDArray[np.uint16], near: float = NEAR) -> Clusters:
    """Clusters of near-duplicates.

    Args:
        sketches: (n, `crawler.mining.sketch.SIZE`), of pages that have one; may be a memory-mapped file, which is read
            in order, a part at a time, and looked up where two may be alike.
        near: The least similarity of near-duplicates.
    """
    first, copies = _distinct(_digests(sketches))
    compared = _Compared(sketches, first)
    compared.shared = shared(compared.rows, len(first), sketch.SIZE, compared.alike, near - 0.05)
    links = _links(len(first), _bands(compared), compared.alike, near)
    return _spread(settle(len(first), links, compared.alike, near), first, copies)


class _Compared:
    """Sketches, one of each kind, and which of their numbers do not count."""

    def __init__(self, sketches: NDArray[np.uint16], first: NDArray[np.int64]) -> None:
        self._sketches = sketches
        self._first = first
        self.shared = np.zeros((0, sketch.SIZE // 8), np.uint8)

    def rows(self) -> Iterator[NDArray[np.uint16]]:
        """The sketches in order, some at a time."""
        for at in range(0, len(self._first), _ROWS):
            yield self._sketches[self._first[at : at + _ROWS]]

    def alike(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float32]:
        """How alike pairs of them are."""
        found = np.empty(len(one), np.float32)
        for at in range(0, len(one), _PAIRS):
            part = slice(at, at + _PAIRS)
            found[part] = self._alike(one[part], other[part])
        return found

    def _alike(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float32]:
        equal = self._sketches[self._first[one]] == self._sketches[self._first[other]]
        plain = equal.sum(axis=1, dtype=np.uint16) * np.float32(1 / sketch.SIZE)
        if not len(self.shared):
            return plain
        counted = ~(self.shared[one] | self.shared[other])
        of = np.bitwise_count(counted).sum(axis=1, dtype=np.uint16)
        own = np.bitwise_count(np.packbits(equal, axis=1) & counted).sum(axis=1, dtype=np.uint16)
        return np.where(of < LEAST, plain, own / np.maximum(of, 1)).astype(np.float32)


LEAST = 32


def fingerprint_clusters(fingerprints: NDArray[np.uint64]) -> Clusters:
    """Clusters by the fingerprints of records alone (n,), for crawls without texts: finds fewer.

    All pairs that differ in at most `NEAR_BITS` bits meet, as of eight bytes three are equal then.
    """
    first, copies = _distinct(fingerprints)
    octets = fingerprints[first].astype("<u8").view(np.uint8).reshape(-1, 8)

    def alike(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float32]:
        differing = np.bitwise_count(fingerprints[first[one]] ^ fingerprints[first[other]])
        return np.float32(1) - np.minimum(differing, 32).astype(np.float32) / 32

    def bands() -> Iterator[NDArray[np.uint64]]:
        for equal in combinations(range(8), 3):
            places = [*equal, *(place for place in range(8) if place not in equal)]
            yield np.ascontiguousarray(octets[:, places]).view(">u8")[:, 0].astype(np.uint64)

    near = 1 - NEAR_BITS / 32
    return _spread(
        settle(len(first), _links(len(first), bands(), alike, near, key_bits=24), alike, near), first, copies
    )


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


def _bands(compared: _Compared) -> Iterator[NDArray[np.uint64]]:
    """Band by band: a band's numbers of each sketch, and below them one more that sorts those that agree."""
    count = len(compared.shared)
    for start in range(0, _BANDS, _BANDS_AT_ONCE):
        keys = np.zeros((min(_BANDS_AT_ONCE, _BANDS - start), count), np.uint64)
        at = 0
        for rows in compared.rows():
            end = at + len(rows)
            half = rows[:, : sketch.HALF].copy()
            own = np.unpackbits(compared.shared[at:end, : sketch.HALF // 8], axis=1) == 0
            own[~own.any(axis=1)] = True
            sketch.borrow(half, own)
            for band in range(len(keys)):
                for column in range(_BAND + 1):
                    part = half[:, ((start + band) * _BAND + column) % sketch.HALF]
                    keys[band, at:end] = keys[band, at:end] << np.uint64(16) | part
            at = end
        yield from keys


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
        for other in (firsts, *(places - back for back in range(1, _BEFORE + 1))):
            # the first is not compared with itself, nor twice with those it comes right before
            within = np.flatnonzero(
                (other >= firsts) & (other < places) if other is not firsts else places - firsts > _BEFORE
            )
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
