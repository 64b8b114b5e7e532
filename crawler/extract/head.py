"""What does a page say of itself: title, language, description, base and canonical URL, and wishes to robots?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.text import collapsed_ascii, visible

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_BASE, _HTML, _LINK, _META, _SVG, _TITLE = (
    create_tag(name).tag_id for name in ("base", "html", "link", "meta", "svg", "title")
)
HEAD_TAGS = frozenset((_BASE, _HTML, _LINK, _META, _TITLE))
"""The elements that say it, by Lexbor's numbers, wherever in the document they stand."""


class Head:
    """Read from elements of `HEAD_TAGS`, each with its tag, in document order. URLs are as written.

    Args:
        elements: Those of the whole document.
        robots_names: The names of meta elements that speak to us (`robots_meta.meta_names`).
    """

    __slots__ = ("base_href", "canonical_href", "description", "lang", "robots", "title")

    def __init__(self, elements: list[tuple[int, LexborNode]], robots_names: frozenset[str]) -> None:
        #: href of the first base element that has one
        self.base_href: str | None = None
        #: href of the first ``<link rel=canonical>``
        self.canonical_href: str | None = None
        #: content of the first description meta element that has one, white space collapsed
        self.description: str | None = None
        #: lang attribute of the html element, or if it says nothing, xml:lang
        self.lang: str | None = None
        #: contents of all meta elements that speak to us
        self.robots: list[str] = []
        #: the first title element that does not title a drawing, what is visible of it, white space collapsed
        self.title: str | None = None
        root: LexborNode | None = None
        for tag, node in elements:
            if tag == _META:
                # A page has dozens: to look up one attribute is half of listing all.
                name = (node.attrs.get("name") or "").strip().lower()
                if name == "description":
                    if self.description is None and (content := node.attrs.get("content")) is not None:
                        self.description = collapsed_ascii(content)
                elif name in robots_names:
                    self.robots.append(node.attrs.get("content") or "")
            elif tag == _LINK:
                if self.canonical_href is None:
                    self.canonical_href = _canonical(node.attributes)
            elif tag == _TITLE:
                if self.title is None and not _is_in_svg(node):
                    self.title = collapsed_ascii(visible(node.text_lexbor()))
            elif tag == _BASE:
                if self.base_href is None:
                    self.base_href = node.attributes.get("href")
            elif root is None:
                root = node
                lang = node.attributes.get("lang") or node.attributes.get("xml:lang")
                self.lang = collapsed_ascii(lang) if lang else None


def _canonical(link: dict[str, str | None]) -> str | None:
    href = link.get("href")
    return href if href is not None and "canonical" in (link.get("rel") or "").lower().split() else None


def _is_in_svg(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None and parent.tag_id != _SVG:
        parent = parent.parent
    return parent is not None
