"""Where on a page does an example stand? In the text of which elements, and in which of their attributes.

One walk over the tree, which takes time in proportion to it, whatever its shape: an element's text is put together
only while it is short enough to agree with an example.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode, create_tag

from crawler.extract.suggest_values import Agreement
from crawler.extract.text import collapsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.suggest_values import Example

MAX_PLACES: Final = 60
"""Of one example on one page, in elements' texts, and as many in attributes."""

_MAX_ATTRIBUTES: Final = 60  # of one element
_MAX_AROUND: Final = 3  # elements around one another with the same text
_TEXT: Final = LexborHTMLParser("<p>text").css_first("p").first_child.tag_id  # type: ignore[union-attr]
_UNREAD: Final = frozenset(
    create_tag(name).tag_id for name in ("script", "style", "iframe", "noembed", "noframes", "template", "svg")
)
_INLINE: Final = (
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike "
    "strong sub sup time tt u var wbr"
)
_RUNS_ON: Final = frozenset(create_tag(name).tag_id for name in _INLINE.split())
_OF_LOOKS: Final = frozenset(("class", "style", "id", "width", "height", "target", "rel", "type", "lang", "tabindex"))
_LINKS: Final = frozenset(("href", "src", "data-src", "content", "poster", "data-href", "action"))


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One element whose text, or one of whose attributes, agrees with an example."""

    example: int
    page: int
    element: LexborNode
    #: None for its text
    attr: str | None
    value: str
    agreement: Agreement


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found on one page."""

    places: tuple[Place, ...]
    #: of elements within one another
    depth: int
    #: the most elements that are children of one
    breadth: int


class _Open(msgspec.Struct):
    """An element whose end is still to come."""

    node: LexborNode
    id: int
    order: int
    first_part: int
    chars_before: int
    children: int = 0


class _Walk:
    """What one pass over a tree finds."""

    def __init__(self, page: int, examples: Sequence[Example], base_url: str) -> None:
        self._page, self._examples, self._base_url = page, examples, base_url
        self._limit = max((example.limit for example in examples), default=0)
        self._parts: list[str] = []
        self._chars = 0
        self._open: list[_Open] = []
        self._orders: dict[int, list[int]] = {}
        self._attributed = [0] * len(examples)
        self.places: list[Place] = []
        self.depth = self.breadth = 0

    def walk(self, root: LexborNode) -> None:
        order = 0
        for node in root.traverse(include_text=True):
            parent = node.parent
            around = parent.mem_id if parent is not None else 0
            while self._open and self._open[-1].id != around:
                self._close()
            if node.tag_id == _TEXT:
                if self._open and self._open[-1].node.tag_id not in _UNREAD:
                    self._add(node.text_content or "")
            elif node.is_element_node:
                order += 1
                if self._open:
                    self._open[-1].children += 1
                    self.breadth = max(self.breadth, self._open[-1].children)
                self._separate(node)
                self._open.append(_Open(node, node.mem_id, order, len(self._parts), self._chars))
                self.depth = max(self.depth, len(self._open))
                self._look_at_attributes(node)
        while self._open:
            self._close()

    def _add(self, text: str) -> None:
        """White space collapsed, but for whether there is some at the ends."""
        words = " ".join(text.split())
        if text[:1].isspace():
            words = f" {words}"
        if words and text[-1:].isspace():
            words = f"{words} "
        if words:
            self._parts.append(words)
            self._chars += len(words)

    def _separate(self, node: LexborNode) -> None:
        if node.tag_id not in _RUNS_ON and self._parts and self._parts[-1] != " ":
            self._parts.append(" ")
            self._chars += 1

    def _close(self) -> None:
        closed = self._open.pop()
        if 0 < self._chars - closed.chars_before <= self._limit:
            text = collapsed("".join(self._parts[closed.first_part :]))
            for number, example in enumerate(self._examples):
                agreement = example.agreement(text)
                if agreement is not None:
                    self._note(number, closed, text, agreement)
        self._separate(closed.node)

    def _note(self, number: int, closed: _Open, text: str, agreement: Agreement) -> None:
        """Elements end innermost first: of those around one another, the innermost few are kept."""
        orders = self._orders.setdefault(number, [])
        within = sum(1 for order in orders[-_MAX_AROUND:] if order > closed.order)
        if len(orders) >= MAX_PLACES or within >= _MAX_AROUND or (within and agreement is Agreement.CONTAINS):
            return
        orders.append(closed.order)
        self.places.append(
            Place(example=number, page=self._page, element=closed.node, attr=None, value=text, agreement=agreement)
        )

    def _look_at_attributes(self, node: LexborNode) -> None:
        attributes = node.attributes
        if not attributes:
            return
        for name in list(attributes)[:_MAX_ATTRIBUTES]:
            value = attributes[name]
            if not value or name in _OF_LOOKS or name.startswith("on") or len(value) > self._limit:
                continue
            shown = collapsed(value)
            for number, example in enumerate(self._examples):
                agreement = example.agreement(shown, self._base_url if name in _LINKS else None)
                if agreement not in (None, Agreement.CONTAINS) and self._attributed[number] < MAX_PLACES:
                    self._attributed[number] += 1
                    self.places.append(
                        Place(
                            example=number,
                            page=self._page,
                            element=node,
                            attr=name,
                            value=shown,
                            agreement=agreement,
                        )
                    )


def find_places(tree: LexborHTMLParser, page: int, examples: Sequence[Example], base_url: str) -> Places:
    """Where `examples` stand in the HTML page that is number `page` of several."""
    walk = _Walk(page, examples, base_url)
    if tree.root is not None:
        walk.walk(tree.root)
    return Places(places=tuple(walk.places), depth=walk.depth, breadth=walk.breadth)
