"""Which images does a page show? Their URLs and alternative texts, those that load late included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.record_parts import Image
from crawler.extract.text import collapsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from selectolax.lexbor import LexborHTMLParser

MAX_IMAGES = 1_000
_MAX_ALT_CHARS = 1_000
_MAX_HREF_CHARS = 8_000
#: where scripts that load images late keep the address, by how common it is
_LATE = ("data-src", "data-lazy-src", "data-original", "data-srcset", "data-lazy-srcset")


def images(tree: LexborHTMLParser, resolve: Callable[[str], str | None]) -> tuple[tuple[Image, ...], bool]:
    """The img elements with an http(s) URL, each URL once, in document order; and whether something was cut.

    Args:
        tree: The page.
        resolve: Makes a canonical URL of a reference.
    """
    found: dict[str, str | None] = {}
    was_cut = False
    for node in tree.css("img"):
        attributes = node.attributes
        url = _url(attributes, resolve)
        if url is None:
            continue
        alt = attributes.get("alt") if "alt" in attributes else None
        text = collapsed(alt or "") if "alt" in attributes else None
        if text is not None and len(text) > _MAX_ALT_CHARS:
            text, was_cut = text[:_MAX_ALT_CHARS], True
        if url in found:
            found[url] = found[url] or text
        elif len(found) == MAX_IMAGES:
            was_cut = True
            break
        else:
            found[url] = text
    return tuple(Image(url, alt) for url, alt in found.items()), was_cut


def _url(attributes: dict[str, str | None], resolve: Callable[[str], str | None]) -> str | None:
    for name in ("src", *_LATE, "srcset"):
        reference = (attributes.get(name) or "").strip()
        if "srcset" in name:
            reference = reference.partition(" ")[0].rstrip(",")
        if not reference or len(reference) > _MAX_HREF_CHARS or reference.startswith("data:"):
            continue
        if name == "src" and any(attributes.get(late) for late in _LATE):
            continue  # a placeholder
        if url := resolve(reference):
            return url
    return None
