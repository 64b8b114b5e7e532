"""Where on a page with prose is the article, and what in it is not of it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.main_boxes import ANCHOR
from crawler.extract.main_cutting import SENTENCE

if TYPE_CHECKING:
    from crawler.extract.main_cutting import Cutting

_H1 = create_tag("h1").tag_id
_HEADINGS = frozenset(create_tag(name).tag_id for name in ("h1", "h2", "h3", "h4", "h5", "h6"))

_PROSE_HELD = 0.9
"""Of the page's prose, what the box of the article must hold."""
_LINK_COST = 3
"""A linked character costs as much as so many others are worth."""
_BLOCK_COST = 50
"""And so does each block, so that the many short ones in a page's margin cost more than their text is worth."""
_LINKED = 0.7
"""A box whose text is more than that of links is a list of links."""


def choose_root(cutting: Cutting, prose: list[int]) -> int:
    """The box in which text outweighs links and the number of blocks most, or one around it with most of the prose.

    Args:
        prose: As of `Held`.
    """
    own, links, parents, tags, cut = cutting.own, cutting.links, cutting.parents, cutting.tags, cutting.cut
    worth = [0] * len(own)
    best, most = 0, 0
    for number in reversed(cutting.live):
        if cut[number]:
            continue
        if own[number] or links[number]:
            worth[number] += own[number] + links[number] - _LINK_COST * links[number] - _BLOCK_COST
        if worth[number] >= most and tags[number] != ANCHOR:
            best, most = number, worth[number]
        worth[parents[number]] += worth[number]
    while best and prose[best] < _PROSE_HELD * prose[0]:
        best = parents[best]
    return best


def cut_before_prose(cutting: Cutting, root: int) -> None:
    """Cut dates, names and the like between the start of `root` and its first sentence; not headings."""
    own, links, parents, tags, cut = cutting.own, cutting.links, cutting.parents, cutting.tags, cutting.cut
    start = []
    first = 0
    for number in cutting.live:
        if number > root and not cut[number]:
            if own[number] >= SENTENCE and tags[number] != _H1:
                first = number
                break
            if (own[number] or links[number]) and tags[number] not in _HEADINGS:
                start.append(number)
    around = set()
    while first > root:
        around.add(first)
        first = parents[first]
    if around:
        for number in start:
            if number not in around and tags[parents[number]] not in _HEADINGS:
                cut[number] = 1


def cut_titles(cutting: Cutting, root: int) -> set[int]:
    """Cut headings of the first level in `root`, but not what is in them, and say which."""
    tags, cut = cutting.tags, cutting.cut
    titles = {number for number in cutting.live if number > root and tags[number] == _H1 and not cut[number]}
    for number in titles:
        cut[number] = 1
    return titles


def cut_link_lists(cutting: Cutting, root: int, texts: list[int], linked: list[int]) -> None:
    """Cut what in `root` is mostly links: to other articles, to others of their kind.

    Args:
        texts, linked: As of `Held`.
    """
    tags, cut = cutting.tags, cutting.cut
    half = 0.5 * texts[root]
    for number in cutting.live:
        is_list = linked[number] > _LINKED * texts[number] and texts[number] < half
        if is_list and number > root and tags[number] not in _HEADINGS:
            cut[number] = 1
    cutting.spread()


def cut_bare_headings(cutting: Cutting, root: int) -> None:
    """Cut headings in `root` of what was cut: the next text after them is, or there is none.

    What is in them is not marked as cut.
    """
    own, parents, tags, cut = cutting.own, cutting.parents, cutting.tags, cutting.cut
    in_heading = bytearray(len(own))
    bare = 0
    for number in cutting.with_text:
        if number <= root:
            continue
        if tags[number] in _HEADINGS:
            in_heading[number] = 1
            if not cut[number]:
                bare = number
        elif in_heading[parents[number]]:
            in_heading[number] = 1
        elif bare and (own[number] or cutting.links[number]):
            cut[bare] = cut[number]
            bare = 0
    if bare:
        cut[bare] = 1
