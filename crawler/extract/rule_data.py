"""What does an HTML page hold besides its text, for JMESPath to look at? Structured data, and the state of scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crawler.extract.json_ld import json_ld
from crawler.extract.json_value import JsonError, assigned_value, json_value
from crawler.extract.microdata import microdata
from crawler.extract.opengraph import opengraph

if TYPE_CHECKING:
    from collections.abc import Callable

    from selectolax.lexbor import LexborHTMLParser

    from crawler.extract.parsed import Parsed

_MAX_LOOKED_AT: Final = 100_000
"""Objects of JSON-LD that are looked at for one of a type."""
_MAX_SCRIPTS: Final = 1_000


def data_of(parsed: Parsed, within: str, resolve: Callable[[str], str | None]) -> Any:  # noqa: ANN401
    """What ``in: within`` means (see `crawler.config.scraping.FieldConfig`); None if the page has no such thing."""
    tree = parsed.tree
    if tree is None:
        return None
    name, _, which = within.partition(":")
    match name:
        case "json_ld":
            values = json_ld(tree).values
            return of_type(values, which) if which else values or None
        case "opengraph" | "microdata":
            return (opengraph(tree) if name == "opengraph" else microdata(tree, resolve).items) or None
        case "js":
            return _assigned(tree, which)
        case _:
            return _script(tree, within)


def of_type(values: Any, wanted: str) -> dict[str, Any] | None:  # noqa: ANN401
    """The first object of a schema.org type, with or without its vocabulary; breadth first, so the outermost."""
    level = [values]
    looked_at = 0
    while level and looked_at < _MAX_LOOKED_AT:
        for each in level:
            if isinstance(each, dict) and wanted in _types(each):
                return each
        looked_at += len(level)
        level = [
            below
            for each in level
            if isinstance(each, list | dict)
            for below in (each if isinstance(each, list) else each.values())
            if isinstance(below, list | dict)
        ]
    return None


def _script(tree: LexborHTMLParser, selector: str) -> Any:  # noqa: ANN401
    """The value of the first element that matches and whose text is JSON."""
    for node in tree.css(selector)[:_MAX_SCRIPTS]:
        try:
            return json_value(node.text_lexbor())
        except JsonError:
            continue
    return None


def _assigned(tree: LexborHTMLParser, variable: str) -> Any:  # noqa: ANN401
    for node in tree.css("script:not([src])")[:_MAX_SCRIPTS]:
        text = node.text_lexbor()
        if variable.rpartition(".")[2] in text and (value := assigned_value(text, variable)) is not None:
            return value
    return None


def _types(value: dict[str, Any]) -> list[str]:
    given = value.get("@type")
    names = given if isinstance(given, list) else [given]
    return [form for name in names if isinstance(name, str) for form in (name, name.rpartition("/")[2])]
