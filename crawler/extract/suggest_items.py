"""Which elements are the items of a listing that examples stand in?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crawler.extract.suggest_measure import below
from crawler.extract.suggest_selectors import item_selectors, selectors_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from crawler.extract.parsed import Parsed
    from crawler.extract.suggest_fields import Field
    from crawler.extract.suggest_places import Place

_MAX_PLACES: Final = 8  # of a field that are tried
_MAX_AROUND: Final = 10
_MAX_UP: Final = 60
_MAX_ITEMS: Final = 2_000
_LOOKED_AT: Final = 20
_ENOUGH: Final = 0.6  # of the items must have each field


class Items:
    """What selects the items, and which places of examples are within one another's.

    Args:
        each: Selects them.
        worth: What is thought of that.
        ids: The `mem_id` of all of them on the page that they were found on.
        page: The number of that page.
    """

    def __init__(self, each: str, worth: float, ids: frozenset[int], page: int) -> None:
        self.each = each
        self.worth = worth
        self._ids = ids
        self._page = page

    def __len__(self) -> int:
        return len(self._ids)

    def around(self, element: LexborNode) -> LexborNode | None:
        """The item that `element` is, or is in."""
        at: LexborNode | None = element
        for _ in range(_MAX_UP):
            if at is None or at.mem_id in self._ids:
                return at
            at = at.parent
        return None

    def places_of(self, field: Field) -> list[Place]:
        """Those of the page that the items were found on."""
        return [place for place in field.places if place.page == self._page][:_MAX_PLACES]


def items_of(fields: Sequence[Field], pages: Sequence[Parsed], *, by_number: bool) -> Items | None:
    """The smallest elements that hold one example of each field and recur; None if there are none.

    Args:
        fields: That were found.
        pages: On these.
        by_number: As of `suggest_selectors.selectors_of`.
    """
    numbers = [place.page for field in fields for place in field.places]
    if not fields or not numbers or not all(field.places for field in fields):
        return None
    page = max(set(numbers), key=lambda number: (numbers.count(number), -number))
    tree = pages[page].tree
    here = [[place for place in field.places if place.page == page][:_MAX_PLACES] for field in fields]
    if tree is None or not all(here):
        return None
    apart = _apart(here)
    for places in _together(here):
        elements = [place.element for place in places]
        recurs = any(field.recurs for field in fields)
        best: Items | None = None
        for around in _around(elements, itself_first=recurs):
            items = _like(around, elements, apart, tree, page, by_number=by_number)
            if items is not None and best is not None and len(items) != len(best):
                break
            if items is not None and (best is None or items.worth >= best.worth):
                best = items  # what is around an item and as frequent may say better what it is
        if best is not None:
            return best
    return None


def _apart(here: Sequence[Sequence[Place]]) -> list[tuple[int, int, int]]:
    """(field, example, element) of the best place of each example of fields that have several."""
    seen: dict[tuple[int, int], int] = {}
    for number, places in enumerate(here):
        for place in places:
            seen.setdefault((number, place.example), place.element.mem_id)
    return [(field, example, element) for (field, example), element in seen.items()]


def _together(here: Sequence[Sequence[Place]]) -> Iterator[list[Place]]:
    """For some places of the first field, the places of the others that are nearest to it; the nearest sets first."""
    sets: list[tuple[int, int, list[Place]]] = []
    for place in here[0]:
        way = [element.mem_id for element in _way(place.element)]
        chosen, height = [place], 0
        for others in here[1:]:
            best = min(others, key=lambda other: _height(other.element, way))
            height = max(height, _height(best.element, way))
            chosen.append(best)
        sets.append((height, len(sets), chosen))
    for _, _, chosen in sorted(sets, key=lambda it: it[:2]):
        yield chosen


def _height(element: LexborNode, way: list[int]) -> int:
    """How far up `way`, the elements around another one, it meets that of `element`."""
    for around in _way(element):
        if around.mem_id in way:
            return way.index(around.mem_id)
    return _MAX_UP


def _way(element: LexborNode) -> Iterator[LexborNode]:
    at: LexborNode | None = element
    for _ in range(_MAX_UP):
        if at is None or not at.is_element_node:
            return
        yield at
        at = at.parent


def _around(elements: Sequence[LexborNode], *, itself_first: bool) -> Iterator[LexborNode]:
    """The elements around all of them, innermost first; one of them only if it is known to recur, or likely to."""
    ways = [[element.mem_id for element in _way(each)] for each in elements[1:]]
    own = {element.mem_id for element in elements}
    themselves, count = [], 0
    for around in _way(elements[0]):
        if around.tag in ("body", "html") or count >= _MAX_AROUND:
            break
        if all(around.mem_id in way for way in ways):
            count += 1
            if around.mem_id not in own or itself_first:
                yield around
            elif around.tag == "li":
                themselves.append(around)
    yield from themselves


def _like(
    around: LexborNode,
    elements: Sequence[LexborNode],
    apart: Sequence[tuple[int, int, int]],
    tree: LexborHTMLParser,
    page: int,
    *,
    by_number: bool,
) -> Items | None:
    """The items that `around` is one of."""
    for selector in item_selectors(around):
        found = tree.css(selector.css)
        if not 2 <= len(found) <= _MAX_ITEMS:
            continue
        items = Items(selector.css, selector.worth, frozenset(node.mem_id for node in found), page)
        if any(items.around(node.parent) is not None for node in found[:_LOOKED_AT] if node.parent is not None):
            continue  # within one another
        if _hold_apart(items, apart, tree) and all(
            _recurs(element, around, found, by_number=by_number) for element in elements
        ):
            return items
    return None


def _hold_apart(items: Items, apart: Sequence[tuple[int, int, int]], tree: LexborHTMLParser) -> bool:
    """Whether no two examples of one field are in the same item."""
    if len({field for field, _, _ in apart}) == len(apart):
        return True
    wanted = {element: (field, example) for field, example, element in apart}
    seen: dict[tuple[int, int], int] = {}
    for node in tree.css(items.each):
        for below_it in node.traverse():
            if below_it.mem_id in wanted:
                field, example = wanted[below_it.mem_id]
                if seen.setdefault((field, node.mem_id), example) != example:
                    return False
    return True


def _recurs(element: LexborNode, item: LexborNode, items: Sequence[LexborNode], *, by_number: bool) -> bool:
    """Whether most items have something where this one has `element`."""
    looked_at = items[:_LOOKED_AT]
    if element.mem_id == item.mem_id:
        return True
    for selector in selectors_within(element, item, by_number=by_number)[:10]:
        if sum(bool(below(each, selector.css)) for each in looked_at) >= _ENOUGH * len(looked_at):
            return True
    return False
