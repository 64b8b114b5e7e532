"""What of a text is kept to find its near-duplicates? A sketch: `SIZE` numbers of 16 bits.

Half of them are of its pairs of words in a row, half of its words. Of each half: the units are hashed and fall into
128 buckets, of each bucket the least hash counts (P. Li, A. Owen, C.-H. Zhang, "One permutation hashing", 2012), and
of that 16 bits (P. Li, A. C. König, "b-bit minwise hashing", 2010); an empty bucket borrows from another
(A. Shrivastava, "Optimal densification for fast and accurate minwise hashing", 2017). So the part of the numbers that
two sketches have in common estimates the Jaccard similarity of their units, with a standard error of 0.04.

Why two kinds: an edit of a single word spoils two pairs but one word, while what two pages have around their own text
(a header, a footer) is whole pairs. So pairs find candidates, as unrelated texts have next to none in common, and both
together tell edits from shared boilerplate, which pairs or longer shingles alone do not. The mean of both, of 150 pairs
of texts of 150 words drawn by Zipf's law, and where the extreme 2 % begin:

=====================================================  =========  =========  =========
.                                                      both       pairs      words
=====================================================  =========  =========  =========
1 % of the words edited                                97, 95 %   96, 92 %   99, 95 %
10 % of the words edited                               81, 76 %   73, 66 %   90, 84 %
10 % edited in one, other 10 % in the other            68, 62 %   56, 48 %   80, 72 %
a fifth in a row removed                               80, 74 %   78, 72 %   82, 74 %
nothing but three fifths, in a row, the same           45, 51 %   43, 50 %   48, 57 %
unrelated                                              4, 7 %     0, 2 %     8, 15 %
=====================================================  =========  =========  =========

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from crawler.mining.words import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crawler.mining.words import Texts

SIZE = 256
HALF = SIZE // 2
"""Numbers of pairs, which come first; as many of words follow."""
MIN_PAIRS = 8
"""Texts with fewer buckets that a pair fell into are alike if they are equal only: what they share says little."""

# A unit's key has its page in the batch on top, then its bucket, then the rest of its hash: sorting does all the work.
_PAGE_BITS = 12
_BUCKET_BITS = HALF.bit_length() - 1
_VALUE_BITS = 64 - _PAGE_BITS - _BUCKET_BITS
_DETOURS = 64
_AT_ONCE = 128
"""Pages: what they take fits a processor's cache. 4,096 take 95 us a page of 470 words, these 57."""


def sketches(texts: Texts) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """The sketches of a batch, (n, `SIZE`), and which of the texts have one: those with a word.

    Texts with the same words in the same order have the same sketch.
    """
    count = len(texts.starts) - 1
    found = np.empty((count, SIZE), np.uint16)
    for first in range(0, count, _AT_ONCE):
        _sketch(texts, first, found[first : first + _AT_ONCE])
    return found, np.diff(texts.starts) > 0


def sketch(text: str) -> bytes | None:
    """The sketch of one text, `SIZE` little-endian numbers of two bytes; None of a text without a word."""
    found, has = sketches(number([text]))
    return found[0].astype("<u2").tobytes() if has[0] else None


def _sketch(texts: Texts, first: int, out: NDArray[np.uint16]) -> None:
    """Fill in the sketches of the texts from `first` on."""
    starts = texts.starts[first : first + len(out) + 1]
    words = texts.hashes[texts.numbers[starts[0] : starts[-1]]]
    page = np.repeat(np.arange(len(out), dtype=np.uint64), np.diff(starts))
    pairs = _mixed(words[:-1] * np.uint64(0x9E3779B97F4A7C15) + words[1:])
    within = page[:-1] == page[1:]
    out[:, :HALF], filled = _least(page[:-1][within], pairs[within], len(out))
    out[:, HALF:], _ = _least(page, _mixed(words), len(out))
    few = np.flatnonzero(filled < MIN_PAIRS)
    for at in few[np.diff(starts)[few] > 0]:
        out[at] = _whole(words[starts[at] - starts[0] : starts[at + 1] - starts[0]])


def _least(
    page: NDArray[np.uint64], units: NDArray[np.uint64], count: int
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Of each page and bucket 16 bits of its least hash, and how many buckets of each page were not empty."""
    keys = page << np.uint64(64 - _PAGE_BITS) | units >> np.uint64(_PAGE_BITS)
    keys.sort()
    groups = keys >> np.uint64(_VALUE_BITS)
    first = np.flatnonzero(np.diff(groups, prepend=~groups[:1]))
    found = np.zeros((count, HALF), np.uint16)
    filled = np.zeros((count, HALF), np.bool_)
    spots = groups[first].astype(np.int64)
    found.reshape(-1)[spots] = keys[first].astype(np.uint16)
    filled.reshape(-1)[spots] = True
    borrow(found, filled)
    return found, filled.sum(axis=1)


def borrow(found: NDArray[np.uint16], filled: NDArray[np.bool_]) -> None:
    """Give every empty bucket what one that is not empty has: the same one in every text, if that has it."""
    rows, buckets = np.nonzero(~filled)
    for detour in _detours():
        donors = detour[buckets]
        has = filled[rows, donors]
        found[rows[has], buckets[has]] = found[rows[has], donors[has]]
        rows, buckets = rows[~has], buckets[~has]
    # whoever is unlucky 64 times: the first that has
    found[rows, buckets] = found[rows, filled.argmax(axis=1)[rows]]


@cache
def _detours() -> NDArray[np.int64]:
    """For a bucket that nothing fell into: which one to look at instead, and then."""
    spots = np.arange(_DETOURS * HALF, dtype=np.uint64).reshape(_DETOURS, HALF)
    return (_mixed(spots + np.uint64(1)) % np.uint64(HALF)).astype(np.int64)


def _whole(words: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """A sketch that only a text of the same words in the same order has."""
    order = np.arange(1, len(words) + 1, dtype=np.uint64)
    digest = _mixed(words + order * np.uint64(0x9E3779B97F4A7C15)).sum(dtype=np.uint64)
    return _mixed(np.arange(SIZE, dtype=np.uint64) + digest).astype(np.uint16)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hashes of numbers (the finisher of P. Evensen's "rrmxmx" family, which every bit of goes through)."""
    values = values ^ values >> np.uint64(32)
    values *= np.uint64(0xD6E8FEB86659FD93)
    values ^= values >> np.uint64(32)
    values *= np.uint64(0xD6E8FEB86659FD93)
    values ^= values >> np.uint64(32)
    return values
