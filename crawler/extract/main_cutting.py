"""What do the boxes of a page hold, and which are cut? What the steps to its main text share."""

from __future__ import annotations

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
    sentences: list[int]
    prose: list[int]


class Cutting:
    """The boxes of one document, while those that are not main text are cut."""

    __slots__ = ("cut", "links", "live", "nodes", "own", "parents", "tags", "texts")

    def __init__(self, document: Document) -> None:
        boxes = document.boxes
        self.nodes, self.tags = boxes.nodes, boxes.tags
        #: of each, the number of the box it is in
        self.parents = [place >> 1 for place in boxes.parents]
        sizes = document.sizes()
        #: of each, the characters of text in it, and in no box within: linked, and not
        self.links, self.own = sizes[1::2], sizes[::2]
        self._own_links_unless_whole()
        self.texts = self._texts()
        #: those with any text, in document order, but for the document
        self.live = [number for number, length in enumerate(self.texts) if length and number]
        #: for each, whether it is not main text, nor what it holds; only those with text are asked
        self.cut = bytearray(len(self.own))

    def _texts(self) -> list[int]:
        """How many characters each box holds, with the boxes in it."""
        parents = self.parents
        texts = [own + linked for own, linked in zip(self.own, self.links, strict=True)]
        for number in range(len(texts) - 1, 0, -1):
            texts[parents[number]] += texts[number]
        return texts

    def _own_links_unless_whole(self) -> None:
        """Take linked text for plain where it is in a link that was never closed and so holds most of the page."""
        if ANCHOR not in self.tags:
            return
        texts, parents = self._texts(), self.parents
        plain = bytearray(len(texts))
        for number, tag in enumerate(self.tags):
            if tag == ANCHOR:
                node = self.nodes[number]
                is_link = texts[number] < 0.5 * texts[0] and node is not None and "href" in node.attributes
                plain[number] = not is_link
            else:
                plain[number] = plain[parents[number]]
            if plain[number]:
                self.own[number] += self.links[number]
                self.links[number] = 0

    def held(self) -> Held:
        """How much each box holds."""
        own, links, parents, cut = self.own, self.links, self.parents, self.cut
        size = len(own)
        texts, sentences, prose = [0] * size, [0] * size, [0] * size
        rows, row_lengths = [0] * size, [0] * size
        for number in reversed(self.live):
            if cut[number]:
                continue
            parent, length = parents[number], own[number]
            texts[parent] += texts[number] + length + links[number]
            texts[number] += length + links[number]
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
        return Held(texts, sentences, prose)

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

    def spread(self) -> None:
        """Cut what is in boxes that are."""
        parents, cut = self.parents, self.cut
        for number in self.live:
            if cut[parents[number]]:
                cut[number] = 1

    def has_text(self, root: int) -> bool:
        """Whether anything is left of the box `root`."""
        own, links, cut = self.own, self.links, self.cut
        return any(number >= root and not cut[number] and (own[number] or links[number]) for number in (0, *self.live))
