"""What stands in an HTML document? Parses it once, walks it once, and keeps the nodes and texts others ask for.

Scripting is off, as it is for us: what stands in ``<noscript>`` counts like anything else. So do links inside
``<template>``, which scripts show sooner or later, though not its text. What the head says is read by `head`; URLs
are left unresolved; `links` does that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, create_tag

from crawler.extract.head import HEAD_TAGS, Head
from crawler.extract.text import BLOCK, add_blocks, collapsed, preformatted_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborNode

_SPACE = frozenset("\t\n\f\r \0")

# Tags are compared by Lexbor's number for them, which costs half of comparing names.
_TEXT = LexborHTMLParser("<p>text").css_first("p").first_child.tag_id  # type: ignore[union-attr]
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
_BODY, _H1, _SVG, _TEMPLATE = (create_tag(name).tag_id for name in ("body", "h1", "svg", "template"))
_PREFORMATTED = frozenset(create_tag(name).tag_id for name in ("pre", "textarea"))
_ANCHOR = create_tag("a").tag_id
_AREA = create_tag("area").tag_id
#: elements whose text, a single node, is nothing a reader sees
_UNREAD = frozenset(create_tag(name).tag_id for name in ("script", "style", "iframe", "noembed", "noframes"))
#: all that the walk stops for; other elements, half of many pages, are passed by with one look-up
_NOTABLE = frozenset((*_SEPARATORS, *_UNREAD, *HEAD_TAGS, _ANCHOR, _AREA, _BODY, _TEMPLATE))
_MERE_SEPARATORS = frozenset(_SEPARATORS) - {_H1, _SVG, *_PREFORMATTED}

#: the last one is a private character that the Read the Docs theme for Sphinx shows as a chain
_PERMALINKS = ("¶", "#", "§", "🔗", "\uf0c1")
_PERMALINK_CLASSES = frozenset(("headerlink", "anchor"))


class _Walk:
    """What one pass over nodes, in document order, takes note of."""

    __slots__ = ("_keep_lines", "areas", "h1s", "hyperlinks", "noted", "parts", "preformatted", "structured")

    def __init__(self, nodes: Iterable[LexborNode], *, keep_lines: bool) -> None:
        self._keep_lines = keep_lines
        self.hyperlinks: list[LexborNode] = []
        self.areas: list[LexborNode] = []
        self.h1s: list[LexborNode] = []
        self.noted: list[tuple[int, LexborNode]] = []  # for `Head`
        self.parts: list[str] = [BLOCK]
        self.preformatted: list[tuple[int, str]] = []  # texts to be kept as they are, and how many parts stand before
        self.structured: set[int] = set()  # the `mem_id` of links with elements within that are more than markup
        self._walk(nodes)

    def _walk(self, nodes: Iterable[LexborNode]) -> None:
        # Runs thousands of times a page: a third of its time was the look-up of globals, so there are none.
        text_tag, notable, separators, space = _TEXT, _NOTABLE, _SEPARATORS, _SPACE
        anchor, mere_separators = _ANCHOR, _MERE_SEPARATORS
        add_part, add_hyperlink = self.parts.append, self.hyperlinks.append
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
                    add_part(text)
                    last = text
            elif tag in notable:
                if tag == anchor:
                    add_hyperlink(node)
                    may_be_in_link = True
                    continue
                if may_be_in_link:
                    may_be_in_link = self._is_in_link(node)
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
        if around is None or tag != _ANCHOR:
            return False
        self.structured.add(around.mem_id)
        return True

    def _note(self, node: LexborNode, tag: int, unread: int) -> int:
        """Take in an element met a few times a page; how many of the next texts nobody reads, `unread` so far."""
        if tag in _UNREAD:
            return unread or int(node.first_child is not None)
        if tag == _SVG:
            return unread or _count_texts(node)
        if tag in _PREFORMATTED:
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
                    elif tag == _ANCHOR:
                        self.hyperlinks.append(node)
                        self.structured.add(node.mem_id)  # for all we know
                    elif tag == _AREA:
                        self._note(node, tag, 0)

    def _keep(self, preformatted: LexborNode) -> int:
        """Take in the text of an element as it is; how many texts that makes, which are then none of this walk's."""
        self.preformatted.append((len(self.parts), preformatted_lines(_raw_text_of(preformatted))))
        return _count_texts(preformatted)


class Document:
    """One parsed page.

    Args:
        utf8: The document, valid UTF-8 without byte order mark.
        want_text: Whether `blocks` will be asked for; walking the text doubles the work.
    """

    __slots__ = ("_walk", "areas", "h1s", "hyperlinks", "structured_links", "tree")

    def __init__(self, utf8: bytes, *, want_text: bool) -> None:
        #: the nodes are views of it
        self.tree = LexborHTMLParser(utf8)
        root = self.tree.root
        nodes = root.traverse(include_text=want_text) if root is not None else ()
        self._walk = _Walk(nodes, keep_lines=want_text)
        #: ``<a>`` and ``<area>`` elements in document order, with or without href
        self.hyperlinks = self._walk.hyperlinks
        #: those of them that are ``<area>`` elements
        self.areas = self._walk.areas
        #: the `mem_id` of those that only `text_of` reads well; for all others ``text_lexbor`` says the same, sooner
        self.structured_links = self._walk.structured
        #: ``<h1>`` elements in document order
        self.h1s = self._walk.h1s

    def head(self, robots_names: frozenset[str]) -> Head:
        """What the page says of itself; `robots_names` as of `Head`."""
        return Head(self._walk.noted, robots_names)

    def blocks(self) -> tuple[str, int]:
        """The body's text, a block a line, and how many words, as white space has them.

        White space is collapsed, but for lines and their indentation in ``<pre>`` and ``<textarea>``.
        """
        parts = self._walk.parts
        lines: list[str] = []
        word_count = start = 0
        for end, preformatted in (*self._walk.preformatted, (len(parts), "")):
            word_count += add_blocks(lines, "".join(parts[start:end]))
            if preformatted:
                lines.append(preformatted)
                word_count += len(preformatted.split())
            start = end
        return "\n".join(lines), word_count


def text_of(element: LexborNode) -> str:
    """What `Document.blocks` would say of `element`, on one line."""
    child = element.first_child
    if child is None:
        return ""
    if child.tag_id == _TEXT and child.next is None:
        return collapsed(child.text_content or "")
    return collapsed(_raw_text_of(element).replace(BLOCK, " "))


def lines_of(element: LexborNode) -> str:
    """What `Document.blocks` would say of `element`, but that lines of ``<pre>`` are not kept."""
    lines: list[str] = []
    add_blocks(lines, _raw_text_of(element))
    return "\n".join(lines)


def heading_of(h1: LexborNode) -> str:
    """`text_of` a heading, but for the permalink after it, as documentation has them: ``Queues¶``."""
    text = text_of(h1)
    if text.endswith(_PERMALINKS) and _has_permalink(h1):
        return text[:-1].rstrip()
    return text


def _has_permalink(h1: LexborNode) -> bool:
    """Whether the last thing in `h1` is a link, by its text and its class or target one to the heading itself."""
    last = h1.last_child
    while last is not None and last.tag_id != _ANCHOR:
        is_text = last.tag_id == _TEXT
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


def _raw_text_of(element: LexborNode) -> str:
    """The text within `element`, white space as it is."""
    nodes = element.traverse(include_text=True)
    next(nodes)  # itself
    return "".join(_Walk(nodes, keep_lines=False).parts)


def _count_texts(element: LexborNode) -> int:
    return sum(1 for node in element.traverse(include_text=True) if node.tag_id == _TEXT)


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
