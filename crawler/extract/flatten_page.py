"""How is a page written anew whose tree would be too deep, or its attributes too many? One way through its tags.

Why, and within which limits, `flatten` says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 512
MAX_ATTRIBUTES = 1_000
MAX_NAMES = 5_000

_LONG_BYTES = 2 * MAX_ATTRIBUTES  # less has no more attributes than that
_ATTRIBUTE = re.compile(rb"[\s/]*+([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>]*+))?")
_TAG = re.compile(
    rb"<!--(?:-?>|.*?(?:--!?>|\Z))|<(/?)([a-zA-Z][^\s/>]*+)((?:[^>=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)?)*+)>?",
    re.DOTALL,
)


_RAW = {
    name: re.compile(rb"</" + name + rb"(?=[\s/>])", re.IGNORECASE)
    for name in (b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes", b"plaintext")
}
_VOID = frozenset(
    b"area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr".split()
)
#: merged with the one there is, or ignored
SINGLE = frozenset((b"html", b"head", b"body", b"frameset"))
_LEAVES = _VOID | SINGLE | _RAW.keys()
_FOREIGN = frozenset((b"svg", b"math"))
_CELLS, _ROWS = frozenset((b"td", b"th")), frozenset((b"tr",))
_GROUPS = frozenset((b"tbody", b"thead", b"tfoot", b"caption", b"colgroup"))
_HEADINGS = frozenset((b"h1", b"h2", b"h3", b"h4", b"h5", b"h6"))
_ITEMS, _TERMS = frozenset((b"li",)), frozenset((b"dd", b"dt"))
_BLOCKS = frozenset(
    b"address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form "
    b"header hgroup hr li dd dt main menu nav ol p pre listing section summary table ul".split()
)
_LISTS = frozenset((b"ul", b"ol", b"menu", b"dir", b"dl", b"table", b"td", b"th"))
#: start tag -> open elements that it ends, and those beyond which it ends none
_ENDS: dict[bytes, tuple[frozenset[bytes], frozenset[bytes]]] = {
    **dict.fromkeys(_BLOCKS | _HEADINGS, (frozenset((b"p",)), _LISTS | {b"button"})),
    **dict.fromkeys(_ITEMS, (_ITEMS, _LISTS)),
    **dict.fromkeys(_TERMS, (_TERMS, _LISTS)),
    **dict.fromkeys(_CELLS, (_CELLS, _ROWS | {b"table"})),
    **dict.fromkeys(_ROWS, (_ROWS, frozenset((b"table",)) | _GROUPS)),
    **dict.fromkeys(_GROUPS, (_GROUPS, frozenset((b"table",)))),
    **dict.fromkeys((b"option", b"optgroup"), (frozenset((b"option",)), frozenset((b"select",)))),
    **dict.fromkeys((b"rt", b"rp"), (frozenset((b"rt", b"rp")), frozenset((b"ruby",)))),
    b"button": (frozenset((b"button",)), _CELLS | {b"table"}),
}
#: start tags that end an open element of their own name, but none of those in it (the adoption agency algorithm)
_ADOPTED = frozenset((b"a", b"nobr"))
_LOOKS = 16  # open elements among which one is looked for that a start tag ends


UNCOUNTED = _LEAVES | _CELLS | _ROWS | _GROUPS | _ITEMS | _TERMS | {b"p", b"option", b"optgroup", b"rt", b"rp"}


class Flattened(NamedTuple):
    """What is parsed of a page."""

    utf8: bytes
    #: what there was too much of, and is less now: ``nesting``, ``attributes``
    cut: tuple[str, ...] = ()


def attributes(tags: bytes, at: int = 0) -> Iterator[re.Match[bytes]]:
    """Those that follow each other from `at` on, up to a tag's end: to search for them would take time that grows with
    the square of a run of blanks."""
    while (attribute := _ATTRIBUTE.match(tags, at)) is not None:
        yield attribute
        at = attribute.end()


class Flattening:
    """One way through a page: which elements are open, and what is written instead of what stands there."""

    def __init__(self, utf8: bytes, *, has_names: bool) -> None:
        self._utf8 = utf8
        self._has_names = has_names
        self._pieces: list[bytes] = []
        self._written = 0  # up to there
        self._open: list[bytes] = []
        self._counts: dict[bytes, int] = {}
        self._deep: int | None = None  # place in `_open` of the only element beyond the limit that the parser has open
        self._names: set[bytes] = set()
        self._cut: set[str] = set()

    def result(self) -> Flattened:
        """Go through all of it."""
        at = 0
        utf8, search = self._utf8, _TAG.search
        while (tag := search(utf8, at)) is not None:
            at = tag.end()
            name = tag[2]
            if name is None:
                continue
            name = name.lower()
            if tag[1]:
                self._end(name, tag)
                continue
            if name not in _LEAVES:
                self._start(name, tag)
            if len(tag[3]) > _LONG_BYTES or (tag[3] and (self._has_names or name in SINGLE)):
                self._limit_attributes(tag)
            if name in _RAW:
                over = _RAW[name].search(utf8, at)
                if over is None:
                    break
                at = over.start()
        if not self._pieces:
            return Flattened(utf8)
        self._pieces.append(utf8[self._written :])
        return Flattened(b"".join(self._pieces), tuple(sorted(self._cut, reverse=True)))

    def _write(self, start: int, end: int, instead: bytes) -> None:
        """Put `instead` where `start` to `end` is."""
        self._pieces += (self._utf8[self._written : start], instead)
        self._written = end

    def _start(self, name: bytes, tag: re.Match[bytes]) -> None:
        if tag[3].endswith(b"/") and any(self._counts.get(foreign) for foreign in _FOREIGN):
            return
        if name in _ENDS:
            self._end_before(*_ENDS[name])
        elif name in _ADOPTED and self._counts.get(name):
            self._adopt(name)
        if len(self._open) >= MAX_DEPTH:
            if self._deep is not None:
                self._write(tag.start(), tag.start(), b"</%s>" % self._open[self._deep])
                self._cut.add("nesting")
            self._deep = len(self._open)
        self._open.append(name)
        self._counts[name] = self._counts.get(name, 0) + 1

    def _end(self, name: bytes, tag: re.Match[bytes]) -> None:
        if not self._counts.get(name):
            return
        place = len(self._open) - 1
        while self._open[place] != name:
            place -= 1
        if place >= MAX_DEPTH and place != self._deep:  # ended where its first child began
            self._write(tag.start(), tag.end(), b"")
        self._close(place)

    def _end_before(self, ended: frozenset[bytes], beyond: frozenset[bytes]) -> None:
        """What a start tag ends by itself: one of `ended`, unless one of `beyond` is in between."""
        opened = self._open
        if opened and opened[-1] in ended:
            self._close(len(opened) - 1)
            return
        if not any(map(self._counts.get, ended)):
            return
        for place in range(len(opened) - 1, max(len(opened) - _LOOKS, 0) - 1, -1):
            if opened[place] in ended:
                self._close(place)
                return
            if opened[place] in beyond:
                return

    def _adopt(self, name: bytes) -> None:
        """End the innermost element called `name`, with what is in it left open."""
        place = len(self._open) - 1
        while self._open[place] != name:
            place -= 1
        del self._open[place]
        self._counts[name] -= 1
        if self._deep is not None and self._deep >= place:
            self._deep = self._deep - 1 if self._deep > max(place, MAX_DEPTH) else None

    def _close(self, place: int) -> None:
        for name in self._open[place:]:
            self._counts[name] -= 1
        del self._open[place:]
        if self._deep is not None and self._deep >= place:
            self._deep = None

    def _limit_attributes(self, tag: re.Match[bytes]) -> None:
        """Leave out attributes that are too many."""
        kept: list[bytes] = []
        names = self._names
        is_cut = False
        for number, attribute in enumerate(attributes(tag[3])):
            if number == MAX_ATTRIBUTES:
                is_cut = True
                break
            if attribute[1] in names or len(names) < MAX_NAMES:
                names.add(attribute[1])
                kept.append(attribute[0])
            else:
                is_cut = True
        if is_cut:
            self._write(tag.start(3), tag.end(3), b" " + b" ".join(kept))
            self._cut.add("attributes")
