"""How well does each selector for a field do on all pages, and which is the best?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from crawler.extract.html import text_of
from crawler.extract.rule_data import data_of
from crawler.extract.suggest_json import searched
from crawler.extract.suggest_selectors import (
    MEANING,
    Selector,
    attribute_selector,
    selectors_of,
    selectors_within,
)
from crawler.extract.suggest_values import Agreement
from crawler.extract.text import collapsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selectolax.lexbor import LexborNode

    from crawler.extract.parsed import Parsed
    from crawler.extract.suggest_fields import Field
    from crawler.extract.suggest_items import Items
    from crawler.extract.suggest_json import JsonPlace
    from crawler.extract.suggest_places import Place

_MAX_PLACES: Final = 12  # of a field, on all pages, that selectors are made for
_MAX_SELECTORS: Final = 60  # of a field that are held against all pages
_MAX_RANKED: Final = 12
_MAX_VALUE: Final = 200
_ITEMS_LOOKED_AT: Final = 30
_AGREES: Final = {
    Agreement.EQUAL: 10.0,
    Agreement.URL: 10.0,
    Agreement.CASE: 8.0,
    Agreement.NUMBER: 8.0,
    Agreement.CONTAINS: -15.0,
}
_OTHER_ATTRIBUTE: Final = 6.0  # less is thought of an attribute that is there for something else
_OWN_ATTRIBUTES: Final = frozenset(("content", "datetime", "href", "src", "value"))


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate gives of one page."""

    found: int
    #: the first value, cut; None if there is none
    value: str | None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One way to a field's value: CSS and perhaps an attribute, or JMESPath."""

    css: str | None = None
    attr: str | None = None
    json: str | None = None
    within: str | None = None
    #: of the best of its values
    agreement: Agreement
    #: what is thought of what it goes by, from 0 to `MEANING`
    worth: float
    #: of everything together, from 0 to 100
    score: int
    #: whether it chooses exactly the example on each page that has one
    is_sure: bool
    #: how many of the field's examples it gives
    examples: int
    #: on each page
    sights: tuple[Sight, ...]

    @property
    def stability(self) -> str:
        """In a word, for people."""
        return "stable" if self.score >= 70 else "fair" if self.score >= 45 else "fragile"


class _Tally:
    """What is known of one selector and attribute while pages are gone through."""

    def __init__(self, selector: Selector, attr: str | None) -> None:
        self.selector, self.attr = selector, attr
        self.found: list[int] = []
        self.sure = self.first = self.with_example = 0
        self.examples: set[int] = set()
        self.agreement = Agreement.CONTAINS
        self.values: list[str | None] = []


def candidates_of(field: Field, pages: Sequence[Parsed], *, combined: bool, by_number: bool) -> list[Candidate]:
    """Ways to `field`, where a page is one item, best first; `combined` and `by_number` as of `selectors_of`."""
    ways: dict[tuple[str, str | None], Selector] = {}
    for place in _spread(field.places):
        for selector in selectors_of(place.element, combined=combined, by_number=by_number):
            better = attribute_selector(selector, place.attr) if place.attr else selector
            known = ways.get((better.css, place.attr))
            if known is None or known.worth < better.worth:
                ways[better.css, place.attr] = better
    best = sorted(ways.items(), key=lambda way: (-way[1].worth, len(way[1].css)))[:_MAX_SELECTORS]
    best += [way for way in ways.items() if way[1].worth == 0][:2]
    tallies = [_on_pages(selector, attr, field, pages) for (_, attr), selector in dict(best).items()]
    candidates = [_judged(tally, field) for tally in tallies if tally.examples]
    candidates += _in_json(field.in_json, field, pages)
    return _ranked(candidates)


def within_items(field: Field, items: Items, pages: Sequence[Parsed], *, by_number: bool) -> list[Candidate]:
    """Ways to `field` below each of the items, best first."""
    ways: dict[tuple[str, str | None], Selector] = {}
    for place in items.places_of(field):
        item = items.around(place.element)
        if item is None:
            continue
        for selector in selectors_within(place.element, item, by_number=by_number)[:20]:
            ways.setdefault((selector.css, place.attr), selector)
    ids = _ids(field.places)
    candidates = []
    shown = [page.tree.css(items.each)[:_ITEMS_LOOKED_AT] if page.tree is not None else [] for page in pages]
    for (css, attr), selector in ways.items():
        tally = _Tally(selector, attr)
        for number, found in enumerate(shown):
            firsts = []
            for item in found:
                matched = [item] if not css else below(item, css)
                firsts += matched[:1]
                tally.sure += len(matched) == 1
                tally.first += bool(matched)
            _note(tally, number, firsts, ids)
            tally.with_example += len(found)
        if tally.examples:
            candidates.append(_judged(tally, field))
    return _ranked(candidates)


def below(item: LexborNode, css: str) -> list[LexborNode]:
    """What matches below an item, itself aside."""
    return [node for node in item.css(css) if node.mem_id != item.mem_id]


