"""Which CSS selectors lead to an element, and how long is each likely to hold?

What says what an element is (``itemprop``, ``data-*``, a meta element's name, an id or class of words) comes before
where it stands. A selector is one compound, or one below another of an element around; the way from the root, by
position, is the last resort.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.extract import suggest_names as names
from crawler.extract.html import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

MEANING: Final = 30
"""The most that is thought of a selector; 0 is one by position."""

_MAX_CLASSES: Final = 8
_MAX_AROUND: Final = 12
_MAX_STEPS: Final = 15
_MAX_SIBLINGS: Final = 500
_MAX_LABEL: Final = 40
_FOR_TESTS: Final = ("data-testid", "data-test", "data-qa", "data-cy", "data-hook", "data-test-id", "data-automation")
_TAGS: Final = {"h1": 20, "time": 14, "address": 14, "title": 12, "h2": 9, "main": 9, "article": 9, "h3": 7, "h4": 6}
_ANY_TAG: Final = 2
_MAX_NAME: Final = 80
_ATTRIBUTES: Final = {"role": 9.0, "name": 12.0, "property": 24.0, "typeof": 22.0, "rel": 20.0} | dict.fromkeys(
    _FOR_TESTS, 27.0
)
_ITEMS: Final = {"article": 12, "tr": 9, "li": 9, "section": 5, "dl": 5, "tbody": 5}


class Selector(msgspec.Struct, frozen=True, order=True):
    """One way to an element."""

    #: what is thought of it, from 0 to `MEANING`
    worth: float
    css: str


def selectors_of(element: LexborNode, *, combined: bool, by_number: bool) -> list[Selector]:
    """Ways to `element` from the page's root, best first.

    Args:
        element: Of a tree.
        combined: Whether selectors may speak of elements around it: to match those takes time in proportion to the
            depth of the tree for each of its elements.
        by_number: Whether they may count siblings, which takes time in proportion to their number for each of them.
    """
    own = own_selectors(element)
    found = {selector.css: selector.worth for selector in own}
    if combined:
        near = [*own[:4], *_with_parent(element)]
        for around in _around(element):
            for outer in own_selectors(around)[:2]:
                for inner in near:
                    if outer.worth >= _ANY_TAG + 4 and f"{outer.css} {inner.css}" not in found:
                        found[f"{outer.css} {inner.css}"] = _joint(outer.worth, inner.worth)
        found |= {selector.css: selector.worth for selector in _by_label(element)}
        if by_number and (path := _path(element)):
            found[path] = 0.0
    return sorted((Selector(worth, css) for css, worth in found.items()), key=lambda it: (-it.worth, len(it.css)))


def selectors_within(element: LexborNode, item: LexborNode, *, by_number: bool) -> list[Selector]:
    """Ways to `element` from `item`, which is one of the elements around it or itself, best first."""
    if element.mem_id == item.mem_id:
        return [Selector(_ANY_TAG, "")]
    own = own_selectors(element)
    found = {selector.css: selector.worth for selector in own}
    if element.parent is not None and element.parent.mem_id != item.mem_id:
        found |= {selector.css: selector.worth for selector in _with_parent(element)}
    for around in _around(element):
        if around.mem_id == item.mem_id:
            break
        for outer in own_selectors(around)[:2]:
            for inner in own[:3]:
                found.setdefault(f"{outer.css} {inner.css}", _joint(outer.worth, inner.worth))
    place = _nth(element) if by_number else ""
    if place not in ("", element.tag):
        found[place] = 1.0
    return sorted((Selector(worth, css) for css, worth in found.items()), key=lambda it: (-it.worth, len(it.css)))


def item_selectors(element: LexborNode) -> list[Selector]:
    """Ways to `element` and others like it: those that speak of it alone, such as its id, are left out."""
    found = {it.css: it.worth for it in own_selectors(element) if not it.css.startswith("#") and ":" not in it.css}
    tag = str(element.tag)
    if _plain_tag(tag):
        found[tag] = max(found.get(tag, 0), _ITEMS.get(tag, 0))
        parent = element.parent
        for outer in own_selectors(parent)[:2] if parent is not None and parent.is_element_node else ():
            found[f"{outer.css} > {tag}"] = _joint(outer.worth, found[tag])
    return sorted((Selector(worth, css) for css, worth in found.items()), key=lambda it: (-it.worth, len(it.css)))


def own_selectors(element: LexborNode) -> list[Selector]:
    """Compounds that `element` satisfies, best first."""
    tag = str(element.tag)
    if not _plain_tag(tag):
        return []
    attributes = element.attributes
    found: dict[str, float] = {tag: _TAGS.get(tag, _ANY_TAG)}
    if (name := attributes.get("id")) and names.is_plain(name) and not names.is_generated(name):
        found[f"#{name}"] = 5 if names.is_numbered(name) else 26
    for name, value in list(attributes.items())[: _MAX_CLASSES * 5]:
        worth = _worth_of_attribute(tag, name, value)
        if worth and value is not None and _quotable(value):
            bare = name in ("itemprop", *_FOR_TESTS)
            found[f'{"" if bare else tag}[{name}="{value}"]'] = worth
    found |= _by_class(tag, (attributes.get("class") or "").split()[:_MAX_CLASSES])
    return sorted((Selector(worth, css) for css, worth in found.items()), key=lambda it: (-it.worth, len(it.css)))


def attribute_selector(selector: Selector, attr: str) -> Selector:
    """`selector` for elements that have `attr`, whose name may say what it is: ``[data-price]``."""
    if attr.startswith("data-") and names.is_plain(attr):
        return Selector(max(selector.worth, 22.0 if names.means_something(attr) else 12.0), f"{selector.css}[{attr}]")
    return selector


def _worth_of_attribute(tag: str, name: str, value: str | None) -> float:
    if not value or len(value) > _MAX_NAME:
        return 0
    if name in ("itemprop", "itemtype") or (tag == "meta" and name in ("property", "name")):
        return 24 if name == "itemtype" else 29
    if names.is_numbered(value) or names.is_generated(value):
        return 0
    if name.startswith("data-") and name not in _FOR_TESTS and names.is_plain(name) and names.is_plain(value):
        return 17 if names.means_something(name) or names.means_something(value) else 10
    if name == "rel" and tag not in ("a", "link"):
        return 0
    return _ATTRIBUTES.get(name, 0)


def _by_class(tag: str, classes: list[str]) -> dict[str, float]:
    worths: dict[str, float] = {}
    found: dict[str, float] = {}
    for name in classes:
        if not names.is_plain(name):
            continue
        if names.is_generated(name):
            stem = name.rpartition("__")[0]  # of CSS modules: Price_root__3kXyZ
            if names.is_plain(stem) and not names.is_generated(stem):
                found[f'[class*="{stem}__"]'] = 16 if names.means_something(stem) else 12
            continue
        worth = 5.0 if names.is_looks(name) else 24.0 if names.means_something(name) else 15.0
        worths[name] = worth - 8 if names.is_numbered(name) else worth
    for name, worth in worths.items():
        found[f".{name}"] = worth
        found[f"{tag}.{name}"] = worth - 1
    for one, other in combinations(sorted(worths, key=lambda name: -worths[name])[:3], 2):
        found[f".{one}.{other}"] = (worths[one] + worths[other]) / 2
    return found


def _joint(outer: float, inner: float) -> float:
    """The worth of one below another: what `inner` is thought of, or if little, half of `outer` makes up for it."""
    return inner - 1 if inner >= outer else (inner + outer) / 2 - 1


def _with_parent(element: LexborNode) -> list[Selector]:
    """``h2 > a``: where the element itself says little, its parent may say more."""
    parent = element.parent
    if parent is None or not parent.is_element_node or parent.tag in ("body", "html", "head"):
        return []
    return [
        Selector(max(outer.worth, inner.worth) - 1, f"{outer.css} > {inner.css}")
        for outer in own_selectors(parent)[:2]
        for inner in own_selectors(element)[:2]
    ]


def _by_label(element: LexborNode) -> Iterator[Selector]:
    """The value beside a label: ``dt:lexbor-contains("Weight") + dd``."""
    if element.tag not in ("td", "dd"):
        return
    label, steps = element.prev, 0
    while label is not None and not label.is_element_node and steps < 5:
        label, steps = label.prev, steps + 1
    if label is None or label.tag not in ("th", "dt", "td"):
        return
    text = text_of(label).rstrip(": ")
    if 2 <= len(text) <= _MAX_LABEL and _quotable(text):
        yield Selector(15, f'{label.tag}:lexbor-contains("{text}") + {element.tag}')


def _path(element: LexborNode) -> str | None:
    """The way by position from the body, or the nearest element around with an id of words; None if it is too long."""
    steps: list[str] = []
    at: LexborNode | None = element
    while at is not None and at.is_element_node and len(steps) < _MAX_STEPS:
        tag = str(at.tag)
        if tag in ("body", "head", "html"):
            return " > ".join([tag, *reversed(steps)]) if steps else None
        name = at.attributes.get("id")
        if steps and name and names.is_plain(name) and not (names.is_generated(name) or names.is_numbered(name)):
            return " > ".join([f"#{name}", *reversed(steps)])
        if not _plain_tag(tag):
            return None
        steps.append(_nth(at))
        at = at.parent
    return None


def _nth(element: LexborNode) -> str:
    """Its tag, with its number among its siblings of that tag, unless it is the only one."""
    tag, number, others = str(element.tag), 1, 0
    at = element.prev
    while at is not None and number < _MAX_SIBLINGS:
        number += at.tag_id == element.tag_id
        at = at.prev
    at = element.next
    while at is not None and not others:
        others = at.tag_id == element.tag_id
        at = at.next
    return f"{tag}:nth-of-type({number})" if number > 1 or others else tag


def _around(element: LexborNode) -> Iterator[LexborNode]:
    at, steps = element.parent, 0
    while at is not None and at.is_element_node and steps < _MAX_AROUND and at.tag not in ("html", "body"):
        yield at
        at, steps = at.parent, steps + 1


def _plain_tag(tag: str) -> bool:
    return names.is_plain(tag)


def _quotable(value: str) -> bool:
    """Whether it can stand in quotes as it is, and on a line."""
    return value.isprintable() and not set(value) & set('"\\')
