"""How much of a report is put on its page? No more than a browser opens at once, whatever a site has made of its URLs.

Counts stay as they are; lists lose their ends, and texts too, which then end with ``…``. What is counted by name is
cut where it is drawn.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

if TYPE_CHECKING:
    from crawler.report.facts import Report


class Bounds(NamedTuple):
    """What is kept."""

    items: int  #: of a list or table
    characters: int  #: of a text, but for the configuration
    configuration: int  #: characters of that


BOUNDS: Final = (
    Bounds(items=1_000, characters=2_000, configuration=300_000),
    Bounds(items=300, characters=400, configuration=200_000),
    Bounds(items=100, characters=200, configuration=100_000),
    Bounds(items=30, characters=100, configuration=50_000),
)
"""From what nearly every report fits in to what any does."""

_WHOLE: Final = frozenset(("timeline", "latency"))  # drawn, however long


def cut(report: Report, bounds: Bounds) -> Report:
    """`report` within `bounds`; the same one where it is."""
    kept = cast("Report", _cut(report, bounds))
    if len(report.config) > bounds.configuration:
        return msgspec.structs.replace(kept, config=report.config[: bounds.configuration] + "\n…")
    return kept if kept.config == report.config else msgspec.structs.replace(kept, config=report.config)


def _cut(value: Any, bounds: Bounds) -> Any:  # noqa: ANN401 -- any part of a report
    match value:
        case str():
            return value if len(value) <= bounds.characters else value[: bounds.characters - 1] + "…"
        case tuple():
            items = tuple(_cut(item, bounds) for item in value[: bounds.items])
            return value if len(items) == len(value) and all(map(operator.is_, items, value)) else items
        case msgspec.Struct():
            changed = {
                name: kept
                for name in value.__struct_fields__
                if name not in _WHOLE and (kept := _cut(item := getattr(value, name), bounds)) is not item
            }
            return msgspec.structs.replace(value, **changed) if changed else value
    return value
