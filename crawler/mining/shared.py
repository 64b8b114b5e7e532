"""What do pages have in common that says nothing about them? A site's header and footer, and everyday words.

Two short pages of one site may share most of their words and still say different things. A number of a sketch that
many pages have in the same place comes from text they share. If most of these pages are not alike as a whole, that is
boilerplate, and does not count when two of them are compared; if they are, it is a large cluster, and counts. So a site
nearly all of whose pages share most of their words (from some 70 % on) is a cluster.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from crawler.mining.linked import Alike

_MANY = 30
"""So many pages must have a number at least, besides those that have it by chance."""
_CHANCE = 8 / (1 << 16)
_PAIRS = 64  # of them are compared
_COLUMNS = 16  # looked at in one go through the file, at 2 bytes a page


def shared(
    rows: Callable[[], Iterator[NDArray[np.uint16]]], count: int, size: int, alike: Alike, near: float
) -> NDArray[np.uint8]:
    """Which numbers of each sketch come from text that pages share though they are not alike.

    Args:
        rows: Goes through the sketches in order, some rows at a time.
        count: How many there are.
        size: The numbers of each.
        alike: Tells how alike two are as a whole.
        near: From which likeness on they are.

    Returns:
        (count, size / 8): a bit for each number, as `numpy.packbits` packs them.
    """
    found = np.zeros((count, size // 8), np.uint8)
    many = _MANY + int(count * _CHANCE)
    for start in range(0, size, _COLUMNS):
        columns = np.concatenate([part[:, start : start + _COLUMNS] for part in rows()]).T
        marks = np.zeros((_COLUMNS, count), np.bool_)
        for column, mark in zip(columns, marks, strict=True):
            common = np.bincount(column, minlength=1 << 16) >= many
            holders = np.flatnonzero(common[column])
            if len(holders):
                boilerplate = _unlike(column[holders], holders, alike, near)
                mark[holders] = boilerplate[column[holders]]
        found[:, start // 8 : (start + _COLUMNS) // 8] = np.packbits(marks.T, axis=1)
    return found


def _unlike(values: NDArray[np.uint16], holders: NDArray[np.int64], alike: Alike, near: float) -> NDArray[np.bool_]:
    """Of every number, if it is one whose holders are for the most part not alike."""
    order = np.argsort(values, kind="stable")
    values, holders = values[order], holders[order]
    begins = np.flatnonzero(np.diff(values.astype(np.int64), prepend=-1))
    counts = np.diff(begins, append=len(values))
    # evenly spread pairs of neighbours in the order of the crawl
    spots = begins[:, None] + (np.arange(_PAIRS) * (counts[:, None] - 1) // _PAIRS)
    likeness = alike(holders[spots].reshape(-1), holders[spots + 1].reshape(-1)).reshape(spots.shape)
    found = np.zeros(1 << 16, np.bool_)
    found[values[begins]] = (likeness >= near).mean(axis=1) < 0.5
    return found
