"""What does one pass over the nodes of an HTML document take note of? All that `html` has to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, create_tag

from crawler.extract.head import HEAD_TAGS
from crawler.extract.main_boxes import ANCHOR, Boxes
from crawler.extract.text import BLOCK, preformatted_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborNode

_SPACE = frozenset("\t\n\f\r \0")

# Tags are compared by Lexbor's number for them, which costs half of comparing names.
TEXT = LexborHTMLParser("<p>text").css_first("p").first_child.tag_id  # type: ignore[union-attr]
_BLOCK_TAGS = (
    "address article aside blockquote br caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre section summary table textarea "
    "tr ul"
)
_SPACED_TAGS = "button img noscript optgroup option select svg td th"
#: what stands in the text for the start of an element; elements not listed run on
_SEPARATORS = {create_tag(name).tag_id: BLOCK for name in _BLOCK_TAGS.split()} | {
    create_tag(name).tag_id: " " for name in _SPACED_TAGS.split()
}
_BODY, _H1, _SCRIPT, _SVG, _TEMPLATE = (create_tag(name).tag_id for name in ("body", "h1", "script", "svg", "template"))
PREFORMATTED = frozenset(create_tag(name).tag_id for name in ("pre", "textarea"))
_AREA = create_tag("area").tag_id
#: elements whose text, a single node, is nothing a reader sees
_UNREAD = frozenset(create_tag(name).tag_id for name in ("script", "style", "iframe", "noembed", "noframes"))
#: all that the walk stops for; other elements, half of many pages, are passed by with one look-up
_NOTABLE = frozenset((*_SEPARATORS, *_UNREAD, *HEAD_TAGS, ANCHOR, _AREA, _BODY, _TEMPLATE))
#: elements that hold text without being a part of the page that could be kept or left out by itself
_UNBOXED = frozenset(create_tag(name).tag_id for name in ("br", "hr", "img", "svg", "optgroup", "option"))
_BOXED = frozenset((*_SEPARATORS, _BODY)) - _UNBOXED
_MERE_SEPARATORS = frozenset(_SEPARATORS) - {_H1, _SVG, *PREFORMATTED}


class Walk:
    """What one pass over nodes, in document order, takes note of.

    Args:
        nodes: Of a document, or below one of its elements.
        keep_lines: Whether lines of preformatted text are kept, and boxes noted.
        within: The element that holds all of them, so that none looks further up for the box it is in.
    """

    __slots__ = (
        "_keep_lines",
        "areas",
        "boxes",
        "h1s",
        "hyperlinks",
        "noted",
        "parts",
        "places",
        "preformatted",
        "scripts",
        "structured",
        "texts",
    )

    def __init__(self, nodes: Iterable[LexborNode], *, keep_lines: bool, within: LexborNode | None = None) -> None:
        self._keep_lines = keep_lines
        self.hyperlinks: list[LexborNode] = []
        self.areas: list[LexborNode] = []
        self.h1s: list[LexborNode] = []
        self.noted: list[tuple[int, LexborNode]] = []  # for `Head`
        self.scripts: list[LexborNode] = []
        self.parts: list[str] = [BLOCK]
        #: which of `parts` are texts, and at which place of `boxes` each is
        self.texts: list[int] = []
        self.places: list[int] = []
        self.boxes = Boxes()
        if within is not None:
            self.boxes.places[within.mem_id] = 0
        #: texts to be kept as they are, how many parts stand before, and their place
        self.preformatted: list[tuple[int, str, int]] = []
        self.structured: set[int] = set()  # the `mem_id` of links with elements within that are more than markup
        self._walk(nodes)

    def _walk(self, nodes: Iterable[LexborNode]) -> None:  # noqa: PLR0912 - calls would cost more than all else
        # Runs thousands of times a page: a third of its time was the look-up of globals, so there are none.
        text_tag, notable, separators, space = TEXT, _NOTABLE, _SEPARATORS, _SPACE
        anchor, mere_separators = ANCHOR, _MERE_SEPARATORS
        boxed = _BOXED if self._keep_lines else frozenset()
        is_boxing = self._keep_lines
        add_part, add_hyperlink = self.parts.append, self.hyperlinks.append
        add_text, add_place, parts = self.texts.append, self.places.append, self.parts
        add_box, around, place_of = self.boxes.add, self.boxes.around, self.boxes.places.get
        last = BLOCK
        unread = 0  # texts to come
        may_be_in_link = False
        for node in nodes:
            tag = node.tag_id
            if tag == text_tag:
                if unread:
                    unread -= 1
                    continue
                text = node.text_content
                if text:
                    if text[0] not in space and last[-1] not in space and _follows_block(node):
                        add_part(BLOCK)
                    if is_boxing and not text.isspace():
                        add_text(len(parts))
                        place = place_of(node.parent.mem_id)  # type: ignore[union-attr]
                        add_place(around(node) if place is None else place)
                    add_part(text)
                    last = text
            elif tag in notable:
                if tag == anchor:
                    add_hyperlink(node)
                    may_be_in_link = True
                    continue
                if may_be_in_link:
                    may_be_in_link = self._is_in_link(node)
                if tag in boxed:
                    add_box(node, tag)
                if tag in separators:
                    if not unread:
                        last = separators[tag]
                        add_part(last)
                    if tag in mere_separators:
                        continue
                unread = self._note(node, tag, unread)

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
            if self._keep_lines:
                self.boxes.add(around, tag)
        return True

    def _note(self, node: LexborNode, tag: int, unread: int) -> int:
        """Take in an element met a few times a page; how many of the next texts nobody reads, `unread` so far."""
        if tag in _UNREAD:
            if tag == _SCRIPT:
                self.scripts.append(node)
            return unread or int(node.first_child is not None)
        if tag == _SVG:
            return unread or _count_texts(node)
        if tag in PREFORMATTED:
            return self._keep(node) if self._keep_lines and not unread else unread
        if tag == _H1:
            self.h1s.append(node)
        elif tag == _AREA:
            self.areas.append(node)
            self.hyperlinks.append(node)
        elif tag == _TEMPLATE:
            self._note_template(node)
        elif tag == _BODY:
            self.parts[:] = [BLOCK]  # instead of the head's texts
            self.texts.clear()
            self.places.clear()
        else:
            self.noted.append((tag, node))
        return unread

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
                        self._note(node, tag, 0)

    def _keep(self, preformatted: LexborNode) -> int:
        """Take in the text of an element as it is; how many texts that makes, which are then none of this walk's."""
        lines = preformatted_lines(raw_text_of(preformatted))
        self.preformatted.append((len(self.parts), lines, self.boxes.places[preformatted.mem_id]))
        return _count_texts(preformatted)


def raw_text_of(element: LexborNode) -> str:
    """The text within `element`, white space as it is."""
    nodes = element.traverse(include_text=True)
    next(nodes)  # itself
    return "".join(Walk(nodes, keep_lines=False).parts)


def _count_texts(element: LexborNode) -> int:
    return sum(1 for node in element.traverse(include_text=True) if node.tag_id == TEXT)


def _follows_block(node: LexborNode) -> bool:
    """Whether a block ends right before `node`, as in ``<p>one</p>two``, where no white space says so."""
    at: LexborNode | None = node
    while at is not None and (before := at.prev) is None:
        at = at.parent
        if at is not None and at.tag_id in _SEPARATORS:
            return False  # the first thing in a block; its start is already marked
    while at is not None and before is not None:
        if before.tag_id in _SEPARATORS:
            return True
        before = before.last_child
    return False
