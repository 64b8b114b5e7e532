"""What stands in an HTML document? Parses it once, walks it once, and keeps the nodes and texts others ask for.

Scripting is off, as it is for us: what stands in ``<noscript>`` counts like anything else. So do links inside
``<template>``, which scripts show sooner or later, though not its text. URLs are left unresolved; `links` does that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, create_tag

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_ASCII_SPACE = re.compile(r"[\t\n\f\r ]+")
_SPACE = "\t\n\f\r \0"
_BLOCK = "\0"  # marks where a block starts; no HTML text can hold it: parsers drop or replace it

# Tags are compared by Lexbor's number for them, which costs half of comparing names.
_TEXT = LexborHTMLParser("<p>text").css_first("p").first_child.tag_id  # type: ignore[union-attr]
_BLOCK_TAGS = (
    "address article aside blockquote br caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre section summary table tr ul"
)
_SPACED_TAGS = "button img optgroup option select td textarea th"
#: what stands in the text for the start of an element; elements not listed run on
_SEPARATORS = {create_tag(name).tag_id: _BLOCK for name in _BLOCK_TAGS.split()} | {
    create_tag(name).tag_id: " " for name in _SPACED_TAGS.split()
}
_BASE, _BODY, _H1, _HTML = (create_tag(name).tag_id for name in ("base", "body", "h1", "html"))
_LINK, _META, _SVG, _TEMPLATE, _TITLE = (
    create_tag(name).tag_id for name in ("link", "meta", "svg", "template", "title")
)
_HYPERLINKS = frozenset(create_tag(name).tag_id for name in ("a", "area"))
#: elements whose text, a single node, is nothing a reader sees
_UNREAD = frozenset(create_tag(name).tag_id for name in ("script", "style", "iframe", "noembed", "noframes"))
_RARE = _UNREAD | {_BASE, _BODY, _HTML, _LINK, _META, _TEMPLATE, _TITLE}


class Document:
    """One parsed page.

    Args:
        utf8: The document, valid UTF-8 without byte order mark.
        want_text: Whether `blocks` will be asked for; walking the text doubles the work.
    """

    __slots__ = ("_noted", "_parts", "_tree", "h1s", "hyperlinks")

    def __init__(self, utf8: bytes, *, want_text: bool) -> None:
        self._tree = LexborHTMLParser(utf8)  # the nodes are views of it
        #: ``<a>`` and ``<area>`` elements in document order, with or without href
        self.hyperlinks: list[LexborNode] = []
        self.h1s: list[LexborNode] = []
        self._noted: list[LexborNode] = []
        self._parts: list[str] = []
        self._walk(want_text=want_text)

    def _walk(self, *, want_text: bool) -> None:
        root = self._tree.root
        if root is None:
            return
        parts = self._parts
        unread = False
        for node in root.traverse(include_text=want_text):
            tag = node.tag_id
            if tag == _TEXT:
                if unread:
                    unread = False
                    continue
                text = node.text_content
                if text:
                    if text[0] not in _SPACE and parts and parts[-1][-1] not in _SPACE and _follows_block(node):
                        parts.append(_BLOCK)
                    parts.append(text)
            elif tag in _HYPERLINKS:
                self.hyperlinks.append(node)
            elif tag in _SEPARATORS:
                parts.append(_SEPARATORS[tag])
                if tag == _H1:
                    self.h1s.append(node)
            elif tag in _RARE:
                unread = self._note(node, tag) and want_text

    def _note(self, node: LexborNode, tag: int) -> bool:
        """Take in an element met a few times a page; whether the next text is one that nobody reads."""
        if tag in _UNREAD:
            return node.first_child is not None
        if tag == _TEMPLATE:
            self.hyperlinks += _hyperlinks_in_template(node)
        elif tag == _BODY:
            self._parts.clear()  # the head's texts
        else:
            self._noted.append(node)
        return False

    def blocks(self) -> tuple[str, int]:
        """The body's text, white space collapsed, a block a line; and how many words, as white space has them."""
        lines = []
        word_count = 0
        for block in "".join(self._parts).split(_BLOCK):
            words = block.split()
            if words:
                lines.append(" ".join(words))
                word_count += len(words)
        return "\n".join(lines), word_count

    @property
    def title(self) -> str | None:
        """The first title element that does not title a drawing, white space collapsed."""
        for node in self._noted:
            if node.tag_id == _TITLE and not _is_in_svg(node):
                return collapsed_ascii(node.text())
        return None

    @property
    def lang(self) -> str | None:
        """The lang attribute of the html element."""
        for node in self._noted:
            if node.tag_id == _HTML:
                lang = node.attrs.get("lang")
                return collapsed_ascii(lang) if lang else None
        return None

    @property
    def description(self) -> str | None:
        """The content of the first description meta element that has one, white space collapsed."""
        for node in self._noted:
            if node.tag_id == _META and (node.attrs.get("name") or "").strip().lower() == "description":
                content = node.attrs.get("content")
                if content is not None:
                    return collapsed_ascii(content)
        return None

    @property
    def base_href(self) -> str | None:
        """The href of the first base element that has one."""
        return self._first_href(_BASE, None)

    @property
    def canonical_href(self) -> str | None:
        """The href of the first ``<link rel=canonical>``."""
        return self._first_href(_LINK, "canonical")

    def _first_href(self, tag: int, rel: str | None) -> str | None:
        for node in self._noted:
            if node.tag_id == tag:
                attributes = node.attrs
                href = attributes.get("href")
                if href is not None and (rel is None or rel in (attributes.get("rel") or "").lower().split()):
                    return href
        return None


def collapsed(text: str) -> str:
    """`text` with every run of white space as one space and none at the ends."""
    return " ".join(text.split())


def collapsed_ascii(text: str) -> str:
    """As `collapsed`, for ASCII white space only, which is what the HTML standard collapses: ``&nbsp;`` stays."""
    return _ASCII_SPACE.sub(" ", text).strip(" ")


def _hyperlinks_in_template(template: LexborNode) -> list[LexborNode]:
    """The hyperlinks of a template's content, which is a tree of its own, and of templates within."""
    found = []
    templates = [template]
    while templates:
        for fragment in templates.pop().template_fragments():
            for node in fragment.traverse():
                tag = node.tag_id
                if tag in _HYPERLINKS:
                    found.append(node)
                elif tag == _TEMPLATE:
                    templates.append(node)
    return found


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


def _is_in_svg(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None and parent.tag_id != _SVG:
        parent = parent.parent
    return parent is not None
