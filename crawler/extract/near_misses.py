"""A selector matches nothing on a page: what, a step away from it, does?

People misspell classes, sites rename them, and letter case counts. Looks at how far the selector gets, step by step,
and at which names on the page are like those that are on none of its elements.
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import msgspec
from selectolax.lexbor import SelectolaxError

from crawler.extract.suggest_names import is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborHTMLParser

MAX_SHOWN: Final = 4
_MAX_NODES: Final = 200_000
_MAX_NAMES: Final = 5_000
_MAX_CHARS: Final = 500  # of a selector
_MAX_DEPTH: Final = 2_000  # of elements; to look up from each of more takes too long
# A selector's steps are parted by blanks, >, + and ~, but not within brackets, parentheses or quotes.
_PIECE: Final = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<open>[\[(])|(?P<close>[\])])|(?P<part>\s*[>+~]\s*|\s+)|\\.|.""",
    re.DOTALL,
)
_NAME: Final = re.compile(r"([.#])(-?[A-Za-z_][\w-]*)")
_TAG: Final = re.compile(r"[A-Za-z][\w-]*")


class NearMiss(msgspec.Struct, frozen=True):
    """A selector like one that matches nothing."""

    css: str
    #: how many elements of the page it matches
    found: int
    #: how it came from the other one
    why: str


class _Names:
    """The tags, classes and ids of a page, with how many elements have each."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self.classes: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.by_tag: dict[str, Counter[str]] = {}
        self.is_deep = False
        depths: dict[int, int] = {}
        if tree.root is None:
            return
        for number, node in enumerate(tree.root.traverse()):
            if number >= _MAX_NODES or len(self.classes) > _MAX_NAMES:
                break
            around = node.parent
            depths[node.mem_id] = depth = depths.get(around.mem_id, 0) + 1 if around is not None else 0
            self.is_deep |= depth > _MAX_DEPTH
            attributes = node.attributes
            if not attributes:
                continue
            for name in (attributes.get("class") or "").split()[:20]:
                if is_plain(name):
                    self.classes[name] += 1
                    self.by_tag.setdefault(str(node.tag), Counter())[name] += 1
            if (own := attributes.get("id")) and is_plain(own):
                self.ids[own] += 1


def near_misses(tree: LexborHTMLParser, selectors: Iterable[str]) -> dict[str, tuple[NearMiss, ...]]:
    """What is like each of some selectors that match nothing in `tree`, and matches something; the likeliest first.

    A selector that does match there, and nothing but where it was looked for, is told with how often.
    """
    names = _Names(tree)
    return {selector: () if names.is_deep else _near(tree, selector, names) for selector in selectors}


def _near(tree: LexborHTMLParser, selector: str, names: _Names) -> tuple[NearMiss, ...]:
    if len(selector) > _MAX_CHARS or "," in selector:
        return ()
    if elsewhere := _count(tree, selector):
        return (NearMiss(selector, elsewhere, "on the page, but none within an item"),)
    seen: dict[str, NearMiss] = {}
    for css, why in _ideas(tree, selector, names):
        found = _count(tree, css)
        if found and css not in seen and css != selector:
            seen[css] = NearMiss(css, found, why)
            if len(seen) == MAX_SHOWN:
                break
    return tuple(seen.values())


def _ideas(tree: LexborHTMLParser, selector: str, names: _Names) -> Iterator[tuple[str, str]]:
    swaps = list(_swaps(selector, names))
    yield from swaps
    if len(swaps) > 1:
        all_of_them = selector
        for name, other, _ in _likenesses(selector, names):
            all_of_them = _replaced(all_of_them, name, other)
        yield all_of_them, "with all of them"
    steps = steps_of(selector)
    for end in range(len(steps) - 1, 0, -1):
        cut = "".join(steps[:end])
        if _count(tree, cut):
            left_out = "".join(steps[end:]).strip()
            yield cut, f"without {left_out!r}"
            break
    if len(steps) > 1:
        yield steps[-1].lstrip(" >+~\t\r\n\f"), "its last step alone"
    yield from _other_classes(steps[-1], names)


def _swaps(selector: str, names: _Names) -> Iterator[tuple[str, str]]:
    """The selector with one name replaced that no element of the page has."""
    for name, other, why in _likenesses(selector, names):
        yield _replaced(selector, name, other), why


def _replaced(selector: str, name: str, other: str) -> str:
    return re.sub(rf"{re.escape(name)}(?![\w-])", lambda _: other, selector)


def _likenesses(selector: str, names: _Names) -> Iterator[tuple[str, str, str]]:
    """(name in the selector, name on the page, in words what that is), with their dots and hashes."""
    for mark, name in dict.fromkeys(_NAME.findall(selector)):
        known, others = (names.classes, names.ids) if mark == "." else (names.ids, names.classes)
        if name in known:
            continue
        what, other_mark = ("class", "#") if mark == "." else ("id", ".")
        folded = {each.casefold(): each for each in known}
        if name.casefold() in folded:
            yield mark + name, mark + folded[name.casefold()], "letter case counts"
            continue
        if name in others:
            yield mark + name, other_mark + name, f"it is {'an id' if mark == '.' else 'a class'} there"
        for close in get_close_matches(name.casefold(), folded, n=2, cutoff=0.7):
            yield mark + name, mark + folded[close], f"a {what} of the page like {name!r}"
        if mark == ".":
            longer = [each for each in known if len(name) > 3 and name.casefold() in each.casefold()]
            if longer:
                best = max(longer, key=lambda each: known[each])
                yield mark + name, mark + best, f"a class of the page that holds {name!r}"


def _other_classes(step: str, names: _Names) -> Iterator[tuple[str, str]]:
    """The same tag with the classes that it has on the page."""
    step = step.lstrip(" >+~\t\r\n\f")
    tag = _TAG.match(step)
    if tag is None or not _NAME.search(step):
        return
    for name, _ in names.by_tag.get(tag[0].lower(), Counter()).most_common(2):
        yield f"{tag[0]}.{name}", f"a class that {tag[0]} elements have"


def steps_of(selector: str) -> list[str]:
    """The compounds of a complex selector, each but the first after its combinator."""
    steps, depth = [""], 0
    for piece in _PIECE.finditer(selector.strip()):
        if piece["open"]:
            depth += 1
        elif piece["close"]:
            depth = max(0, depth - 1)
        if piece["part"] and not depth and steps[-1]:
            steps.append(piece[0])
        else:
            steps[-1] += piece[0]
    return steps


def _count(tree: LexborHTMLParser, css: str) -> int:
    try:
        return len(tree.css(css))
    except SelectolaxError:
        return 0
