"""Markdown of nodes, until it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selectolax.lexbor import LexborNode


def markdown(
    nodes: Sequence[LexborNode],
    skip: frozenset[int] = frozenset(),  # noqa: ARG001
    resolve: Callable[[str], str | None] | None = None,  # noqa: ARG001
) -> str:
    """The text."""
    return "\n\n".join(node.text() for node in nodes)
