"""Given links between pages that are alike, which are a cluster, and which page stands for it?

What links join is a draft only, as A may be like B and B like C while A and C have nothing in common. The
representative is the page of a draft that is most like the others (of a sample of them, where it is large; the first
of equals). Those near *it* are its cluster. What links the others have among each other makes new drafts, and each
time a link must be a little stronger: so a chain falls apart, and every member of a cluster is as near to its
representative as two pages need be to have a link.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    #: of two arrays of indices, pair by pair: how alike the pages are, 0 to 1
    Alike = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]

_STRONGER = 0.02
"""By so much links must be stronger from round to round."""
_SAMPLE = 48


class Links(NamedTuple):
    """Pairs of pages that are alike."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    similarity: NDArray[np.float32]

    def at_least(self, near: float, among: NDArray[np.bool_]) -> Links:
        """Those that are strong enough, between pages that `among` marks."""
        kept = (self.similarity >= near) & among[self.one] & among[self.other]
        return Links(self.one[kept], self.other[kept], self.similarity[kept])


class Clusters(NamedTuple):
    """Which cluster each of n pages is in."""

    #: int64 (n,): the index of the representative, a member itself (``labels[labels] == labels``); its own if alone
    labels: NDArray[np.int64]
    #: float32 (n,): similarity to the representative, 1 for equal texts
    similarity: NDArray[np.float32]


def join(roots: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    """Note in `roots` that pairs of pages belong together. Each has the least index of all it is joined with."""
    while True:
        low, high = roots[one], roots[other]
        apart = low != high
        if not apart.any():
            return
        one, other, low, high = one[apart], other[apart], low[apart], high[apart]
        np.minimum.at(roots, np.maximum(low, high), np.minimum(low, high))
        while (further := roots[roots] != roots).any():
            roots[further] = roots[roots[further]]


def settle(count: int, links: Links, alike: Alike, near: float) -> Clusters:
    """The clusters of pages 0 to `count`, of which those that are `near` each other have links."""
    found = Clusters(np.arange(count), np.ones(count, np.float32))
    left = np.ones(count, np.bool_)
    strength = near
    while len((links := links.at_least(strength, left)).one):
        roots = np.arange(count)
        join(roots, links.one, links.other)
        members = np.flatnonzero(np.bincount(roots, minlength=count)[roots] > 1)
        members = members[np.argsort(roots[members], kind="stable")]
        edges = np.flatnonzero(np.diff(roots[members], prepend=-1, append=-1))
        for draft in (members[start:end] for start, end in pairwise(edges.tolist())):
            _found(draft, alike, near, found, left)
        strength += _STRONGER
    return found


def _found(draft: NDArray[np.int64], alike: Alike, near: float, found: Clusters, left: NDArray[np.bool_]) -> None:
    """Make a cluster of those of a draft that are near its representative, and leave the others for later."""
    middle = _representative(draft, alike)
    likeness = alike(np.full(len(draft), middle), draft)
    likeness[draft == middle] = 1
    kept = likeness >= near
    found.labels[draft[kept]] = middle
    found.similarity[draft[kept]] = likeness[kept]
    left[draft[kept]] = False


def _representative(draft: NDArray[np.int64], alike: Alike) -> np.int64:
    """Which page is most like the others?"""
    if len(draft) == 2:
        return np.int64(draft[0])
    sample = draft if len(draft) <= _SAMPLE else draft[np.linspace(0, len(draft) - 1, _SAMPLE).astype(np.int64)]
    likeness = alike(np.repeat(sample, len(sample)), np.tile(sample, len(sample))).reshape(len(sample), -1)
    return np.int64(sample[likeness.sum(axis=1).argmax()])
