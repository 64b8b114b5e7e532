"""Which part of a page is its main text, what the page is there for?

Works on the boxes of a document (`main_boxes`), in passes over lists, each in linear time:

1. What the page itself declares to be something else is cut: navigation, footers, dialogs, what is hidden.
2. So is what class and id call so (`main_words`), unless it is where the page's sentences are.
3. A page with prose, several paragraphs in a row, is taken for an article: the box is chosen that holds the prose with
   the least beside it, and within it lists of links, bylines and headings of nothing are cut. So is its title from
   the text, as a record has that by itself.
4. Any other page, a listing, a shop, a forum, a start page, keeps all that was not cut.

Only lengths, links, structure and the names web developers use are looked at, so the language of the text matters not.
The idea of judging blocks by length and link density is that of Kohlschuetter et al., "Boilerplate Detection using
Shallow Text Features", WSDM 2010.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.main_article import choose_root, cut_bare_headings, cut_before_prose, cut_link_lists, cut_titles
from crawler.extract.main_beside import cut_declared, cut_named
from crawler.extract.main_cutting import Cutting

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from crawler.extract.html import Document


_PROSE_ENOUGH = {"article": 300, "other": 5000, "unsaid": 5000}
"""So many characters of prose make an article, of a page that says it is one, is something else, or says nothing."""
_SENTENCES_ENOUGH = {"article": 0.7, "other": 0.8, "unsaid": 0.7}
"""So does this share of sentences in what is left of the page's text,"""
_PROSE_SHARE = 0.4
"""if so much of them is prose,"""
_PROSE_LEAST = 0.1
"""and so much of all text."""
_MIXED = 0.4
"""A page with less of sentences is made of items: their links are its text."""


class Main:
    """The main text of one document."""

    __slots__ = ("_document", "_kept", "dropped", "roots")

    def __init__(self, document: Document, roots: list[LexborNode], dropped: set[int], kept: bytearray) -> None:
        self._document = document
        self._kept = kept
        #: the elements that hold it, in document order, none within another
        self.roots = roots
        #: the `mem_id` of the elements within them that are not part of it, with all they hold; an article's ``<h1>``
        #: is not among them, though `text` leaves it out
        self.dropped = dropped

    def text(self) -> tuple[str, int]:
        """Its text, and how many words, as of `Document.blocks`."""
        return self._document.blocks(self._kept)


def main_content(document: Document) -> Main:
    """The main text of a document that was made with `want_text`.

    Where it leaves no text of a page that has some, as of one that is all menu, it is all of it.
    """
    cutting = Cutting(document)
    root, titles = _cut(cutting, _kind(document))
    kept, dropped = _chosen(cutting, root, titles)
    if not any(kept[number] and (cutting.own[number] or cutting.links[number]) for number in (0, *cutting.with_text)):
        root, kept, dropped = 0, bytearray(b"\1") * len(kept), set()
    nodes = cutting.nodes
    top = nodes[root] or document.tree.body or document.tree.root
    return Main(document, [] if top is None else [top], dropped, kept)


def _chosen(cutting: Cutting, root: int, titles: set[int]) -> tuple[bytearray, set[int]]:
    """For each box whether it is kept, and the `mem_id` of each that is not while that around it is, but for titles."""
    nodes, parents, cut = cutting.nodes, cutting.parents, cutting.cut
    kept = bytearray(len(nodes))
    kept[root] = 1
    dropped = set()
    for number in range(root + 1, len(nodes)):
        if kept[parents[number]]:
            if not cut[number]:
                kept[number] = 1
            elif number not in titles:
                dropped.add(nodes[number].mem_id)  # type: ignore[union-attr]
    return kept, dropped


def _cut(cutting: Cutting, kind: str) -> tuple[int, set[int]]:
    """Cut what is not main text of a page of `kind`; the number of the box that holds what is, and those of titles."""
    suspects = cut_named(cutting, cut_declared(cutting))
    texts, linked, sentences, prose = cutting.held()
    share = sentences[0] / max(1, texts[0])
    has_prose = prose[0] >= _PROSE_ENOUGH[kind]
    root = 0
    titles: set[int] = set()
    if has_prose or share >= _MIXED:
        if suspects:
            for number in suspects:
                cutting.cut[number] = 1
            cutting.spread()
        is_article = has_prose or share >= _SENTENCES_ENOUGH[kind]
        if is_article and prose[0] >= max(_PROSE_SHARE * sentences[0], _PROSE_LEAST * texts[0]):
            root = choose_root(cutting, prose)
            cut_before_prose(cutting, root)
            titles = cut_titles(cutting, root)
        cut_link_lists(cutting, root, texts, linked)
        cut_bare_headings(cutting, root)
    return root, titles


def _kind(document: Document) -> str:
    """Whether the page says it is an article, something else, or nothing, in terms of the Open Graph protocol."""
    for meta in document.metas():
        name = meta.attrs.get("property")
        if name == "og:type":
            return "article" if (meta.attrs.get("content") or "").strip().lower() == "article" else "other"
        if name == "article:published_time":
            return "article"
    return "unsaid"
