"""Which examples are the same thing in different items or on different pages, and what may it be called?

Two examples are of one field if they stand in elements of the same kind, in different surroundings: the names of two
products, not the name and the maker of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract import suggest_names as names
from crawler.extract.suggest_values import Agreement, has_currency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selectolax.lexbor import LexborNode

    from crawler.extract.suggest_json import JsonPlace
    from crawler.extract.suggest_measure import Candidate
    from crawler.extract.suggest_places import Place
    from crawler.extract.suggest_values import Example

_ORDER = list(Agreement)
_COMPARED = 8  # places of an example that are compared with those of another
_WAY = 6  # elements around, whose tags must be the same
_CELLS = frozenset(("td", "th", "dd", "dt"))
_GENERIC_WORDS = (
    "value text content inner main item block box data col cell row link label wrapper header body a b span div p entry"
    " post article product detail details info single page"
)
_GENERIC = frozenset(_GENERIC_WORDS.split())
_BY_TAG = {"h1": "title", "h2": "title", "h3": "title", "title": "title", "time": "date", "address": "address"}


class Found:
    """All places of all examples on all pages."""

    def __init__(self) -> None:
        self.by_example: dict[int, list[Place]] = {}
        self.in_json: list[JsonPlace] = []
        #: what matching takes, see `suggest_places.Places`
        self.depth = self.breadth = 0

    def add(self, places: Iterable[Place]) -> None:
        """Take in what was found on one page."""
        for place in places:
            self.by_example.setdefault(place.example, []).append(place)

    def has(self, example: int) -> bool:
        """Whether an example stands anywhere."""
        return example in self.by_example or any(place.example == example for place in self.in_json)


class Field:
    """Examples that are one field's, and where they stand, the places that agree best first."""

    def __init__(self, examples: Sequence[int], found: Found, wanted: Sequence[Example]) -> None:
        self.examples = tuple(examples)
        self.places = sorted(
            (place for number in examples for place in found.by_example.get(number, ())),
            key=lambda place: _ORDER.index(place.agreement) + (place.attr is not None),
        )
        self.in_json = [place for place in found.in_json if place.example in examples]
        self.is_number = all(wanted[number].number is not None for number in examples)
        self._has_decimals = any((wanted[number].number or 0) % 1 for number in examples)
        #: whether two of its examples stand on one page
        self.recurs = len(examples) > 1 and any(
            len({place.example for place in self.places if place.page == page}) > 1
            for page in {place.page for place in self.places}
        )

    @property
    def is_amount(self) -> bool:
        """Whether its examples are numbers with decimals or a currency."""
        return self.is_number and (self._has_decimals or self.is_price)

    @property
    def is_price(self) -> bool:
        """Whether its values look like prices."""
        return self.is_number and any(has_currency(place.value) for place in self.places)


def fields_of(found: Found, wanted: Sequence[Example]) -> list[Field]:
    """The examples that stand somewhere, as fields, in the order they were given."""
    groups: list[list[int]] = []
    for number, example in enumerate(wanted):
        if not found.has(number):
            continue
        for group in groups:
            first = wanted[group[0]]
            same_kind = (first.number is None) == (example.number is None)
            alike = _are_alike(found.by_example.get(group[0], ()), found.by_example.get(number, ()))
            if same_kind and (alike or _are_alike_in_json(found.in_json, group[0], number)):
                group.append(number)
                break
        else:
            groups.append([number])
    return [Field(group, found, wanted) for group in groups]


def field_name(candidate: Candidate, field: Field, taken: set[str]) -> str:
    """What a field may be called, after what its best selector goes by; not one of `taken`."""
    name = next((word for word in _names(candidate, field) if word and word not in _GENERIC), "value")
    if name not in taken:
        return name
    return next(f"{name}_{number}" for number in range(2, len(taken) + 3) if f"{name}_{number}" not in taken)


def _names(candidate: Candidate, field: Field) -> Iterable[str]:
    if field.is_price:
        yield "price"
    if candidate.json is not None:
        yield _snake(candidate.json.rpartition(".")[2].split("[")[0].strip('"'))
    if candidate.attr in ("href", "src"):
        yield "url" if candidate.attr == "href" else "image"
    elif candidate.attr and candidate.attr not in ("content", "alt", "title", "datetime", "value"):
        yield _snake(candidate.attr.removeprefix("data-"))
    element = field.places[0].element if field.places else None
    around = 0
    while element is not None and element.is_element_node and around < 3:
        yield from _names_of(element)
        element, around = element.parent, around + 1


def _names_of(element: LexborNode) -> Iterable[str]:
    attributes = element.attributes
    for key in ("itemprop", "property", "name", "data-testid", "data-test"):
        if value := attributes.get(key):
            yield _snake(value.rpartition(":")[2])
    for name in (attributes.get("class") or "").split()[:8]:
        if names.is_plain(name) and names.means_something(name) and not names.is_generated(name):
            words = [word for word in names.words_of(name) if word not in _GENERIC and not word.isdigit()]
            yield "_".join(words[-2:])
    yield _BY_TAG.get(str(element.tag), "")


def _snake(name: str) -> str:
    return "_".join(names.words_of(name))[:40] if names.is_plain(name) else ""


def _are_alike(ones: Sequence[Place], others: Sequence[Place]) -> bool:
    return any(_is_alike(one, other) for one in ones[:_COMPARED] for other in others[:_COMPARED])


def _are_alike_in_json(places: Sequence[JsonPlace], one: int, other: int) -> bool:
    """Whether they stand at the same way on two pages, or in two items of one list, of JSON responses."""
    ones = {(place.page, place.steps) for place in places if place.example == one and place.within is None}
    others = [place for place in places if place.example == other and place.within is None]
    for page, steps in ones:
        for place in others:
            same_shape = [_shape(step) for step in steps] == [_shape(step) for step in place.steps]
            if same_shape and (place.page != page) == (place.steps == steps):
                return True
    return False


def _shape(step: str | int) -> str | None:
    return None if isinstance(step, int) else step


def _is_alike(one: Place, other: Place) -> bool:
    """Whether the elements of two places are of one kind, and not beside one another."""
    if one.attr != other.attr or one.element.mem_id == other.element.mem_id:
        return False
    if Agreement.CONTAINS in (one.agreement, other.agreement):
        return False
    if _kind(one.element) != _kind(other.element) or _way(one.element) != _way(other.element):
        return False
    if one.page != other.page:
        return True
    around = one.element.parent, other.element.parent
    if one.element.tag == "li":
        return True
    return around[0] is not None and around[1] is not None and around[0].mem_id != around[1].mem_id


def _kind(element: LexborNode) -> tuple[object, ...]:
    attributes = element.attributes
    number = _number(element) if element.tag in _CELLS else 0
    return element.tag, attributes.get("class"), attributes.get("itemprop"), attributes.get("property"), number


def _number(cell: LexborNode) -> int:
    number, at = 0, cell.prev
    while at is not None and number < 200:
        number, at = number + at.is_element_node, at.prev
    return number


def _way(element: LexborNode) -> list[str]:
    way: list[str] = []
    at = element.parent
    while at is not None and at.is_element_node and len(way) < _WAY:
        way.append(str(at.tag))
        at = at.parent
    return way
