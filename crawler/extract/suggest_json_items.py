"""Which list of a JSON or XML response holds the items that examples stand in?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crawler.extract.suggest_json import path_of, searched
from crawler.extract.suggest_measure import Candidate, Sight, scored
from crawler.extract.suggest_values import Agreement
from crawler.extract.text import collapsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.extract.parsed import Parsed
    from crawler.extract.suggest_fields import Field
    from crawler.extract.suggest_json import JsonPlace, Steps

_LOOKED_AT: Final = 30
_MAX_VALUE: Final = 200


class JsonItems(NamedTuple):
    """A list of items, and the ways to each field below one."""

    each: str
    counts: tuple[int, ...]  #: of items on each page
    ranked: list[list[Candidate]]


def json_items(fields: Sequence[Field], pages: Sequence[Parsed]) -> JsonItems | None:
    """The innermost list that holds all fields in its items; None if there is none of two items or more."""
    if not fields or any(page.tree is not None for page in pages) or not all(field.in_json for field in fields):
        return None
    for prefix in _lists(fields[0].in_json[0].steps):
        below = [[place for place in field.in_json if _is_below(place, prefix)] for field in fields]
        found = [_items(page, prefix) for page in pages]
        if all(below) and any(len(items) > 1 for items in found):
            ranked = [_ranked(field, places, len(prefix), found) for field, places in zip(fields, below, strict=True)]
            return JsonItems(path_of(prefix), tuple(map(len, found)), ranked)
    return None


def _lists(steps: Steps) -> Iterator[Steps]:
    """The ways to the lists on a way, innermost first."""
    for number in range(len(steps) - 1, -1, -1):
        if isinstance(steps[number], int):
            yield steps[:number]


def _is_below(place: JsonPlace, prefix: Steps) -> bool:
    steps = place.steps
    return len(steps) > len(prefix) and steps[: len(prefix)] == prefix and isinstance(steps[len(prefix)], int)


def _items(page: Parsed, prefix: Steps) -> list[Any]:
    found = searched(path_of(prefix), page.value)
    return found if isinstance(found, list) else []


def _ranked(field: Field, places: Sequence[JsonPlace], depth: int, found: Sequence[list[Any]]) -> list[Candidate]:
    ways: dict[str, list[JsonPlace]] = {}
    for place in places:
        ways.setdefault(path_of(place.steps[depth + 1 :]), []).append(place)
    candidates = []
    for path, given in ways.items():
        got = [[searched(path, item) for item in items[:_LOOKED_AT]] for items in found]
        values = [[value for value in each if value is not None] for each in got]
        candidate = Candidate(
            json=path,
            agreement=min((place.agreement for place in given), key=list(Agreement).index),
            worth=max(place.worth for place in given),
            score=0,
            is_sure=True,
            examples=len({place.example for place in given}),
            sights=tuple(_sight(each) for each in values),
        )
        share = sum(map(len, values)) / max(1, sum(map(len, got)))
        candidates.append(scored(candidate, 30 * share, len(field.examples)))
    return sorted(candidates, key=lambda candidate: -candidate.score)


def _sight(values: Sequence[Any]) -> Sight:
    return Sight(found=len(values), value=collapsed(str(values[0]))[:_MAX_VALUE] if values else None)
