"""Which boxes of a page are beside its main text by what the page itself says of them?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.main_boxes import ANCHOR
from crawler.extract.main_words import NOT_PROSE, REMARKS, words_against

if TYPE_CHECKING:
    from crawler.extract.main_cutting import Cutting

_BODY, _HEADER, _NOSCRIPT = (create_tag(name).tag_id for name in ("body", "header", "noscript"))
_UNASKED = frozenset((ANCHOR, _BODY))
_ARTICLES = frozenset(create_tag(name).tag_id for name in ("article", "main"))
_BESIDE_TAGS = "nav aside footer dialog button select textarea menu fieldset figcaption"
#: elements that are beside the main text by their meaning (HTML, 4.3 and 4.11), or controls
_BESIDE = frozenset(create_tag(name).tag_id for name in _BESIDE_TAGS.split())
_BESIDE_ROLES = (
    "navigation banner contentinfo complementary search dialog alertdialog menu menubar toolbar alert tooltip listbox "
    "combobox status"
)
#: roles (WAI-ARIA 1.2, 5.3) likewise
_ROLES_BESIDE = frozenset(_BESIDE_ROLES.split())
#: those of which something is told by themselves
_TELLING = _ARTICLES | _BESIDE | _UNASKED | {_HEADER, _NOSCRIPT}
_DECLARING = frozenset(("role", "hidden", "aria-hidden", "style"))
_UNSHOWN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")

_MOST = 0.6
"""A box with more of the page's text is never cut for its attributes."""
_SPARED = 0.5
"""Nor for its names one with more of the page's sentences, nor all those that share a word and have more together."""
_REMARKS_SPARED = 0.6
"""Comments have more on forums, and hardly ever below articles."""


def cut_declared(cutting: Cutting) -> dict[int, frozenset[str]]:
    """Cut what tags, roles and styles say is beside the main text.

    Returns:
        Of other boxes the words against them, if any.
    """
    tags, parents, texts, cut, nodes = cutting.tags, cutting.parents, cutting.texts, cutting.cut, cutting.nodes
    declaring, telling, most = _DECLARING, _TELLING, _MOST * texts[0]
    asks_articles = _HEADER in tags
    in_article = bytearray(len(cut))
    suspects = {}
    for number in cutting.live:
        parent, tag = parents[number], tags[number]
        if cut[parent]:
            cut[number] = 1
            continue
        if asks_articles:
            in_article[number] = tag in _ARTICLES or in_article[parent]
        if tag in telling:
            if tag in _BESIDE or (tag == _HEADER and not in_article[number]):
                cut[number] = 1
                continue
            if tag == _NOSCRIPT:
                suspects[number] = frozenset(("noscript",))  # says that scripts are needed, or all that they would show
            if tag != _HEADER:
                continue
        if texts[number] <= most:
            attributes = nodes[number].attributes  # type: ignore[union-attr]
            if not attributes:
                continue
            if not declaring.isdisjoint(attributes) and _is_declared_beside(attributes):
                cut[number] = 1
                continue
            names = attributes.get("class")
            words = words_against(names) if names else None
            if not words and (names := attributes.get("id")):
                words = words_against(names)
            if words:
                suspects[number] = words
    cutting.drop_cut()
    return suspects


def cut_named(cutting: Cutting, suspects: dict[int, frozenset[str]]) -> list[int]:
    """Cut those of `suspects` with words that speak against main text on any page.

    Returns:
        Those whose words speak against prose alone.
    """
    parents, cut = cutting.parents, cutting.cut
    if not suspects:
        return []
    sentences = cutting.sentences()
    spared = _SPARED * sentences[0]
    by_word: dict[str, int] = {}
    marked = bytearray(len(cut))
    for number in cutting.live:
        if marked[parents[number]]:
            marked[number] = 1
        elif number in suspects and 0 < sentences[number] <= spared:
            marked[number] = 1
            for word in suspects[number]:
                by_word[word] = by_word.get(word, 0) + sentences[number]
    content = {
        word
        for word, held in by_word.items()
        if held > (_REMARKS_SPARED if word in REMARKS else _SPARED) * sentences[0]
    }
    beside_prose = []
    for number, words in suspects.items():
        if sentences[number] <= spared and not words <= content:
            if words <= NOT_PROSE:
                beside_prose.append(number)
            else:
                cut[number] = 1
    cutting.spread()
    return beside_prose


def _is_declared_beside(attributes: dict[str, str | None]) -> bool:
    role = attributes.get("role")
    if role is not None and role.strip().lower() in _ROLES_BESIDE:
        return True
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    style = attributes.get("style")
    return style is not None and _UNSHOWN.search(style) is not None
