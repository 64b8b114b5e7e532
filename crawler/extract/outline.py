"""How is a page divided? Its headings, by level."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.html import heading_of
from crawler.extract.record_parts import Heading

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from crawler.extract.html import Document

MAX_HEADINGS = 500
_MAX_CHARS = 1_000
_LEVELS = {create_tag(f"h{level}").tag_id: level for level in range(1, 7)}
_HEADINGS = re.compile(b"[%s]" % re.escape(bytes(_LEVELS)))


def headings(document: Document) -> tuple[tuple[Heading, ...], bool]:
    """The elements h1 to h6 that have text, in document order; and whether something was cut."""
    nodes = _nodes(document)
    found = []
    was_cut = len(nodes) > MAX_HEADINGS
    for level, node, is_plain in nodes[:MAX_HEADINGS]:
        text = heading_of(node, is_plain=is_plain)
        was_cut |= len(text) > _MAX_CHARS
        if text:
            found.append(Heading(level, text[:_MAX_CHARS]))
    return tuple(found), was_cut


def _nodes(document: Document) -> list[tuple[int, LexborNode, bool]]:
    """The headings, their levels, and which are plain: of the boxes, where the walk has taken note of them."""
    boxes = document.boxes
    if len(boxes.tags) > 1:
        nodes, tags, is_mixed = boxes.nodes, boxes.tags, boxes.is_mixed
        numbers = [found.start() for found in _HEADINGS.finditer(tags)]
        return [
            (_LEVELS[tags[number]], node, not is_mixed[number])
            for number in numbers
            if (node := nodes[number]) is not None
        ]
    return [(_LEVELS[node.tag_id], node, False) for node in document.tree.css("h1, h2, h3, h4, h5, h6")]
