"""What does one pass over the elements of an HTML document take note of? All but its text, which `body_text` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.head import HEAD_TAGS
from crawler.extract.main_boxes import ANCHOR, Boxes
from crawler.extract.reading import SEPARATORS, UNBOXED, UNREAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborNode

_BODY, _H1, _SCRIPT, _TEMPLATE = (create_tag(name).tag_id for name in ("body", "h1", "script", "template"))
_AREA = create_tag("area").tag_id
#: all that the walk stops for; other elements, half of many pages, are passed by with one look-up
_NOTABLE = frozenset((*SEPARATORS, *UNREAD, *HEAD_TAGS, ANCHOR, _AREA, _BODY, _TEMPLATE))
_BOXED = frozenset((*SEPARATORS, _BODY)) - UNBOXED
#: what text is parted by, or is no part of
_PARTING = UNBOXED | UNREAD
#: elements of which nothing else is noted
_MERE = frozenset((*SEPARATORS, *UNREAD, _BODY)) - {_H1, _SCRIPT}


class Walk:
    """What one pass over elements, in document order, takes note of.

    Args:
        elements: What is passed.
        want_boxes: Whether `boxes` are wanted too, which doubles the work.
        within: The element that holds all of them, so that none looks further up for the box it is in.
    """

    __slots__ = ("_want_boxes", "areas", "boxes", "h1s", "hyperlinks", "noted", "scripts", "structured")

    def __init__(self, elements: Iterable[LexborNode], *, want_boxes: bool, within: LexborNode | None = None) -> None:
        self._want_boxes = want_boxes
        self.hyperlinks: list[LexborNode] = []
        self.areas: list[LexborNode] = []
        self.h1s: list[LexborNode] = []
        self.noted: list[tuple[int, LexborNode]] = []  # for `Head`
        self.scripts: list[LexborNode] = []
        self.boxes = Boxes()
        if within is not None:
            self.boxes.places[within.mem_id] = 0
        self.structured: set[int] = set()  # the `mem_id` of links with elements within that are more than markup
        self._walk(elements)
        self.boxes.note_mixed()

    def _walk(self, elements: Iterable[LexborNode]) -> None:
        # Runs thousands of times a page: a third of its time was the look-up of globals, so there are none.
        notable, anchor, mere, box_tags = _NOTABLE, ANCHOR, _MERE, _BOXED
        boxed, parting = (_BOXED, _PARTING) if self._want_boxes else (frozenset(), frozenset())
        boxes = self.boxes
        places, around, nodes = boxes.places, boxes.around, boxes.nodes
        place_of, add_node, add_tag, add_parent = places.get, nodes.append, boxes.tags.append, boxes.parents.append
        add_hyperlink = self.hyperlinks.append
        may_be_in_link = False
        for node in elements:
            tag = node.tag_id
            if tag not in notable:
                continue
            if tag == anchor:
                add_hyperlink(node)
                may_be_in_link = True
                continue
            if may_be_in_link:
                may_be_in_link = node.parent.tag_id not in box_tags and self._is_in_link(node)  # type: ignore[union-attr]
            if tag in boxed:
                place = place_of(node.parent.mem_id)  # type: ignore[union-attr]
                if place is None:
                    place = around(node)
                places[node.mem_id] = 2 * len(nodes) + (place & 1)
                add_parent(place >> 1)
                add_node(node)
                add_tag(tag)
            elif tag in parting:
                boxes.part(node, tag)
            if tag not in mere:
                self._note(node, tag)

    def _is_in_link(self, node: LexborNode) -> bool:
        """Whether a link is the nearest notable element around `node`; if so, it is known as structured from now on.

        To ask of each notable element from a link up to the first that is not in one, finds all structured links.
        """
        around = node.parent
        while around is not None and (tag := around.tag_id) not in _NOTABLE:
            around = around.parent
        if around is None or tag != ANCHOR:
            return False
        link = around.mem_id
        if link not in self.structured:
            self.structured.add(link)
            if self._want_boxes:
                self.boxes.add(around, tag)
        return True

    def _note(self, node: LexborNode, tag: int) -> None:
        """Take in an element met a few times a page."""
        if tag == _SCRIPT:
            self.scripts.append(node)
        elif tag == _H1:
            self.h1s.append(node)
        elif tag == _AREA:
            self.areas.append(node)
            self.hyperlinks.append(node)
        elif tag == _TEMPLATE:
            self._note_template(node)
        else:
            self.noted.append((tag, node))

    def _note_template(self, template: LexborNode) -> None:
        """Take in the hyperlinks of a template's content, which is a tree of its own, and of templates within."""
        templates = [template]
        while templates:
            for fragment in templates.pop().template_fragments():
                for node in fragment.traverse():
                    tag = node.tag_id
                    if tag == _TEMPLATE:
                        templates.append(node)
                    elif tag == ANCHOR:
                        self.hyperlinks.append(node)
                        self.structured.add(node.mem_id)  # for all we know
                    elif tag == _AREA:
                        self._note(node, tag)
