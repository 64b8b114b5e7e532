"""What must the fields of a scraping rule satisfy beyond their types?"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, Literal

from crawler.config.base import dotted_key
from crawler.config.expressions import css_problem, jmespath_problem, regex_problem
from crawler.config.problem import Problem, quoted
from crawler.config.rule_kinds import MAX_DEPTH
from crawler.config.scraping import FieldConfig, as_field

if TYPE_CHECKING:
    from collections.abc import Iterator

Item = Literal["node", "value"]
"""What a field is looked for in: an element, or a value of JSON or XML."""

STRUCTURED: Final = ("json_ld", "opengraph", "microdata")

_SOURCES: Final = ("css", "json", "const", "url", "carried", "any")
_VARIABLE: Final = re.compile(r"js:[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")
_TYPED: Final = re.compile(r"json_ld:\S+")


def selector_problem(key: str, expression: str, kind: Literal["css", "json"]) -> Iterator[Problem]:
    """What is wrong with a CSS selector or JMESPath expression."""
    if problem := (css_problem if kind == "css" else jmespath_problem)(expression):
        yield Problem(key, quoted(expression), problem)


def field_problems(
    given: str | FieldConfig,
    key: str,
    name: str | None,
    item: Item | None,
    *,
    depth: int = 0,
    alternative: bool = False,
) -> Iterator[Problem]:
    """Everything wrong with a field, and with those within it.

    Args:
        given: As written.
        key: Its own.
        name: What it is called; None for an alternative.
        item: What it is looked for in, None if that is not certain.
        depth: How many fields it is in.
        alternative: Whether it is one under ``any``, which may be for another kind of response.
    """
    field = as_field(given)
    if name is not None and (not name or name.startswith("_")):
        yield Problem(key, quoted(name), "expected a name that does not begin with '_', as those of every record do")
    if depth > MAX_DEPTH:
        yield Problem(key, "a field", f"expected at most {MAX_DEPTH} fields within one another")
        return
    below = "" if isinstance(given, str) else ".css"
    yield from _source(field, key)
    if field.css:  # empty: the item itself
        yield from selector_problem(f"{key}{below}", field.css, "css")
    if field.css is not None and item == "value" and not alternative:
        yield Problem(f"{key}{below}", quoted(field.css), "expected json: this is looked for in a value, not in HTML")
    yield from _json(field, key, None if alternative else item)
    yield from _url(field, key)
    yield from _making(field, key)
    within = _item_within(field, item)
    for other, config in (field.fields or {}).items():
        yield from field_problems(config, dotted_key(f"{key}.fields", other), other, within, depth=depth + 1)
    for position, config in enumerate(field.any or ()):
        place = f"{key}.any[{position}]"
        yield from field_problems(config, place, None, item, depth=depth + 1, alternative=True)
        if isinstance(config, FieldConfig) and (config.required or config.default is not None):
            word = "required" if config.required else "default"
            yield Problem(f"{place}.{word}", "an alternative", f"expected {word} on the field itself")


def _item_within(field: FieldConfig, item: Item | None) -> Item | None:
    """What the fields of an object are looked for in."""
    if field.css is not None:
        return "node"
    return item if field.json is None else "value"


def _source(field: FieldConfig, key: str) -> Iterator[Problem]:
    sources = [name for name in _SOURCES if getattr(field, name) is not None]
    if len(sources) > 1:
        expected = f"expected one of them; alternatives go under any: [{{{sources[0]}: …}}, {{{sources[1]}: …}}]"
        yield Problem(f"{key}.{sources[1]}", f"{' and '.join(sources)}", expected)
    elif not sources and field.fields is None:
        yield Problem(key, "no source", f"expected one of {', '.join(_SOURCES)}, or fields")
    elif field.fields is not None and sources and sources[0] not in ("css", "json"):
        yield Problem(f"{key}.fields", f"fields and {sources[0]}", "expected css or json to say where the object is")
    if field.fields is not None and not field.fields:
        yield Problem(f"{key}.fields", "{}", "expected at least one field")
    if field.any is not None and not field.any:
        yield Problem(f"{key}.any", "[]", "expected at least one alternative")
    if field.css is None or field.fields is not None:
        for name in ("attr", "take"):
            if getattr(field, name) != getattr(_NOTHING, name):
                expected = f"expected css, without fields, for {name} to tell what is taken of the element"
                yield Problem(f"{key}.{name}", quoted(getattr(field, name)), expected)
    elif field.attr is not None and field.take != _NOTHING.take:
        yield Problem(f"{key}.take", field.take, "expected attr or take, not both")
    elif field.attr == "":
        yield Problem(f"{key}.attr", '""', "expected the name of an attribute")
    if field.many and not {"css", "json", "any"}.intersection(sources):
        yield Problem(f"{key}.many", "true", "expected css, json or any, of which there can be many")


_NOTHING: Final = FieldConfig()


def _json(field: FieldConfig, key: str, item: Item | None) -> Iterator[Problem]:
    if field.json is not None:
        yield from selector_problem(f"{key}.json", field.json, "json")
        if field.in_ is None and item == "node":
            yield Problem(f"{key}.json", quoted(field.json), "expected in: where on the HTML page the JSON is")
    if field.in_ is None:
        return
    if field.json is None:
        yield Problem(f"{key}.in", quoted(field.in_), "expected json with it: what to take; @ is all")
    if item == "value":
        yield Problem(f"{key}.in", quoted(field.in_), "expected json alone: this is looked for in a value, not in HTML")
    yield from within_problem(f"{key}.in", field.in_)


def within_problem(key: str, within: str) -> Iterator[Problem]:
    """What is wrong with what is to be looked into on an HTML page."""
    if within in STRUCTURED or _TYPED.fullmatch(within) or _VARIABLE.fullmatch(within):
        return
    if within.startswith("js:"):
        yield Problem(key, quoted(within), "expected a variable as scripts name it: js:window.__STATE__")
    elif problem := css_problem(within):
        expected = f"expected {', '.join(STRUCTURED)}, js:NAME or a script's CSS selector, and that is not one"
        yield Problem(key, quoted(within), problem.replace("expected a CSS selector", expected, 1))


def _url(field: FieldConfig, key: str) -> Iterator[Problem]:
    if field.url is not None:
        if problem := _transform_problem("url_part", field.url):  # which knows the same parts
            yield Problem(f"{key}.url", quoted(field.url), problem)
        elif field.url == "fragment":
            yield Problem(f"{key}.url", field.url, "expected another part: pages are known by URLs without fragment")
    if field.carried == "":
        yield Problem(f"{key}.carried", '""', "expected the name of a field that a follow of another rule carries")


def _making(field: FieldConfig, key: str) -> Iterator[Problem]:
    """What is wrong with what is made of a value."""
    if field.fields is not None:
        if field.regex is not None:
            yield Problem(f"{key}.regex", quoted(field.regex), "expected no regex of an object")
        if field.type not in (None, "object"):
            yield Problem(f"{key}.type", field.type or "", "expected object, as fields make one")
    elif field.regex is not None and (problem := regex_problem(field.regex)):
        yield Problem(f"{key}.regex", quoted(field.regex), problem)
    for position, given in enumerate(field.transform):
        place = f"{key}.transform[{position}]"
        if isinstance(given, dict) and len(given) != 1:
            yield Problem(place, "a map", "expected a name, or a map of one name and its arguments: replace: [a, b]")
            continue
        name, arguments = (given, None) if isinstance(given, str) else next(iter(given.items()))
        if problem := _transform_problem(name, arguments):
            yield Problem(place, name, problem)
    if field.required and field.default is not None:
        yield Problem(f"{key}.default", "required and default", "expected one of them: with a default none is missing")
    for word in ("const", "default"):
        yield from _given(field, word, f"{key}.{word}")


def _given(field: FieldConfig, word: str, key: str) -> Iterator[Problem]:
    """What is wrong with a value that stands in the rule itself."""
    value = getattr(field, word)
    each = value if isinstance(value, tuple) else (value,)
    if any(isinstance(one, float) and not math.isfinite(one) for one in each):
        yield Problem(key, str(value), "expected a finite number")
    elif field.type not in (None, "list", "object") and not (word == "const" and (field.transform or field.regex)):
        from crawler.extract.value_types import Context, converted  # noqa: PLC0415 - only rules pay for it

        try:
            for one in each:
                converted(one, field.type, Context(lambda href: href))
        except ValueError as error:
            yield Problem(key, str(value), f"{error}, as it is the field's type")


def _transform_problem(name: str, arguments: Any) -> str | None:  # noqa: ANN401 - whatever YAML can say
    """What is wrong with a transform; what they take is known where they are made, which only rules pay for."""
    from crawler.extract.transforms import problem_of  # noqa: PLC0415

    return problem_of(name, arguments)
