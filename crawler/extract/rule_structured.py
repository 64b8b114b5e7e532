"""Microdata for rules, until that of page records can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from selectolax.lexbor import LexborHTMLParser


def microdata(tree: LexborHTMLParser, resolve: Callable[[str], str | None]) -> list[Any]:  # noqa: ARG001
    """The top items."""
    return []
