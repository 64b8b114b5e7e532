"""Can a column hold this value, so that the same comes back? What cannot be held is refused, never changed.

Values are JSON, as `crawler.dataset.fields` hands them out.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from crawler.tables.columns import BOOL, JSON, NUMBER, TEXT, WHOLE, Kind
from crawler.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 2**63 - 1
LEAST: Final = -(2**63)
EXACT: Final = 2**53
"""Up to here a float (IEEE 754, binary64) holds every whole number."""

_SHOWN = 60
_MANY_DIGITS = re.compile(rb"[0-9]{16}")
_PLAIN_WHOLE = re.compile(rb"-?[0-9]{1,18}")
_text = msgspec.json.Decoder(str).decode
_number = msgspec.json.Decoder(float).decode
_whole = msgspec.json.Decoder(int).decode
_encode = msgspec.json.encode


class UnfitError(ValueError):
    """A value that a column cannot hold; says why."""


def native(kind: Kind, value: bytes) -> Any:  # noqa: ANN401
    """What a value is: str, int, float or bool; what is nested, and any JSON, as text of JSON.

    Raises:
        UnfitError: The column cannot hold it.
    """
    if value == b"null":
        return None
    return _reader(kind.type, kind.python)(value)


def spooled(kind: Kind, value: bytes) -> bytes:
    """A value as JSON that DuckDB reads as the column's type. Raises as `native`."""
    if value == b"null":
        return value
    if kind.type == JSON:
        return _encode(value.decode())
    found = _reader(kind.type, kind.python)(value)
    if kind.type.startswith("MAP"):
        return _encode(_decoder(kind.python).decode(value))  # a key that comes twice is one from here on
    return value if kind.is_nested or kind.type != NUMBER else repr(found).encode()


def type_of(value: bytes) -> str:
    """What a value would be if no schema says anything: a type, `WIDE` for a whole number that is no exact float, or
    empty for null.
    """
    match value[:1]:
        case b'"':
            return TEXT if _fits(Kind(TEXT, str), value) else JSON
        case b"t" | b"f":
            return BOOL
        case b"n":
            return ""
        case b"[" | b"{":
            return JSON
    if _fits(Kind(WHOLE, int), value):
        return WHOLE if abs(int(value)) <= EXACT else WIDE
    return NUMBER if _fits(Kind(NUMBER, float), value) and not _is_whole(value) else JSON


WIDE: Final = "wide"


def common(types: set[str]) -> str:
    """The type of a column that holds values of these, as `type_of` calls them."""
    found = types - {""}
    if found and found <= {WHOLE, WIDE}:
        return WHOLE
    if found and found <= {WHOLE, NUMBER}:
        return NUMBER
    return found.pop() if len(found) == 1 else JSON


def _fits(kind: Kind, value: bytes) -> bool:
    try:
        native(kind, value)
    except UnfitError:
        return False
    return True


@cache
def _decoder(python: Any) -> msgspec.json.Decoder[Any]:  # noqa: ANN401
    return msgspec.json.Decoder(python)


@cache
def _reader(type_: str, python: Any) -> Callable[[bytes], Any]:  # noqa: ANN401
    match type_:
        case "JSON":
            return bytes.decode
        case "VARCHAR":
            return _as_text
        case "BIGINT":
            return _as_whole
        case "DOUBLE":
            return _as_number
        case "BOOLEAN":
            return _as_bool
    return lambda value: _as_nested(type_, _decoder(python), value)


def _as_text(value: bytes) -> str:
    if value[:1] != b'"':
        raise UnfitError(f"expected text, not {_shown(value)}")
    try:
        return _text(value)
    except msgspec.DecodeError as error:
        raise UnfitError(f"half a character (a lone surrogate) is no text: {_shown(value)}") from error


def _as_whole(value: bytes) -> int:
    if _PLAIN_WHOLE.fullmatch(value):
        return int(value)
    try:
        found = _whole(value)
    except msgspec.MsgspecError as error:
        raise UnfitError(f"expected a whole number, not {_shown(value)}") from error
    if not LEAST <= found <= MOST:
        raise UnfitError(f"expected a whole number of at most 64 bits, not {_shown(value)}")
    return found


def _as_number(value: bytes) -> float:
    try:
        found = _number(value)
    except msgspec.MsgspecError as error:
        raise UnfitError(f"expected a number that a float can hold, not {_shown(value)}") from error
    if len(value) > 15 and _is_whole(value) and int(value) != found:
        raise UnfitError(f"a float would lose digits of {_shown(value)}")
    return found


def _is_whole(value: bytes) -> bool:
    return not any(mark in value for mark in b".eE")


def _as_bool(value: bytes) -> bool:
    if value not in (b"true", b"false"):
        raise UnfitError(f"expected true or false, not {_shown(value)}")
    return value == b"true"


def _as_nested(type_: str, decoder: msgspec.json.Decoder[Any], value: bytes) -> str:
    try:
        found = decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise UnfitError(f"it is no {type_}: {error}") from error
    if _MANY_DIGITS.search(value) and not _are_held(msgspec.to_builtins(found), msgspec.json.decode(value)):
        raise UnfitError(f"a number in it has more digits than {type_} can hold")
    return value.decode()


def _are_held(held: Any, meant: Any) -> bool:  # noqa: ANN401
    """Whether all numbers within are what they were, and of 64 bits."""
    if isinstance(held, list):
        return all(map(_are_held, held, meant))
    if isinstance(held, dict):
        return all(map(_are_held, held.values(), meant.values()))
    if isinstance(held, int):
        return LEAST <= held <= MOST
    return not isinstance(held, float) or (held == meant and math.isfinite(held))


def _shown(value: bytes) -> str:
    return printable(value.decode(errors="replace"), _SHOWN)
