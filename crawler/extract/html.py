"""What stands in an HTML document? Parses it once, walks it once, and keeps the nodes and texts others ask for.

Scripting is off, as it is for us: what stands in ``<noscript>`` counts like anything else. So do links inside
``<template>``, which scripts show sooner or later, though not its text. What the head says is read by `head`; URLs
are left unresolved; `links` does that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, create_tag

from crawler.extract.head import HEAD_TAGS, Head

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_SPACE = frozenset("\t\n\f\r \0")
# What else `str.split` takes for white space in ASCII, and is hardly ever met.
_RARE_SPACE = "\x0b\f\r\x1c\x1d\x1e\x1f"
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
_BODY, _H1, _TEMPLATE = (create_tag(name).tag_id for name in ("body", "h1", "template"))
ANCHOR = create_tag("a").tag_id
_HYPERLINKS = frozenset((ANCHOR, create_tag("area").tag_id))
#: elements whose text, a single node, is nothing a reader sees
_UNREAD = frozenset(create_tag(name).tag_id for name in ("script", "style", "iframe", "noembed", "noframes"))
#: all that the walk stops for; other elements, half of many pages, are passed by with one look-up
_NOTABLE = frozenset((*_SEPARATORS, *_HYPERLINKS, *_UNREAD, *HEAD_TAGS, _BODY, _TEMPLATE))


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
        self._noted: list[tuple[int, LexborNode]] = []
        self._parts: list[str] = [_BLOCK]
        root = self._tree.root
        if root is not None:
            self._walk(root, want_text=want_text)

    def _walk(self, root: LexborNode, *, want_text: bool) -> None:
        # Runs thousands of times a page: a third of its time was the look-up of globals, so there are none.
        text_tag, notable, separators, hyperlinks, space = _TEXT, _NOTABLE, _SEPARATORS, _HYPERLINKS, _SPACE
        parts = self._parts
        add_part = parts.append
        last = _BLOCK
        unread = False
        for node in root.traverse(include_text=want_text):
            tag = node.tag_id
            if tag == text_tag:
                if unread:
                    unread = False
                    continue
                text = node.text_content
                if text:
                    if text[0] not in space and last[-1] not in space and _follows_block(node):
                        add_part(_BLOCK)
                    add_part(text)
                    last = text
            elif tag in notable:
                if tag in separators:
                    last = separators[tag]
                    add_part(last)
                    if tag == _H1:
                        self.h1s.append(node)
                elif tag in hyperlinks:
                    self.hyperlinks.append(node)
                else:
                    unread = self._note(node, tag) and want_text

    def _note(self, node: LexborNode, tag: int) -> bool:
        """Take in an element met a few times a page; whether the next text is one that nobody reads."""
        if tag in _UNREAD:
            return node.first_child is not None
        if tag == _TEMPLATE:
            self.hyperlinks += _hyperlinks_in_template(node)
        elif tag == _BODY:
            self._parts[:] = [_BLOCK]  # instead of the head's texts
        else:
            self._noted.append((tag, node))
        return False

    def head(self) -> Head:
        """What the page says of itself."""
        return Head(self._noted)

    def blocks(self) -> tuple[str, int]:
        """The body's text, white space collapsed, a block a line; and how many words, as white space has them."""
        text = "".join(self._parts).replace("\n", " ").replace("\t", " ")
        only_spaces = not any(space in text for space in _RARE_SPACE)
        lines = []
        word_count = 0
        for block in text.split(_BLOCK):
            line = block.strip()
            if not line:
                continue
            if only_spaces and line.isascii() and "  " not in line:  # as it should be: half the time of splitting it
                word_count += line.count(" ") + 1
            else:
                words = line.split()
                line = " ".join(words)
                word_count += len(words)
            lines.append(line)
        return "\n".join(lines), word_count


def collapsed(text: str) -> str:
    """`text` with every run of white space as one space and none at the ends."""
    return " ".join(text.split())


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
