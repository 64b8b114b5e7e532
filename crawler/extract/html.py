"""What stands in an HTML document? Parses it once, walks it once, and keeps the nodes and texts others ask for.

Scripting is off, as it is for us: what stands in ``<noscript>`` counts like anything else. So do links inside
``<template>``, which scripts show sooner or later, though not its text. What the head says is read by `head`; URLs
are left unresolved; `links` does that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, SelectolaxError, create_tag

from crawler.extract.body_text import PREFORMATTED, BodyText
from crawler.extract.flatten import PLAIN_BYTES, flattened
from crawler.extract.head import Head
from crawler.extract.reading import TEXT, raw_text_of
from crawler.extract.skim import Skim
from crawler.extract.text import BLOCK, add_blocks, collapsed, preformatted_lines
from crawler.extract.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selectolax.lexbor import LexborNode

_ANCHOR, _META = (create_tag(name).tag_id for name in ("a", "meta"))

#: the last one is a private character that the Read the Docs theme for Sphinx shows as a chain
_PERMALINKS = ("¶", "#", "§", "🔗", "\uf0c1")
_PERMALINK_CLASSES = frozenset(("headerlink", "anchor"))

LARGE_BYTES = 8 * 1024
"""From here on a selector, whose reading takes as long as going through a hundred elements, is worth it."""
_MAX_MARKUP = 16
"""So many elements up, an element is looked for that keeps its lines."""


class Document:
    """One parsed page.

    Args:
        utf8: The document, valid UTF-8 without byte order mark.
        want_text: Whether `blocks` will be asked for; reading the text doubles the work.
        want_link_texts: Whether those of links will be, with `structured_links`. With neither, nothing is walked.
        marked_tags: By Lexbor's numbers, tags of which all elements are wanted as `marked`, where nothing is walked.
    """

    __slots__ = (
        "_text",
        "_walk",
        "areas",
        "boxes",
        "cut",
        "h1s",
        "hyperlinks",
        "marked",
        "structured_links",
        "tree",
        "utf8",
    )

    def __init__(
        self,
        utf8: bytes,
        *,
        want_text: bool,
        want_link_texts: bool = True,
        marked_tags: frozenset[int] = frozenset(),
    ) -> None:
        #: what was parsed, and what there was less in it than there is in the page (`flatten`)
        self.utf8 = utf8
        self.cut: tuple[str, ...] = ()
        if len(utf8) > PLAIN_BYTES:
            self.utf8, self.cut = flattened(utf8)
        #: what became of it, for selectors; the nodes are views of it
        self.tree = tree_of(self.utf8)
        #: elements in document order, each with its tag; None where the document was walked
        self.marked: list[tuple[int, LexborNode]] | None = None
        skim = None
        if not (want_text or want_link_texts):
            skim = Skim(self.tree, marked_tags, is_large=len(utf8) > LARGE_BYTES)
        if skim is not None and not skim.has_templates:
            self._walk: Walk | Skim = skim
            self.marked = skim.marked
        else:
            root = self.tree.root
            self._walk = Walk(root.traverse() if root is not None else (), want_boxes=want_text)
        self._text: BodyText | None = None
        #: ``<a>`` and ``<area>`` elements in document order, all that have an href
        self.hyperlinks = self._walk.hyperlinks
        #: those of them that are ``<area>`` elements
        self.areas = self._walk.areas
        #: the `mem_id` of those that only `text_of` reads well; for all others ``text_lexbor`` says the same, sooner
        self.structured_links = self._walk.structured
        #: what may be kept or left out of its text; only with `want_text`
        self.boxes = self._walk.boxes
        #: ``<h1>`` elements in document order
        self.h1s = self._walk.h1s

    @property
    def scripts(self) -> list[LexborNode]:
        """``<script>`` elements in document order."""
        return self._walk.scripts

    def head(self, robots_names: frozenset[str]) -> Head:
        """What the page says of itself; `robots_names` as of `Head`."""
        return Head(self._walk.noted, robots_names)

    def blocks(self, kept: Sequence[int] | None = None) -> tuple[str, int]:
        """The body's text, a block a line, and how many words, as white space has them.

        White space is collapsed, but for lines and their indentation in ``<pre>`` and ``<textarea>``.

        Args:
            kept: For each of `boxes` whether the text in it, and in no box within, is wanted; all of it is otherwise.
        """
        return _blocks(self._body_text(), kept)

    def sizes(self) -> list[int]:
        """At each place of `boxes`, how long its text is, as of `BodyText`."""
        return self._body_text().sizes(self.hyperlinks)

    def _body_text(self) -> BodyText:
        if self._text is None:
            self._text = BodyText(self.boxes, self.tree.body or self.tree.root)
        return self._text

    def metas(self) -> Iterator[LexborNode]:
        """The page's meta elements, in document order."""
        return (node for tag, node in self._walk.noted if tag == _META)


