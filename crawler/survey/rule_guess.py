"""What rule takes the records that pages describe? As its writer would put it into YAML, with an example of each field.

The first object of the type on a page is one record, and a page without any has none: nothing is rejected for being
another kind of page.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crawler.url import Url, path_and_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.survey.records import FieldSeen, RecordsSeen, Source

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_NAME: Final = 40
_OF_ITS_OWN: Final[dict[tuple[str, ...], str]] = {
    ("offers", "priceCurrency"): "currency",
    ("offers", "lowPrice"): "low_price",
    ("offers", "highPrice"): "high_price",
    ("aggregateRating", "ratingValue"): "rating",
    ("aggregateRating", "reviewCount"): "reviews",
    ("aggregateRating", "ratingCount"): "ratings",
    ("acceptedAnswer", "text"): "answer",
}
_REQUIRED: Final = ("name", "headline", "title")
_KEYS: Final = ("sku", "gtin13", "gtin", "isbn", "mpn", "url")
_NUMBERS: Final = frozenset(("price", "low_price", "high_price"))


class RuleGuess(NamedTuple):
    """A rule, and what it was made from."""

    #: plain values under its YAML keys
    rule: dict[str, Any]
    #: by field, a value that was seen
    examples: dict[str, str | float | bool]
    #: by field, on how many of the pages
    filled: dict[str, int]
    seen: RecordsSeen


def rule_of(seen: RecordsSeen) -> RuleGuess:
    """The rule for one kind of record."""
    pages = len(seen.urls)
    fields: dict[str, dict[str, Any]] = {}
    examples: dict[str, str | float | bool] = {}
    filled: dict[str, int] = {}
    for field in seen.fields:
        name = _name(field.path, fields)
        fields[name] = _field(name, field, seen.source)
        examples[name], filled[name] = field.values[0], len(field.values)
    rule: dict[str, Any] = {"name": seen.name}
    if (pattern := _pattern(seen.urls)) is not None:
        rule["match"] = pattern
    rule["each"] = _each(seen)
    rule["fields"] = fields
    required = next((name for name in _REQUIRED if filled.get(name) == pages), None)
    if required is not None:
        fields[required]["required"] = True
    key = next((name for name in _KEYS if filled.get(name) == pages), None)
    if key is not None:
        rule["unique"] = [key]
    return RuleGuess(rule, examples, filled, seen)


def untyped(guess: RuleGuess) -> RuleGuess:
    """The same with no type demanded of any value."""
    fields = {
        name: {key: value for key, value in field.items() if key != "type"}
        for name, field in guess.rule["fields"].items()
    }
    return guess._replace(rule={**guess.rule, "fields": fields})


def _each(seen: RecordsSeen) -> dict[str, str]:
    if seen.source == "json_ld":
        return {"json": "@", "in": f"json_ld:{seen.type}"}
    return {"json": f"[?ends_with(type[0] || '', '/{seen.type}')]", "in": "microdata"}  # a type is a URL


def _field(name: str, field: FieldSeen, source: Source) -> dict[str, Any]:
    keys = [key if _IDENTIFIER.fullmatch(key) else json.dumps(key) for key in field.path]
    plain: dict[str, Any] = {"json": ".".join(keys)}
    if source == "microdata":
        plain = {"json": ".".join(f"properties.{key}[0]" for key in keys)}
    elif field.is_many:
        return {"json": f"[{keys[0]}][]", "many": True}
    elif field.in_list:  # a list on one page may be a single value on another
        plain = {"json": f"[{keys[0]}][] | [0]" + "".join(f".{key}" for key in keys[1:])}
    if (kind := _type(name, field)) is not None:
        plain["type"] = kind
    return plain


def _type(name: str, field: FieldSeen) -> str | None:
    if name in _NUMBERS:
        return "decimal" if all(_is_number(value) for value in field.values) else None
    if name in ("image", "url") and all(isinstance(value, str) and value[:4] == "http" for value in field.values):
        return "url"
    return "str" if name in _KEYS and any(not isinstance(value, str) for value in field.values) else None


def _is_number(value: object) -> bool:
    try:
        return not isinstance(value, bool) and Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _name(path: tuple[str, ...], taken: dict[str, Any]) -> str:
    """``headline``, ``date_published``; of what is within another, the inner word unless that is ``name`` or so."""
    word = path[-1] if path[-1] not in ("name", "url") else path[0]
    name = _OF_ITS_OWN.get(path) or _snake(word)
    if name not in taken:
        return name
    longer = _snake("_".join(path))
    return next(each for each in (longer, *(f"{longer}_{n}" for n in range(2, len(taken) + 3))) if each not in taken)


def _snake(word: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word)
    return re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").lower()[:_MAX_NAME] or "value"


def _pattern(urls: Sequence[Url]) -> str | None:
    """A glob for all of them and their like: the folders that all are in; None if they are in none."""
    folders = [path_and_query(url).partition("?")[0].split("/")[1:-1] for url in urls]
    shared: list[str] = []
    for names in zip(*folders, strict=False):
        if len(set(names)) > 1 or names[0].isdecimal() or set(names[0]) & set("*?"):
            break
        shared.append(names[0])
    return f"*/{'/'.join(shared)}/*" if shared else None
