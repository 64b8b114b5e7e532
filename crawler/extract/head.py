"""What does a page say of itself in its head: title, language, base and canonical URL, meta elements, robots?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from selectolax.lexbor import create_tag

from crawler.extract.text import collapsed_ascii, visible

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_BASE, _HTML, _LINK, _META, _SVG, _TITLE = (
    create_tag(name).tag_id for name in ("base", "html", "link", "meta", "svg", "title")
)
HEAD_TAGS = frozenset((_BASE, _HTML, _LINK, _META, _TITLE))
"""The elements that say it, by Lexbor's numbers, wherever in the document they stand."""

_MAX_METAS = 1_000
_MAX_ALTERNATES = 1_000
_FEED_TYPES = frozenset(("application/rss+xml", "application/atom+xml", "application/feed+json", "text/rss+xml"))


class Alternate(NamedTuple):
    """A ``<link rel=alternate>``: the page in another language, or a feed. The URL is as written."""

    href: str
    lang: str
    type: str
    title: str | None

    @property
    def is_feed(self) -> bool:
        """Whether it is RSS, Atom or a JSON Feed."""
        return self.type in _FEED_TYPES


class Head:
    """Read from elements of `HEAD_TAGS`, each with its tag, in document order. URLs are as written.

    Args:
        elements: Those of the whole document.
        robots_names: The names of meta elements that speak to us (`robots_meta.meta_names`).
    """

    __slots__ = (
        "alternates",
        "base_href",
        "canonical_href",
        "description",
        "had_more",
        "lang",
        "meta_nodes",
        "metas",
        "robots",
        "title",
    )

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
        #: the first title element with text that does not title a drawing, white space collapsed; empty: none has text
        self.title: str | None = None
        #: contents of the other meta elements, by name or property in lower case, white space collapsed
        self.metas: dict[str, list[str]] = {}
        #: all meta elements
        self.meta_nodes: list[LexborNode] = []
        #: in document order
        self.alternates: list[Alternate] = []
        #: whether there were more alternates than are kept
        self.had_more = False
        self._read(elements, robots_names)

    def _read(self, elements: list[tuple[int, LexborNode]], robots_names: frozenset[str]) -> None:
        root: LexborNode | None = None
        n_metas = 0
        for tag, node in elements:
            if tag == _META:
                self.meta_nodes.append(node)
                if n_metas < _MAX_METAS:
                    n_metas += self._add_meta(node.attributes, robots_names)
                elif (name := node.attributes.get("name")) and name.strip().lower() in robots_names:
                    self.robots.append(node.attributes.get("content") or "")
            elif tag == _LINK:
                self._add_link(node.attributes)
            elif tag == _TITLE:
                if not self.title and not _is_in_svg(node):
                    self.title = collapsed_ascii(visible(node.text_lexbor()))
            elif tag == _BASE:
                if self.base_href is None:
                    self.base_href = node.attributes.get("href")
            elif root is None:
                root = node
                lang = node.attributes.get("lang") or node.attributes.get("xml:lang")
                self.lang = collapsed_ascii(lang) if lang else None

    def _add_meta(self, attributes: dict[str, str | None], robots_names: frozenset[str]) -> bool:
        """Take in a meta element; whether it was kept among `metas`."""
        content = attributes.get("content")
        name = (attributes.get("name") or "").strip().lower()
        if name in robots_names:
            self.robots.append(content or "")
            return False
        if name == "description" and content is not None and self.description is None:
            self.description = collapsed_ascii(content)
        name = name or (attributes.get("property") or attributes.get("itemprop") or "").strip().lower()
        if not name or not content or not (value := collapsed_ascii(content)):
            return False
        self.metas.setdefault(name, []).append(value)
        return True

    def _add_link(self, attributes: dict[str, str | None]) -> None:
        href, rel = attributes.get("href"), attributes.get("rel")
        if href is None or not rel:
            return
        types = rel.lower().split()
        if "canonical" in types and self.canonical_href is None:
            self.canonical_href = href
        if "alternate" in types or "feed" in types:
            lang = (attributes.get("hreflang") or "").strip()
            media_type = (attributes.get("type") or "").partition(";")[0].strip().lower()
            title = attributes.get("title")
            found = Alternate(href, lang, media_type, collapsed_ascii(title) if title else None)
            if "stylesheet" in types or not (lang or found.is_feed):
                return
            if len(self.alternates) < _MAX_ALTERNATES:
                self.alternates.append(found)
            else:
                self.had_more = True

    def meta(self, *names: str) -> str | None:
        """The first content of the first of `names` that the page has."""
        metas = self.metas
        return next((metas[name][0] for name in names if name in metas), None)


def _is_in_svg(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None and parent.tag_id != _SVG:
        parent = parent.parent
    return parent is not None
