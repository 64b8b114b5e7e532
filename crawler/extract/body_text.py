"""What stands as text in the boxes of a document? Read a box at a time, where one holds no other.

A box of plain text and inline elements, as most are, gives all of it by one call; only what holds boxes, or anything
else by which text is parted, is gone through child by child.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.main_boxes import ANCHOR
from crawler.extract.reading import SEPARATORS, SPACE, SVG, TEXT, UNBOXED, UNREAD, follows_block, raw_text_of
from crawler.extract.text import BLOCK, preformatted_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborNode

    from crawler.extract.main_boxes import Boxes

PREFORMATTED = frozenset(create_tag(name).tag_id for name in ("pre", "textarea"))

_IDEOGRAPHS = "\u2e80"
"""The first of the characters of which few make a sentence: CJK, kana, Hangul."""
_BREAKING = UNREAD | SEPARATORS.keys()
_PLAIN = SEPARATORS.keys() - UNBOXED - PREFORMATTED
"""Elements that are boxes and nothing else."""
_WIDE = re.compile(f"[{_IDEOGRAPHS}-\U0010ffff]")
_UNREAD = UNREAD | {SVG}
_ASCII_SPACE = "\t\n\f\r "
_EVENLY = 2
"""Of a box whose text counts as it is, with no white space between elements and no character for three."""
_NODE = BLOCK
"""Parts the text nodes of a text that is taken at once; see there why none holds it."""


class BodyText:
    """The text of what is in `top`, in parts, in document order."""

    __slots__ = ("_boxes", "_read", "_sizes", "parts", "places", "preformatted", "texts")

    def __init__(self, boxes: Boxes, top: LexborNode | None) -> None:
        self._boxes = boxes
        self.parts: list[str] = [BLOCK]
        #: which of `parts` are texts, and at which place of `boxes` each is
        self.texts: list[int] = []
        self.places: list[int] = []
        #: texts to be kept as they are, how many parts stand before, and their place
        self.preformatted: list[tuple[int, str, int]] = []
        self._sizes = [0, 0] * len(boxes.nodes)
        #: for each box whether its text was taken along with that of links in it, or even all of it counts as it is
        self._read = bytearray(len(boxes.nodes))
        if top is not None:
            self._take(top)

    def sizes(self, links: Iterable[LexborNode]) -> list[int]:
        """At each place of `boxes`, how long its text is in characters; white space between elements aside.

        Characters from U+2E80 on, ideographs and syllables, count for three: a sentence has a third as many.

        Args:
            links: All there are.
        """
        sizes = self._sizes.copy()
        read, boxes, evenly = self._read, self._boxes, _EVENLY
        places, near = boxes.places.get, boxes.near
        for link in links:
            parent = link.parent
            if parent is None:
                continue  # of a template
            place = places(parent.mem_id)
            if place is None:
                place = near(link)
            how = read[place >> 1]
            # In a box that is in a link, all is; and what holds boxes was gone through.
            if how and not place & 1 and places(link.mem_id) is None:
                if how == evenly:
                    size = len(link.text_lexbor())
                else:
                    text = link.text(separator=_NODE)
                    size = _size_of(text, text.split(_NODE))
                sizes[place] -= size
                sizes[place + 1] += size
        return sizes

    def _take(self, top: LexborNode) -> None:  # noqa: PLR0912, PLR0915 - calls would cost more than all else
        boxes = self._boxes
        place_of, is_mixed = boxes.places.get, boxes.is_mixed
        parts, texts, places = self.parts, self.texts, self.places
        read, sizes = self._read, self._sizes
        separators, breaking, plain, space, text_tag = SEPARATORS, _BREAKING, _PLAIN, SPACE, TEXT
        place = place_of(top.mem_id, 0)
        last = BLOCK
        stack: list[tuple[Iterator[LexborNode], int]] = [(top.iter(include_text=True, skip_empty=True), place)]
        # A link is a box from the first thing in it on that makes it one; what stands before is in the box around.
        link, link_place = -1, 0
        while stack:
            nodes, place = stack[-1]
            for node in nodes:
                tag = node.tag_id
                if tag in plain and link < 0 and (inner := place_of(node.mem_id)) is not None:
                    last = separators[tag]
                    parts.append(last)
                    if is_mixed[inner >> 1]:
                        stack.append((node.iter(include_text=True, skip_empty=True), inner))
                        break
                    text = node.text(True, _NODE)  # noqa: FBT003 - names cost a tenth of it
                    read[inner >> 1] = 1
                    if not text:
                        continue
                    last = text
                    if _NODE in text:
                        nodes_texts = text.split(_NODE)
                        size = _size_of(text, nodes_texts)
                        text = "".join(nodes_texts)
                    elif text.isspace():
                        size = 0
                    else:
                        size = len(text)
                        if not text.isascii() and text[size >> 1] >= _IDEOGRAPHS:
                            size *= 3
                    sizes[inner] = size
                    if size == len(text) and text.isascii():
                        read[inner >> 1] = _EVENLY
                    texts.append(len(parts))
                    places.append(inner)
                    parts.append(text)
                    continue
                at = place
                if tag == text_tag:
                    text = node.text_content or ""
                else:
                    if tag in breaking:
                        if link >= 0:
                            stack[link] = (stack[link][0], link_place)
                            place = stack[-1][1]
                            link = -1
                        if tag in UNREAD:
                            continue
                        last = separators[tag]
                        parts.append(last)
                        if tag == SVG:
                            continue
                    inner = place_of(node.mem_id)
                    if inner is not None:
                        at = inner
                        if tag in PREFORMATTED:
                            self._keep(node, at)
                            continue
                        is_link = tag == ANCHOR and at >> 1 != place >> 1
                        if is_link:
                            link, link_place = len(stack), at
                        if link >= 0:
                            at = place | is_link
                        if link >= 0 or at >> 1 == place >> 1 or is_mixed[at >> 1]:
                            stack.append((node.iter(include_text=True, skip_empty=True), at))
                            break
                    text = node.text(True, _NODE)  # noqa: FBT003 - names cost a tenth of it
                    read[at >> 1] = 1
                if not text:
                    continue
                if text[0] not in space and last[-1] not in space:
                    parts.append(_parting(node))
                last = text
                if not text.isspace():
                    texts.append(len(parts))
                    places.append(at)
                    if _NODE in text:
                        nodes_texts = text.split(_NODE)
                        sizes[at] += _size_of(text, nodes_texts)
                        text = "".join(nodes_texts)
                    else:
                        length = len(text)
                        sizes[at] += length if text.isascii() or text[length >> 1] < _IDEOGRAPHS else 3 * length
                parts.append(text)
            else:
                stack.pop()
                if link == len(stack):
                    link = -1

    def _keep(self, preformatted: LexborNode, place: int) -> None:
        """Take in the text of an element as it is."""
        is_plain = not self._boxes.is_mixed[place >> 1]
        lines = preformatted_lines(preformatted.text_lexbor() if is_plain else raw_text_of(preformatted))
        self.preformatted.append((len(self.parts), lines, place))
        self._sizes[place] += len(lines)


def _parting(node: LexborNode) -> str:
    """What parts the text of `node` from that before it: white space that was skipped, a block that ended, or nothing.

    Goes back to the text before, so that all that is between two texts is passed once.
    """
    first = next((one for one in node.traverse(include_text=True) if one.tag_id == TEXT), node)
    at: LexborNode | None = first
    while at is not None:
        before = at.prev
        at = at.parent if before is None else before
        while before is not None and before.tag_id not in _UNREAD:
            at, before = before, before.last_child
        if at is not None and at.tag_id == TEXT:
            if not (at.text_content or "").strip(_ASCII_SPACE):
                return " "
            break
    return BLOCK if follows_block(first) else ""


def _size_of(text: str, parts: list[str]) -> int:
    """The length of text nodes, `text` having them joined by `_NODE`, as of `BodyText.sizes`."""
    if text.isascii() or not _WIDE.search(text):
        return len(text) - len(parts) + 1 - sum(map(len, filter(str.isspace, parts)))
    size = 0
    for part in parts:
        if part and not part.isspace():
            length = len(part)
            size += length if part.isascii() or part[length >> 1] < _IDEOGRAPHS else 3 * length
    return size
