"""How is the difference of two values shown in little room? Of texts, what differs with a few words around it."""

from __future__ import annotations

from typing import Any, Final

SHORT: Final = 300
"""Characters; a text of no more is shown whole."""
_AROUND: Final = 40
_PIECE: Final = 4096  # characters compared at once
_ELLIPSIS: Final = "…"


def excerpts(before: Any, after: Any) -> tuple[Any, Any]:  # noqa: ANN401  (any value of a record)
    """Two values that differ; of texts, where one is longer than `SHORT`, the part in which they do."""
    if not (isinstance(before, str) or isinstance(after, str)):
        return before, after
    one, other = (value if isinstance(value, str) else "" for value in (before, after))
    if max(len(one), len(other)) <= SHORT:
        return before, after
    first = _shared(one, other)
    most = min(len(one), len(other)) - first
    last = _shared(one[::-1][:most], other[::-1][:most])
    shown = tuple(_part(text, first, len(text) - last) for text in (one, other))
    return (
        shown[0] if isinstance(before, str) else before,
        shown[1] if isinstance(after, str) else after,
    )


def beginning(value: Any) -> Any:  # noqa: ANN401
    """A value that has nothing to differ from: of a long text the beginning."""
    return _part(value, 0, len(value)) if isinstance(value, str) else value


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at the beginning."""
    at, most = 0, min(len(one), len(other))
    while at < most and one[at : at + _PIECE] == other[at : at + _PIECE]:
        at += _PIECE
    at = min(at, most)
    while at < most and one[at] == other[at]:
        at += 1
    return at


def _part(text: str, start: int, end: int) -> str:
    """`text` between two places with a little around it, at most `SHORT` characters of it."""
    begin = max(0, start - _AROUND)
    if begin:  # whole words, if one begins near
        space = text.find(" ", begin, start)
        begin = space + 1 if space >= 0 else begin
    stop = min(len(text), end + _AROUND, begin + SHORT)
    if stop < len(text) and stop == end + _AROUND:
        space = text.rfind(" ", end, stop)
        stop = space if space >= 0 else stop
    return f"{_ELLIPSIS * (begin > 0)}{text[begin:stop]}{_ELLIPSIS * (stop < len(text))}"