def _spread(places: Sequence[Place]) -> Iterable[Place]:
    """The best places, of no page or example more than its share first."""
    counts: dict[tuple[int, int], int] = {}
    kept = []
    for place in places:
        key = place.page, place.example
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= 4:
            kept.append(place)
    return kept[:_MAX_PLACES]


def _ids(places: Sequence[Place]) -> dict[tuple[int, int, str | None], list[Place]]:
    """By page, element and attribute."""
    ids: dict[tuple[int, int, str | None], list[Place]] = {}
    for place in places:
        ids.setdefault((place.page, place.element.mem_id, place.attr), []).append(place)
    return ids


def _on_pages(selector: Selector, attr: str | None, field: Field, pages: Sequence[Parsed]) -> _Tally:
    tally, ids = _Tally(selector, attr), _ids(field.places)
    has_example = {place.page for place in field.places}
    for number, page in enumerate(pages):
        matched = page.tree.css(selector.css) if page.tree is not None else []
        hits = _note(tally, number, matched, ids)
        if number in has_example:
            tally.with_example += 1
            tally.first += 0 in hits
            tally.sure += len(matched) == 1 and bool(hits)
    return tally


def _note(
    tally: _Tally, page: int, matched: Sequence[LexborNode], ids: dict[tuple[int, int, str | None], list[Place]]
) -> list[int]:
    """Take in what matched on a page; which of them, by their numbers, are examples."""
    hits = []
    for number, node in enumerate(matched):
        for place in ids.get((page, node.mem_id, tally.attr), ()):
            hits.append(number)
            tally.examples.add(place.example)
            tally.agreement = min(tally.agreement, place.agreement, key=list(Agreement).index)
    tally.found.append(len(matched))
    tally.values.append(_value(matched[0], tally.attr) if matched else None)
    return hits


def _value(node: LexborNode, attr: str | None) -> str | None:
    if attr is not None:
        return (node.attributes.get(attr) or "")[:_MAX_VALUE]
    text = collapsed(node.text_lexbor()) if node.tag == "title" else text_of(node)
    return text[:_MAX_VALUE]


def _judged(tally: _Tally, field: Field) -> Candidate:
    worth = tally.selector.worth
    if tally.attr is not None and tally.attr not in _OWN_ATTRIBUTES and not tally.attr.startswith("data-"):
        worth = max(0.0, worth - _OTHER_ATTRIBUTE)
    chosen = (30.0 * tally.sure + 12.0 * (tally.first - tally.sure)) / max(1, tally.with_example)
    sights = tuple(Sight(found=n, value=value) for n, value in zip(tally.found, tally.values, strict=True))
    return scored(
        Candidate(
            css=tally.selector.css,
            attr=tally.attr,
            agreement=tally.agreement,
            worth=worth,
            score=0,
            is_sure=bool(tally.with_example) and tally.sure == tally.with_example,
            examples=len(tally.examples),
            sights=sights,
        ),
        chosen,
        len(field.examples),
    )


def scored(candidate: Candidate, chosen: float, n_examples: int) -> Candidate:
    """`candidate` with its score; `chosen`, of 30, is for choosing the examples and nothing else."""
    found = [sight.found for sight in candidate.sights]
    held = sum(map(bool, found)) / len(found) if len(found) > 1 else 0.5
    score = candidate.worth / MEANING * 50 + chosen + _AGREES[candidate.agreement] + 10 * held
    if len(found) > 1 and held < 1:
        score -= 15 * (1 - held)
    score *= 0.5 + 0.5 * candidate.examples / n_examples
    return msgspec.structs.replace(candidate, score=max(0, min(100, round(score))))


def _in_json(places: Sequence[JsonPlace], field: Field, pages: Sequence[Parsed]) -> list[Candidate]:
    ways: dict[tuple[str | None, str], list[JsonPlace]] = {}
    for place in places:
        ways.setdefault((place.within, place.path), []).append(place)
    candidates = []
    for (within, path), given in ways.items():
        sights = tuple(_json_sight(page, within, path) for page in pages)
        candidate = Candidate(
            json=path,
            within=within,
            agreement=min((place.agreement for place in given), key=list(Agreement).index),
            worth=given[0].worth,
            score=0,
            is_sure=True,
            examples=len({place.example for place in given}),
            sights=sights,
        )
        candidates.append(scored(candidate, 30.0, len(field.examples)))
    return candidates


def _json_sight(page: Parsed, within: str | None, path: str) -> Sight:
    value = page.value if within is None else data_of(page, within, lambda url: url)
    got = searched(path, value)
    return Sight(found=int(got is not None), value=None if got is None else collapsed(str(got))[:_MAX_VALUE])


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first; of several that give the same of every page by the same means, the better two."""
    ranked: list[Candidate] = []
    counts: dict[object, int] = {}
    ordered = sorted(candidates, key=lambda it: (-it.score, len(it.css or it.json or "")))
    for candidate in ordered:
        key = candidate.sights, candidate.attr, candidate.json
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= 2:
            ranked.append(candidate)
    return ranked[:_MAX_RANKED]
