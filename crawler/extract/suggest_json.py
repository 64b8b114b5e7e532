"""At which JMESPath expressions does JSON hold an example? In JSON responses, JSON-LD and scripts of a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import jmespath
import msgspec

from crawler.extract import suggest_names as names
from crawler.extract.json_value import JsonError, json_value
from crawler.extract.suggest_values import Agreement
from crawler.extract.text import collapsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selectolax.lexbor import LexborNode

    from crawler.extract.parsed import Parsed
    from crawler.extract.suggest_values import Example

MAX_FOUND: Final = 20
"""Of one example on one page."""
_MAX_VALUES: Final = 200_000
_MAX_SCRIPTS: Final = 50
_MAX_STEPS: Final = 8
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


Steps = tuple[str | int, ...]


class JsonPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One value in JSON that agrees with an example."""

    example: int
    page: int
    #: as of `crawler.config.scraping.FieldConfig`; None on a JSON response
    within: str | None
    #: JMESPath
    path: str
    #: the same way, as keys and numbers
    steps: Steps
    value: str
    agreement: Agreement
    #: what is thought of it, as of `suggest_selectors.Selector`
    worth: float


def find_in_json(parsed: Parsed, page: int, examples: Sequence[Example]) -> list[JsonPlace]:
    """Where `examples` stand in what is JSON of the response that is number `page` of several."""
    counts = [0] * len(examples)
    found = []
    for within, base, value in _sources(parsed):
        for steps, leaf in _leaves(value):
            text = collapsed(str(leaf))
            for number, example in enumerate(examples):
                if counts[number] >= MAX_FOUND:
                    continue
                agreement = example.agreement(text, parsed.base_url)
                if agreement not in (None, Agreement.CONTAINS):
                    counts[number] += 1
                    place = JsonPlace(
                        example=number,
                        page=page,
                        within=within,
                        path=path_of(steps),
                        steps=steps,
                        value=text,
                        agreement=agreement,
                        worth=max(1.0, base - _cost(steps)),
                    )
                    found.append(place)
    return found


def _sources(parsed: Parsed) -> Iterator[tuple[str | None, float, Any]]:
    """What `FieldConfig.in_` would be, what is thought of it, and the value."""
    if parsed.tree is None:
        yield None, 26.0, parsed.value
        return
    types: set[str] = set()
    for node in parsed.tree.css("script[type]")[:_MAX_SCRIPTS]:
        kind = (node.attributes.get("type") or "").lower()
        if "json" not in kind:
            continue
        try:
            value = json_value(node.text_lexbor())
        except JsonError:
            continue
        if kind == "application/ld+json":
            for entity in _entities(value):
                kind_of = entity.get("@type")
                name = kind_of[0] if isinstance(kind_of, list) and kind_of else kind_of
                if isinstance(name, str) and names.is_plain(name) and name not in types:
                    types.add(name)  # only the first of a type can be named
                    yield f"json_ld:{name}", 28.0, entity
        elif (selector := _script_selector(node)) is not None:
            yield selector, 18.0, value


def _entities(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - whatever JSON holds
    """The outermost objects of a block of JSON-LD."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            graph = each.get("@graph")
            yield from (below for below in graph if isinstance(below, dict)) if isinstance(graph, list) else (each,)


def _script_selector(node: LexborNode) -> str | None:
    name = node.attributes.get("id")
    return f"script#{name}" if name and names.is_plain(name) else None


def _leaves(value: Any) -> Iterator[tuple[Steps, Any]]:  # noqa: ANN401
    """Scalars with the way to each, those of few steps first."""
    level: list[tuple[Steps, Any]] = [((), value)]
    seen = 0
    while level and seen < _MAX_VALUES:
        below: list[tuple[Steps, Any]] = []
        for steps, each in level:
            seen += 1
            if isinstance(each, dict) and len(steps) < _MAX_STEPS:
                below += [((*steps, key), inner) for key, inner in each.items() if not key.startswith("@")]
            elif isinstance(each, list) and len(steps) < _MAX_STEPS:
                below += [((*steps, number), inner) for number, inner in enumerate(each)]
            elif isinstance(each, str | int | float) and not isinstance(each, bool):
                yield steps, each
        level = below


def searched(path: str, value: Any) -> Any:  # noqa: ANN401
    """What JMESPath finds; None for nothing."""
    try:
        return jmespath.search(path, value)
    except (jmespath.exceptions.JMESPathError, RecursionError):
        return None


def path_of(steps: Steps) -> str:
    """A way as JMESPath."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            key = step if _KEY.fullmatch(step) else '"' + step.replace("\\", "\\\\").replace('"', '\\"') + '"'
            path += f".{key}" if path else key
    return path or "@"


def _cost(steps: Steps) -> float:
    return sum(3.0 if isinstance(step, int) else 0.5 for step in steps)
