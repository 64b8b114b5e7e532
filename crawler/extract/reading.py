"""What stands as text within some nodes of a document? One after another, with a mark where blocks start.

For elements of any kind, as selectors and rules find them; the text of a whole body is read faster by `body_text`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, create_tag

from crawler.extract.text import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborNode

SPACE = frozenset("\t\n\f\r \0")

# Tags are compared by Lexbor's number for them, which costs half of comparing names.
TEXT = LexborHTMLParser("<p>text").css_first("p").first_child.tag_id  # type: ignore[union-attr]
_BLOCK_TAGS = (
    "address article aside blockquote br caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre section summary table textarea "
    "tr ul"
)
_SPACED_TAGS = "button img noscript optgroup option select svg td th"
SEPARATORS = {create_tag(name).tag_id: BLOCK for name in _BLOCK_TAGS.split()} | {
    create_tag(name).tag_id: " " for name in _SPACED_TAGS.split()
}
"""What stands in the text for the start of an element; elements not listed run on."""
UNBOXED = frozenset(create_tag(name).tag_id for name in ("br", "hr", "img", "svg", "optgroup", "option"))
"""Those of them that are no part of the page that could be kept or left out by itself."""
SVG = create_tag("svg").tag_id
UNREAD = frozenset(create_tag(name).tag_id for name in ("script", "style", "iframe", "noembed", "noframes"))
"""Elements whose text, a single node, is nothing a reader sees."""


def raw_text(nodes: Iterable[LexborNode]) -> str:
    """The text among `nodes`, which are in document order, white space as it is."""
    separators = SEPARATORS
    parts = [BLOCK]
    last = BLOCK
    unread = 0  # texts to come
    for node in nodes:
        tag = node.tag_id
        if tag == TEXT:
            if unread:
                unread -= 1
                continue
            text = node.text_content
            if text:
                if text[0] not in SPACE and last[-1] not in SPACE and follows_block(node):
                    parts.append(BLOCK)
                parts.append(text)
                last = text
        elif not unread:
            if tag in separators:
                last = separators[tag]
                parts.append(last)
                if tag == SVG:
                    unread = _count_texts(node)
            elif tag in UNREAD:
                unread = int(node.first_child is not None)
    return "".join(parts)


def raw_text_of(element: LexborNode) -> str:
    """The text within `element`, white space as it is."""
    nodes = element.traverse(include_text=True)
    next(nodes)  # itself
    return raw_text(nodes)


def follows_block(node: LexborNode) -> bool:
    """Whether a block ends right before `node`, as in ``<p>one</p>two``, where no white space says so."""
    at: LexborNode | None = node
    while at is not None and (before := at.prev) is None:
        at = at.parent
        if at is not None and at.tag_id in SEPARATORS:
            return False  # the first thing in a block; its start is already marked
    while at is not None and before is not None:
        if before.tag_id in SEPARATORS:
            return True
        before = before.last_child
    return False


def _count_texts(element: LexborNode) -> int:
    return sum(1 for node in element.traverse(include_text=True) if node.tag_id == TEXT)
