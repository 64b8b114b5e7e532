"""What do a page's meta elements say for those who share links: Open Graph (ogp.me) and Twitter cards?

Both are kept flat: each property by its full name, ``og:title``, with the list of its contents in document order; so
nothing is lost where one is given twice, and nothing has to be told apart where it is not. Properties of one picture
among several (``og:image:width``) stand at its place in the list, null standing for pictures before that have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_VALUES = 1_000
MAX_CHARS = 10_000
"""Of one content; no name may be longer than 200."""
_MAX_NAME_CHARS = 200

#: ogp.me's own, and what Facebook and shops have added
_PREFIXES = frozenset(
    (
        *("og", "article", "book", "music", "profile", "video"),
        *("al", "books", "business", "fb", "fitness", "game", "place", "product", "restaurant"),
    )
)
_TWITTER = "twitter:"
#: those that come in several, each with properties of its own (ogp.me, "Structured Properties")
_STRUCTURED = ("og:image", "og:video", "og:audio")


class Cards(NamedTuple):
    """What is said to those who share links."""

    opengraph: dict[str, list[str | None]]
    twitter: dict[str, list[str | None]]
    was_cut: bool  #: whether there was more than may be kept


def cards(tree: LexborHTMLParser) -> Cards:
    """Both of `tree`, in one search."""
    return of_metas(tree.css("meta"))


def opengraph(tree: LexborHTMLParser) -> dict[str, list[str | None]]:
    """The Open Graph properties of `tree`, by their full names."""
    return cards(tree).opengraph


def twitter(tree: LexborHTMLParser) -> dict[str, list[str | None]]:
    """The Twitter card of `tree`, likewise."""
    return cards(tree).twitter


def of_metas(metas: Iterable[LexborNode]) -> Cards:
    """What meta elements say, given in document order; those that say nothing of this are passed over.

    Open Graph has its names under ``property``, and there alone; Twitter's stand under ``name``, or likewise there.
    """
    said = _Properties()
    for meta in metas:
        attributes = meta.attrs
        names = attributes.get("property") or attributes.get("name")
        if names and ":" in names and (content := attributes.get("content")) is not None:
            is_property = bool(attributes.get("property"))
            for name in names.lower().split():
                if is_property or name.startswith(_TWITTER):
                    said.add(name, content.strip())
    return Cards(
        {name: contents for name, contents in said.values.items() if not name.startswith(_TWITTER)},
        {name: contents for name, contents in said.values.items() if name.startswith(_TWITTER)},
        said.was_cut,
    )


class _Properties:
    """Contents by the names of their properties."""

    def __init__(self) -> None:
        self.values: dict[str, list[str | None]] = {}
        self.was_cut = False
        self._room = MAX_VALUES

    def add(self, name: str, content: str) -> None:
        if name.partition(":")[0] not in _PREFIXES and not name.startswith(_TWITTER):
            return
        contents = self.values.get(name, [])
        place = len(contents)
        if name.startswith(_STRUCTURED) and name.count(":") > 1:  # that of the picture last named
            place = max(place, len(self.values.get(name.rpartition(":")[0], ())) - 1)
        needed = place - len(contents) + 1
        if len(name) > _MAX_NAME_CHARS or needed > self._room:
            self.was_cut = True
            return
        if len(content) > MAX_CHARS:
            self.was_cut = True
            content = content[:MAX_CHARS]
        self.values[name] = contents
        contents.extend([None] * (needed - 1))
        contents.append(content)
        self._room -= needed
