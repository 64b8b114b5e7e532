"""How many words stand in a document? As many as `Document.blocks` says, sooner, where nobody needs them otherwise.

All text is taken at once, after its blocks have been parted from what stands around them. Most of them are already, by
the white space between tags; only where there is none, some is put there, which changes the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.body_text import PREFORMATTED
from crawler.extract.html import Document
from crawler.extract.reading import SEPARATORS, SPACE, SVG, TEXT, UNREAD
from crawler.extract.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selectolax.lexbor import LexborHTMLParser, LexborNode

_SEPARATING = frozenset(SEPARATORS)
_OF_TEXT = UNREAD | {create_tag("textarea").tag_id}
_LEFT_OUT = UNREAD | {SVG}
PARTING_TAGS = UNREAD | _SEPARATING
"""Of elements that part text, and of those whose text nobody reads, by Lexbor's numbers."""


def count_words(utf8: bytes, tree: LexborHTMLParser, nodes: Sequence[tuple[int, LexborNode]] | None = None) -> int:
    """The words of all text, as white space and blocks have them.

    Args:
        utf8: The document.
        tree: What it was parsed to. No text may be taken from it afterwards.
        nodes: All its elements of `PARTING_TAGS`, each with its tag, in document order, if they are known.
    """
    body = tree.body
    if nodes is None and body is not None:
        parting = PARTING_TAGS
        nodes = [(tag, node) for node in body.traverse() if (tag := node.tag_id) in parting]
    of_text = _OF_TEXT
    if (
        body is None
        or body.parent is None
        or nodes is None
        or not all(_is_plain(node) for tag, node in nodes if tag in of_text)
    ):
        # As hardly ever: of frames, or where a script stands in a formula. What is text there is for others to say.
        return Document(utf8, want_text=True).blocks()[1]
    # In document order: what follows a node is as it was, whatever became of what precedes it.
    for tag, node in nodes:
        if tag not in UNREAD:
            _part(node, tag)
        if tag in _LEFT_OUT:
            node.decompose()
    return len(visible(body.text()).split())


def _is_plain(element: LexborNode) -> bool:
    """Whether an element that is to hold one text at most does so. In MathML and SVG it may hold anything."""
    child = element.first_child
    return child is None or (child.tag_id == TEXT and child.next is None)


def _part(node: LexborNode, tag: int) -> None:
    """See to it that white space parts a block, or what else parts text, from that around it."""
    before = node.prev
    if before is None:
        around = node.parent  # if it is a block, where that starts is looked at
        if around is not None and around.tag_id not in _SEPARATING:
            node.insert_before(" ")
    elif before.tag_id != TEXT or (before.text_content or " ")[-1] not in SPACE:
        node.insert_before(" ")
    after = node.next
    if after is not None and after.tag_id == TEXT:
        if (after.text_content or " ")[0] not in SPACE:
            node.insert_after(" ")
    elif _ends_before_text(node) or (tag in PREFORMATTED and not _is_within(node, PREFORMATTED)):
        node.insert_after(" ")


def _is_within(node: LexborNode, tags: frozenset[int]) -> bool:
    around = node.parent
    while around is not None and around.tag_id not in tags:
        around = around.parent
    return around is not None


def _ends_before_text(node: LexborNode) -> bool:
    """Whether text begins right where `node` ends, which no white space and no block parts from it."""
    at: LexborNode | None = node
    while at is not None and (after := at.next) is None:
        at = at.parent
        if at is not None and at.tag_id in _SEPARATING:
            return False  # where that ends, it is looked at
    while at is not None and after is not None and after.tag_id not in PARTING_TAGS:
        if after.tag_id == TEXT:
            return (after.text_content or " ")[0] not in SPACE
        after = after.first_child
    return False
