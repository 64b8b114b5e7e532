"""Which pages say nearly the same? Clusters of sketches, or of fingerprints where a crawl kept no texts.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Clusters(NamedTuple):
    """Which cluster each of n pages is in."""

    #: int64 (n,): the index of the representative, a member itself (``labels[labels] == labels``); its own if alone
    labels: NDArray[np.int64]
    #: float32 (n,): the estimated Jaccard similarity of the text with the representative's; 1 for that and equal ones
    similarity: NDArray[np.float32]


def clusters(sketches: NDArray[np.uint16]) -> Clusters:
    """Clusters of near-duplicates.

    Args:
        sketches: (n, `crawler.mining.sketch.BUCKETS`), of pages that have one; may be a memory-mapped file, which is
            read in order, a part at a time, and looked up where two may be alike.
    """
    raise NotImplementedError


def fingerprint_clusters(fingerprints: NDArray[np.uint64]) -> Clusters:
    """Clusters by the fingerprints of records alone (n,), for crawls without texts: finds fewer."""
    raise NotImplementedError
