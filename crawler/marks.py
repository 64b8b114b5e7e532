"""What does a page say, in a few numbers? Enough to tell whether another one says the same."""

from __future__ import annotations

import msgspec


class Marks(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """Hashes of what a page says, 64 bits each, by `extract.marks`: pages that say the same have the same."""

    words: int = 0  #: its words, but for its own URL
    others: int = 0  #: its words, but for those that its URL is made of, numbers aside
    loose_words: int = 0  #: of `words`, those that are no numbers, months or days
    loose_others: int = 0  #: of `others`, likewise
    #: fingerprints of links that lead out of the page's family of URLs, known or not; some of them, if they are many
    leads: tuple[int, ...] = ()
