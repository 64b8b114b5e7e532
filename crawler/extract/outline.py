"""How is a page divided? Its headings, by level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.html import heading_of
from crawler.extract.record_parts import Heading

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

MAX_HEADINGS = 500
_MAX_CHARS = 1_000


def headings(tree: LexborHTMLParser) -> tuple[tuple[Heading, ...], bool]:
    """The elements h1 to h6 that have text, in document order; and whether something was cut."""
    nodes = tree.css("h1, h2, h3, h4, h5, h6")
    found = []
    was_cut = len(nodes) > MAX_HEADINGS
    for node in nodes[:MAX_HEADINGS]:
        text = heading_of(node)
        was_cut |= len(text) > _MAX_CHARS
        if text:
            found.append(Heading(int((node.tag or "h6")[1]), text[:_MAX_CHARS]))
    return tuple(found), was_cut
