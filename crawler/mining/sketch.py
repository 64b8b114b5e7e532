"""What of a text is kept to find its near-duplicates? A sketch of `BUCKETS` numbers of 16 bits.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crawler.mining.words import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crawler.mining.words import Texts

BUCKETS = 256


def sketches(texts: Texts) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """The sketches of a batch, (n, `BUCKETS`), and which of the texts have one: those with a word at all.

    Two texts that are the same but for white space and signs have the same sketch; too short ones to compare have one
    that only equal texts share.
    """
    raise NotImplementedError


def sketch(text: str) -> bytes | None:
    """The sketch of one text, `BUCKETS` little-endian numbers of two bytes; None of a text without a word."""
    found, has = sketches(number([text]))
    return found[0].astype("<u2").tobytes() if has[0] else None
