"""Which parts does a page have that could be kept or left out, and whose is a text?

A box is an element that holds others or text as a part of the page: a block, a table cell, a button. Boxes are known by
numbers, in document order, so that what is said of them are lists, and what holds a box comes before it. A link is one
only where it holds others; the text of other links is its box's, as linked text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.reading import SVG

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

ANCHOR = create_tag("a").tag_id


class Boxes:
    """The boxes of one document. Number 0 is the document itself, which has no node.

    A place is twice the number of a box, and one more for what is in a link there.
    """

    __slots__ = ("_near", "_parted", "is_mixed", "nodes", "parents", "places", "tags")

    def __init__(self) -> None:
        self.nodes: list[LexborNode | None] = [None]
        #: of each, the number of the box it is in
        self.parents: list[int] = [0]
        #: of each, Lexbor's number for its tag; all that are boxes have one below 256
        self.tags = bytearray(1)
        #: for each, whether there is more than text and inline elements in it
        self.is_mixed = bytearray(1)
        self._parted: list[int] = []  # boxes that are mixed, whether or not they hold others
        #: by `mem_id`: the place that each box makes, and that elements between are at if there is more in them, too
        self.places: dict[int, int] = {}
        self._near: dict[int, int] = {}  # of elements between of which no more is known

    def add(self, node: LexborNode, tag: int) -> None:
        """Take in a box; all that hold it have been. `Walk` does the same for most."""
        place = self.around(node)
        self.parents.append(place >> 1)
        # In a box that is in a link, all is.
        self.places[node.mem_id] = 2 * len(self.nodes) + ((place & 1) or tag == ANCHOR)
        self.nodes.append(node)
        self.tags.append(tag)

    def part(self, node: LexborNode, tag: int) -> None:
        """Take in an element that is no box but parts the text around it, or has text nobody reads."""
        self._parted.append(self.around(node) >> 1)
        if tag == SVG:
            self.places[node.mem_id] = 1  # beside all boxes

    def note_mixed(self) -> None:
        """Make `is_mixed` complete, once all boxes have been taken in."""
        self.is_mixed = bytearray(len(self.nodes))
        for number in {*self.parents, *self._parted}:
            self.is_mixed[number] = 1

    def around(self, node: LexborNode) -> int:
        """The place `node` is at, which is more than text and inline elements."""
        return self._around(node, self.places)

    def near(self, node: LexborNode) -> int:
        """The place `node` is at, which is no more than that."""
        return self._around(node, self._near)

    def _around(self, node: LexborNode, known: dict[int, int]) -> int:
        """The place `node` is at; elements between it and its box are noted in `known`."""
        places = self.places
        passed: list[tuple[int, bool]] = []
        place: int | None = None
        parent = node.parent
        while parent is not None:
            at = parent.mem_id
            place = places.get(at)
            if place is None:
                place = known.get(at)
            if place is not None:
                break
            passed.append((at, parent.tag_id == ANCHOR))
            parent = parent.parent
        place = place or 0
        for at, is_link in reversed(passed):  # remembered, so that none is passed twice, however deep all is nested
            if is_link:
                place |= 1
            known[at] = place
        return place
