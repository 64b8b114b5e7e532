"""Structured data for rules, until that of page records can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crawler.extract.json_value import JsonError, json_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from selectolax.lexbor import LexborHTMLParser

_MAX_SCRIPTS: Final = 1_000


def json_ld(tree: LexborHTMLParser) -> list[Any]:
    """The values of all JSON-LD blocks."""
    found = []
    for node in tree.css('script[type="application/ld+json" i]')[:_MAX_SCRIPTS]:
        try:
            value = json_value(node.text_lexbor())
        except JsonError:
            continue
        found += value if isinstance(value, list) else [value]
    return found


def opengraph(tree: LexborHTMLParser) -> dict[str, Any]:  # noqa: ARG001
    """Open Graph's properties."""
    return {}


def microdata(tree: LexborHTMLParser, resolve: Callable[[str], str | None]) -> list[Any]:  # noqa: ARG001
    """The top items."""
    return []
