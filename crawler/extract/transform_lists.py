"""Which transforms look at a list as a whole? All others are done to each of its items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from crawler.extract.transform_arguments import Arguments
from crawler.extract.transform_texts import MAX_CHARS, as_text

if TYPE_CHECKING:
    from crawler.extract.transform_arguments import Step
    from crawler.extract.value_types import Context

_BOUNDS: Final = ("start", "stop")


def join(arguments: Arguments) -> Step:
    """The items as one text, with another between them."""
    separator = arguments.text("join: ', '", default=" ")

    def joined(value: Any, context: Context) -> str:  # noqa: ANN401
        texts = [as_text(item, context) for item in _items(value) if item is not None]
        if sum(map(len, texts)) + len(texts) * len(separator) > MAX_CHARS:
            raise ValueError(f"expected texts of at most {MAX_CHARS} characters together")
        return separator.join(texts)

    return joined


def slice_(arguments: Arguments) -> Step:
    """Some items of a list, or characters of a text: from one to before another."""
    given = arguments.given
    if isinstance(given, dict):
        named = arguments.named(_BOUNDS)
        bounds = [named.get(name) for name in _BOUNDS]
    elif isinstance(given, list) and len(given) == 2:
        bounds = [None if bound is None else Arguments(bound) for bound in given]
    else:
        raise arguments.wrong("where to start and before what to stop, from 0, as [0, 3] or {start: -3}")
    numbers = [None if bound is None else bound.whole("slice: {start: 1}") for bound in bounds]
    wanted = slice(*numbers)

    def part(value: Any, context: Context) -> Any:  # noqa: ANN401
        return list(value)[wanted] if isinstance(value, list | tuple) else as_text(value, context)[wanted]

    return part


def index(arguments: Arguments) -> Step:
    """One item, counted from 0, or from -1 backwards; None if there is none."""
    position = arguments.whole("index: 0")

    def item(value: Any, _: Context) -> Any:  # noqa: ANN401
        items = _items(value)
        return items[position] if -len(items) <= position < len(items) else None

    return item


def unique(arguments: Arguments) -> Step:
    """Each item once, where it stands first."""
    arguments.none()

    def once(value: Any, _: Context) -> list[Any]:  # noqa: ANN401
        seen: dict[Any, Any] = {}
        for item in _items(value):
            # By value and type: 1 and true are equal to Python.
            key = (type(item), item) if item.__hash__ else msgspec.json.encode(item, order="deterministic")
            seen.setdefault(key, item)
        return list(seen.values())

    return once


def compact(arguments: Arguments) -> Step:
    """The items that are something: not null, no empty text, list or object."""
    arguments.none()
    return lambda value, _: [item for item in _items(value) if item is not None and item not in ("", [], {})]


def flatten(arguments: Arguments) -> Step:
    """The items of lists within the list, in their place; one level."""
    arguments.none()
    return lambda value, _: [inner for item in _items(value) for inner in _items(item)]


def length(arguments: Arguments) -> Step:
    """How many items a list has, or characters a text."""
    arguments.none()
    return lambda value, context: len(value) if isinstance(value, list | dict) else len(as_text(value, context))


def default(arguments: Arguments) -> Step:
    """Another value in the place of null, an empty text or an empty list."""
    instead = arguments.given
    return lambda value, _: instead if value is None or value in ("", []) else value


def _items(value: Any) -> list[Any]:  # noqa: ANN401
    """The items of a list; of another value itself."""
    return value if isinstance(value, list) else list(value) if isinstance(value, tuple) else [value]