def tree_of(utf8: bytes) -> LexborHTMLParser:
    """What a document is parsed to.

    Raises:
        MemoryError: There is not enough for its tree, which is all that Lexbor can fail of.
    """
    try:
        return LexborHTMLParser(utf8)
    except SelectolaxError as error:
        raise MemoryError(str(error)) from error


def text_of(element: LexborNode) -> str:
    """What `Document.blocks` would say of `element`, on one line."""
    child = element.first_child
    if child is None:
        return ""
    if child.tag_id == TEXT and child.next is None:
        return collapsed(child.text_content or "")
    return collapsed(raw_text_of(element).replace(BLOCK, " "))


def lines_of(element: LexborNode) -> str:
    """What `Document.blocks` would say of `element`."""
    if _is_preformatted(element):
        return preformatted_lines(raw_text_of(element))
    elements = element.traverse()
    next(elements)  # itself
    return _blocks(BodyText(Walk(elements, want_boxes=True, within=element).boxes, element), None)[0]


def _blocks(body: BodyText, kept: Sequence[int] | None) -> tuple[str, int]:
    """As `Document.blocks` says."""
    parts = body.parts
    if kept is not None:
        parts = parts.copy()
        for text, place in zip(body.texts, body.places, strict=True):
            if not kept[place >> 1]:
                parts[text] = ""
    lines: list[str] = []
    word_count = start = 0
    for end, preformatted, place in (*body.preformatted, (len(parts), "", 0)):
        word_count += add_blocks(lines, "".join(parts[start:end]))
        if preformatted and (kept is None or kept[place >> 1]):
            lines.append(preformatted)
            word_count += len(preformatted.split())
        start = end
    return "\n".join(lines), word_count


def _is_preformatted(element: LexborNode) -> bool:
    """Whether `element` keeps its lines, or is markup in one that does: not far below, as all of a page may be deep."""
    at: LexborNode | None = element
    for _ in range(_MAX_MARKUP):
        if at is None or at.tag_id in PREFORMATTED:
            break
        at = at.parent
    return at is not None and at.tag_id in PREFORMATTED


def heading_of(h1: LexborNode, *, is_plain: bool = False) -> str:
    """`text_of` a heading, but for the permalink after it, as documentation has them: ``Queues¶``.

    Args:
        h1: Of any level.
        is_plain: Whether it is known to hold no more than text and inline elements.
    """
    text = collapsed(h1.text_lexbor()) if is_plain else text_of(h1)
    if text.endswith(_PERMALINKS) and _has_permalink(h1):
        return text[:-1].rstrip()
    return text


def _has_permalink(h1: LexborNode) -> bool:
    """Whether the last thing in `h1` is a link, by its text and its class or target one to the heading itself."""
    last = h1.last_child
    while last is not None and last.tag_id != _ANCHOR:
        is_text = last.tag_id == TEXT
        if last.is_comment_node or (is_text and not (last.text_content or "").strip()):
            last = last.prev
        else:
            last = last.last_child
    if last is None or text_of(last) not in _PERMALINKS:
        return False
    attributes = last.attributes
    return (attributes.get("href") or "").startswith("#") or not _PERMALINK_CLASSES.isdisjoint(
        (attributes.get("class") or "").split()
    )
