"""Which selectors give what somebody points at? Learns a rule from examples of values on one or more pages.

Pure: parsed pages in, candidates out. Examples are looked for (`suggest_places`, `suggest_json`), those that are the
same thing in different items become one field (`suggest_fields`), and for each field selectors are made
(`suggest_selectors`) and held against all pages. Where examples recur as items, the items are selected first
(`suggest_items`). What is thought of a candidate, from 0 to 100: half of it for what it goes by (`MEANING`), and the
rest for choosing the example alone, for a value that needs no change, and for holding on the other pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.extract.suggest_fields import Field, Found, field_name, fields_of
from crawler.extract.suggest_items import Items, items_of
from crawler.extract.suggest_json import find_in_json
from crawler.extract.suggest_json_items import json_items
from crawler.extract.suggest_measure import Candidate, Sight, candidates_of, within_items
from crawler.extract.suggest_places import find_places
from crawler.extract.suggest_values import Example

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.parsed import Parsed

__all__ = ["Candidate", "FieldSuggestion", "Sight", "Suggestion", "suggest"]

MAX_EXAMPLES = 20
MAX_SHOWN = 6  # candidates of a field
_GOOD = 8.0  # of a selector's worth: by what an element is, not by its number
_MAX_BREADTH = 2_000  # of children of one element; beyond, no selector counts them
_MAX_DEPTH = 2_000  # of elements; beyond, selectors speak of single elements only


class FieldSuggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What may become one field of a rule."""

    name: str
    examples: tuple[str, ...]
    #: whether they are amounts, such as prices, rather than numbers that name something
    is_amount: bool
    #: best first; the first is the one the rule has
    candidates: tuple[Candidate, ...]


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt from the examples."""

    fields: tuple[FieldSuggestion, ...]
    #: what selects the items that the fields are within; None for one item a page
    each: str | None
    #: how many items `each` selects on each page
    items: tuple[int, ...]
    #: examples that stand on none of the pages
    missing: tuple[str, ...]


def suggest(pages: Sequence[Parsed], examples: Sequence[str]) -> Suggestion:
    """Selectors whose values are the examples.

    Args:
        pages: At least one, all of one kind of page: a field is expected on each. Those that are HTML have their tree.
        examples: As a person wrote them; the first `MAX_EXAMPLES` count.
    """
    wanted = [Example(given) for given in dict.fromkeys(examples[:MAX_EXAMPLES])]
    found = Found()
    for number, page in enumerate(pages):
        if page.tree is not None:
            places = find_places(page.tree, number, wanted, page.base_url)
            found.add(places.places)
            found.depth = max(found.depth, places.depth)
            found.breadth = max(found.breadth, places.breadth)
        found.in_json += find_in_json(page, number, wanted)
    fields = fields_of(found, wanted)
    combined = found.depth <= _MAX_DEPTH
    by_number = found.breadth <= _MAX_BREADTH
    ranked = [candidates_of(field, pages, combined=combined, by_number=by_number) for field in fields]
    items = None
    if combined and _recur(fields, ranked):
        items = items_of(fields, pages, by_number=by_number)
    if items is not None:
        ranked = [within_items(field, items, pages, by_number=by_number) for field in fields]
    listed = json_items(fields, pages)
    if listed is not None:
        ranked = listed.ranked
    return Suggestion(
        fields=_named(fields, ranked, wanted),
        each=items.each if items else listed.each if listed else None,
        items=tuple(_counts(items, pages)) if items else listed.counts if listed else (),
        missing=tuple(wanted[number].given for number in range(len(wanted)) if not found.has(number)),
    )


def _recur(fields: Sequence[Field], ranked: Sequence[Sequence[Candidate]]) -> bool:
    """Whether examples look like those of several items on a page, or none of a field's selectors is sure of one."""
    if any(field.recurs for field in fields):
        return True
    return not all(
        any(candidate.worth >= _GOOD and candidate.is_sure for candidate in candidates) for candidates in ranked
    )


def _counts(items: Items, pages: Sequence[Parsed]) -> list[int]:
    return [len(page.tree.css(items.each)) if page.tree is not None else 0 for page in pages]


def _named(
    fields: Sequence[Field], ranked: Sequence[Sequence[Candidate]], wanted: Sequence[Example]
) -> tuple[FieldSuggestion, ...]:
    taken: set[str] = set()
    suggestions = []
    for field, candidates in zip(fields, ranked, strict=True):
        if not candidates:
            continue
        name = field_name(candidates[0], field, taken)
        taken.add(name)
        given = tuple(wanted[number].given for number in field.examples)
        suggestions.append(
            FieldSuggestion(
                name=name,
                examples=given,
                is_amount=field.is_amount,
                candidates=tuple(candidates[:MAX_SHOWN]),
            )
        )
    return tuple(suggestions)
