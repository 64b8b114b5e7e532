"""What do a page's robots meta elements and X-Robots-Tag headers ask of us?

As Google documents them (Search Central, "Robots meta tag, data-nosnippet, and X-Robots-Tag specifications"):
directives stand between commas, in any letter case; ``none`` means noindex and nofollow; what is said to all and what
is said to our product add up, so the most restrictive wins and ``all``, ``index`` and ``follow`` take nothing back.
In a header, ``name:`` says to whom the rest of it is addressed, up to the next name. Whether the crawl does as asked
is the configuration's to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HEADER = b"x-robots-tag"
_ADDRESSEE = re.compile(r"[a-z0-9_-]+")
#: directives with a value of their own, which a colon precedes, too
_VALUED = frozenset(("max-image-preview", "max-snippet", "max-video-preview", "unavailable_after"))
_PLAIN = "all follow index indexifembedded noarchive nocache nofollow noimageindex noindex none noodp nosnippet noydir"
#: the others. Some pages leave out the commas; words count if all of a run are known, as those of a date are not
_WORDS = frozenset((*_PLAIN.split(), "notranslate"))


class Asked(NamedTuple):
    """What a page asks of robots."""

    noindex: bool
    nofollow: bool


_NOTHING = Asked(noindex=False, nofollow=False)


def meta_names(product: str) -> frozenset[str]:
    """The names, in lower case, of meta elements that speak to the crawler called `product`."""
    return frozenset(("robots", product))


def asked(headers: Iterable[tuple[bytes, bytes]], metas: Sequence[str], product: str) -> Asked:
    """What one response asks.

    Args:
        headers: All of them, as received.
        metas: Contents of its meta elements that bear one of `meta_names`.
        product: Our name, `robots.product_name` of the User-Agent.
    """
    said = list(metas)
    for key, value in headers:
        if len(key) == len(_HEADER) and key.lower() == _HEADER:
            said += _addressed(value.decode("latin-1"), product)
    if not said:
        return _NOTHING
    words = {word for text in said for part in text.split(",") for word in _known_words(part)}
    none = "none" in words
    return Asked(noindex=none or "noindex" in words, nofollow=none or "nofollow" in words)


def _addressed(header: str, product: str) -> Iterator[str]:
    """The parts of an X-Robots-Tag that are said to all or to `product`."""
    to_us = True
    for part in header.split(","):
        start, colon, rest = part.partition(":")
        name = start.strip().lower()
        if not colon or name in _VALUED or not _ADDRESSEE.fullmatch(name):  # dates have colons as well
            text = part
        else:
            to_us, text = name == product, rest
        if to_us:
            yield text


def _known_words(part: str) -> Sequence[str]:
    words = part.lower().split()
    return words if _WORDS.issuperset(words) else ()
