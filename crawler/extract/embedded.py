"""Which pictures of a page are to be fetched, because they are wanted as files?

Where ``export.files`` asks for a content type of images, all that the page shows, else those whose URL it asks for:
``src`` and ``srcset`` of ``img``, of ``source`` within ``picture``, and icons (HTML, sections 4.8.2, 4.8.3, 4.6.7.8).
They are hrefs like those of links, in document order and once each, still to be resolved and judged by the scope.
Without such patterns nothing is looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from crawler.config.filing import Filed

MAX_EMBEDDED: Final = 10_000
"""Pictures taken of one page."""

_SELECTOR: Final = "img[src], img[srcset], picture > source[srcset], link[rel~=icon i][href]"
_MAX_HREF_CHARS: Final = 65_536
_MAX_CANDIDATES: Final = 100
_URL: Final = re.compile(r"[\s,]*+(\S++)")


def embedded(
    tree: LexborHTMLParser, filed: Filed, resolve: Callable[[str], str | None] | None = None
) -> tuple[str, ...]:
    """The hrefs of pictures that are wanted, at most `MAX_EMBEDDED`.

    Args:
        tree: The page.
        filed: What is wanted.
        resolve: An href as a canonical URL, against which patterns on URLs are held; None where there is none. Needed
            unless content types decide.
    """
    if not filed.wants_images and resolve is None:
        return ()
    found: dict[str, None] = {}
    for element in tree.css(_SELECTOR):
        for href in _hrefs(element):
            if href in found or len(href) > _MAX_HREF_CHARS or href[:5].lower() == "data:":
                continue
            if filed.wants_images or (resolve is not None and _is_wanted(filed, resolve(href))):
                found[href] = None
                if len(found) >= MAX_EMBEDDED:
                    return tuple(found)
    return tuple(found)


def _is_wanted(filed: Filed, url: str | None) -> bool:
    return url is not None and filed.wants_url(url)


def _hrefs(element: LexborNode) -> Iterator[str]:
    attributes = element.attributes
    for name in ("href", "src"):
        if href := (attributes.get(name) or "").strip():
            yield href
    srcset = attributes.get("srcset")
    if srcset and len(srcset) <= _MAX_HREF_CHARS:
        yield from _candidates(srcset)


def _candidates(srcset: str) -> Iterator[str]:
    """The URLs of a srcset, in order."""
    at = 0
    for _ in range(_MAX_CANDIDATES):  # HTML, "parse a srcset attribute"
        match = _URL.match(srcset, at)
        if match is None:
            return
        yield match[1].rstrip(",")
        at = match.end()
        if not match[1].endswith(","):  # descriptors follow, up to the next comma
            at = srcset.find(",", at)
            if at < 0:
                return
