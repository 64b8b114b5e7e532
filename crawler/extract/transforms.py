"""What is done to a value once it is found? The transforms of rules, by name.

``transform: [strip, {replace: ["a", "b"]}, {price: {locale: de}}]``: each is a name, or a name and its arguments.
None stays None, but for ``default``; a list is transformed item by item, but for what looks at it as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crawler.extract import transform_lists as lists
from crawler.extract import transform_texts as texts
from crawler.extract import transform_values as values
from crawler.extract.transform_arguments import Arguments, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.extract.transform_arguments import Step
    from crawler.extract.value_types import Context

MAX_ITEMS: Final = 100_000
"""Of a list that is transformed."""

_EACH: Final[dict[str, Callable[[Arguments], Step]]] = {
    "strip": texts.strip,
    "collapse": texts.collapse,
    "lower": texts.case(str.lower),
    "upper": texts.case(str.upper),
    "title": texts.case(str.title),
    "replace": texts.replace,
    "remove": texts.remove,
    "regex": texts.regex,
    "split": texts.split,
    "prefix": texts.prefix,
    "suffix": texts.suffix,
    "html_unescape": texts.html_unescape,
    "strip_html": texts.strip_html,
    "url_decode": texts.url_decode,
    "absolute": values.absolute,
    "url_part": values.url_part,
    "number": values.number,
    "price": values.price,
    "scale": values.scale,
    "date": values.date,
    "bool": values.bool_,
    "json": values.json_,
}
_WHOLE: Final[dict[str, Callable[[Arguments], Step]]] = {
    "join": lists.join,
    "slice": lists.slice_,
    "index": lists.index,
    "unique": lists.unique,
    "compact": lists.compact,
    "flatten": lists.flatten,
    "length": lists.length,
    "default": lists.default,
}
NAMES: Final = (*_EACH, *_WHOLE)
"""All there are."""


def problem_of(name: str, args: Any) -> str | None:  # noqa: ANN401 - whatever YAML holds
    """What is wrong with a transform and what was expected; None if nothing is.

    Args:
        name: As written.
        args: What stands behind it: None, a scalar, a list or a map.
    """
    try:
        compiled(name, args)
    except ValueError as error:
        return str(error)
    return None


def compiled(name: str, args: Any) -> Callable[[Any, Context], Any]:  # noqa: ANN401
    """A transform, made once for all values.

    Returns:
        Takes a value and what its page says; raises ValueError, naming what was expected, for one it cannot read.

    Raises:
        ValueError: As `problem_of` says.
    """
    if name in _WHOLE:
        step = _WHOLE[name](Arguments(args))
        return step if name == "default" else _unless_none(step)
    if name not in _EACH:
        raise ValueError(f"expected a transform, one of {', '.join(sorted(NAMES))}{nearest(name, NAMES)}")
    return _of_each(_EACH[name](Arguments(args)))


def _unless_none(step: Step) -> Step:
    return lambda value, context: None if value is None else step(value, context)


def _of_each(step: Step) -> Step:
    def apply(value: Any, context: Context) -> Any:  # noqa: ANN401
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            return step(value, context)
        if len(value) > MAX_ITEMS:
            raise ValueError(f"expected a list of at most {MAX_ITEMS} items")
        return [None if item is None else step(item, context) for item in value]

    return apply
