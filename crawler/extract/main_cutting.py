"""What do the boxes of a page hold, and which are cut? What the steps to its main text share."""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING, NamedTuple

from crawler.extract.main_boxes import ANCHOR

if TYPE_CHECKING:
    from crawler.extract.html import Document

# Lengths in characters, chosen, as all figures of the steps, by the scores of benchmarks/maintext.py. None is sharp: a
# fifth more or less of any changes no score by more than 0.01.
SENTENCE = 60
"""A box's own text, links aside, is taken for a sentence from here on: menus, labels and titles rarely are."""
_LONG = 400
"""Own text this long is prose in itself: paragraphs parted by ``<br>`` alone."""
_ROW = 3
"""So many boxes with sentences in one are prose."""


class Held(NamedTuple):
    """How many characters each box holds, with the boxes in it, of what is not cut."""

    texts: list[int]
    links: list[int]
    sentences: list[int]
    prose: list[int]


class Cutting:
    """The boxes of one document, while those that are not main text are cut."""

    __slots__ = ("cut", "links", "live", "nodes", "own", "parents", "tags", "texts", "with_text")

    def __init__(self, document: Document) -> None:
        boxes = document.boxes
        self.nodes, self.tags, self.parents = boxes.nodes, boxes.tags, boxes.parents
        sizes = document.sizes()
        #: of each, the characters of text in it, and in no box within: linked, and not
        self.links, self.own = sizes[1::2], sizes[::2]
        self.texts = self._texts()
        if ANCHOR in self.tags and any(map(self._is_unclosed, self._links())):
            self._take_unclosed_links_for_plain()
        #: those with any text, in document order, but for the document
        self.with_text = [number for number, length in enumerate(self.texts) if length and number]
        #: those of them that were not cut when last looked at
        self.live = self.with_text
        #: for each, whether it is not main text, nor what it holds; only those with text are asked
        self.cut = bytearray(len(self.own))

    def _texts(self) -> list[int]:
        """How many characters each box holds, with the boxes in it."""
        parents = self.parents
        texts = list(map(add, self.own, self.links))
        for number in range(len(texts) - 1, 0, -1):
            if texts[number]:
                texts[parents[number]] += texts[number]
        return texts

    def _links(self) -> list[int]:
        return [number for number, tag in enumerate(self.tags) if tag == ANCHOR]

    def _is_unclosed(self, link: int) -> bool:
        """Whether a link holds most of the page, or is none: an anchor, ``<a name>``, that was never closed."""
        node = self.nodes[link]
        return self.texts[link] > 0.5 * self.texts[0] or (node is not None and "href" not in node.attributes)

    def _take_unclosed_links_for_plain(self) -> None:
        plain = bytearray(len(self.own))
        for number, tag in enumerate(self.tags):
            plain[number] = self._is_unclosed(number) if tag == ANCHOR else plain[self.parents[number]]
            if plain[number]:
                self.own[number] += self.links[number]
                self.links[number] = 0

    def held(self) -> Held:
        """How much each box holds."""
        own, links, parents, cut = self.own, self.links, self.parents, self.cut
        size = len(own)
        texts, linked, sentences, prose = [0] * size, [0] * size, [0] * size, [0] * size
        rows, row_lengths = [0] * size, [0] * size
        for number in reversed(self.live):
            if cut[number]:
                continue
            parent, length, in_links = parents[number], own[number], links[number]
            texts[number] += length + in_links
            texts[parent] += texts[number]
            linked[number] += in_links
            linked[parent] += linked[number]
            if length >= SENTENCE:
                sentences[number] += length
                rows[parent] += 1
                row_lengths[parent] += length
                if length >= _LONG:
                    prose[number] += length
            if rows[number] >= _ROW:  # all that is in a box has been, so its row is complete
                prose[number] += row_lengths[number]
            if sentences[number]:
                sentences[parent] += sentences[number]
                prose[parent] += prose[number]
        texts[0] += own[0] + links[0]
        return Held(texts, linked, sentences, prose)

    def sentences(self) -> list[int]:
        """`Held.sentences` alone."""
        own, parents, cut = self.own, self.parents, self.cut
        sentences = [0] * len(own)
        for number in reversed(self.live):
            if own[number] >= SENTENCE and not cut[number]:
                sentences[number] += own[number]
            if sentences[number]:
                sentences[parents[number]] += sentences[number]
        return sentences

    def drop_cut(self) -> None:
        """Let no step but the last look again at what is cut, with all that is in it."""
        cut = self.cut
        self.live = [number for number in self.live if not cut[number]]

    def spread(self) -> None:
        """Cut what is in boxes that are."""
        parents, cut = self.parents, self.cut
        for number in self.live:
            if cut[parents[number]]:
                cut[number] = 1
