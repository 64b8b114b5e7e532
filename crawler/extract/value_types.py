"""What does a field's type ask of its value, and what stands in the record? Strict: a value is converted without loss
or refused.

Text is read as JSON and ISO 8601 write it; numbers and dates as people write them are the business of `transforms`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

MAX_DIGITS: Final = 400
"""Of a number, written out: as many as the largest float has, and some."""

_SHOWN: Final = 80
_WHOLE: Final = re.compile(r"[-+]?[0-9]+")
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_DATETIME: Final = re.compile(rf"({_DATE.pattern})[Tt ]({_CLOCK})\s?([Zz]|[-+][0-9]{{2}}(?::?[0-9]{{2}})?)?")
_BOOLS: Final = {"true": True, "false": False}


class Context:
    """What a value's page says about it.

    Args:
        resolve: The canonical http(s) URL that a reference means on the page; None if it means none.
        language: Of the page, as it declares it (``de-CH``); None if it does not.
    """

    __slots__ = ("language", "resolve")

    def __init__(self, resolve: Callable[[str], str | None], language: str | None = None) -> None:
        self.resolve = resolve
        self.language = language


def converted(value: Any, type_: str | None, context: Context) -> Any:  # noqa: ANN401 - whatever JSON holds
    """`value` as `type_` (see `crawler.config.scraping.Type`) has it, fit for JSON; None stays None.

    ``decimal`` gives text, which keeps every digit; ``date`` and ``datetime`` ISO 8601; ``url`` a canonical URL.
    Without a type, a value stays as it is, but for decimals, which become numbers.

    Raises:
        ValueError: What was expected, and which value it is not.
    """
    if value is None:
        return None
    if type_ is None:
        return _as_json(value)
    return _CONVERSIONS[type_](value, context)


def shown(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """`value` for a message: short, and in characters that print."""
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return "an object"
    text = repr(value[: _SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def plain_number(number: Decimal) -> int | float:
    """`number` as JSON has it.

    Raises:
        ValueError: If a float would lose digits of it.
    """
    if not number.is_finite():
        raise ValueError(f"expected a number, not {number}")
    if number == 0:
        return 0
    if number.adjusted() < 18 and number == number.to_integral_value():
        return int(number)
    as_float = float(number)
    if not math.isfinite(as_float) or Decimal(repr(as_float)) != number:
        raise ValueError(f"expected a number of at most 15 digits, not {shown(str(number))} (type decimal keeps them)")
    return as_float


def _as_json(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return value


def _text(value: Any, _: Context) -> str:  # noqa: ANN401
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return _written(value)
    raise _refused("text", value)


def _int(value: Any, _: Context) -> int:  # noqa: ANN401
    number = _exact(value, "a whole number", _WHOLE)
    if number != number.to_integral_value():
        raise _refused("a whole number", value)
    return int(number)


def _float(value: Any, _: Context) -> float:  # noqa: ANN401
    as_float = float(_exact(value, "a number", _NUMBER))
    if not math.isfinite(as_float):
        raise _refused("a number between -1.8e308 and 1.8e308", value)
    return as_float


def _decimal(value: Any, _: Context) -> str:  # noqa: ANN401
    return f"{_exact(value, 'a decimal number', _NUMBER):f}"


def _bool(value: Any, _: Context) -> bool:  # noqa: ANN401
    found = value if isinstance(value, bool) else None
    if isinstance(value, str):
        found = _BOOLS.get(value.strip().lower())
    if found is None:
        raise _refused("true or false", value)
    return found


def _date(value: Any, _: Context) -> str:  # noqa: ANN401
    found = _iso(value)
    if found is None:
        raise _refused("a date as 2024-05-06 (transform: [date] reads others)", value)
    return found[:10]


def _datetime(value: Any, _: Context) -> str:  # noqa: ANN401
    found = _iso(value)
    if found is None or "T" not in found:
        raise _refused("a date and time as 2024-05-06T07:08:09+02:00 (transform: [date] reads others)", value)
    return found


def _iso(value: Any) -> str | None:  # noqa: ANN401
    """A date, or one with a time, in the spelling RFC 3339 prefers; None if `value` is none that exists."""
    text = value.strip() if isinstance(value, str) and len(value) <= _SHOWN else ""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
        if match := _DATETIME.fullmatch(text):
            clock, offset = match[2].replace(",", "."), (match[3] or "").upper()
            at = datetime.fromisoformat(f"{match[1]}T{clock}{offset}")
            return at.isoformat().replace("+00:00", "Z") if offset == "Z" else at.isoformat()
    except ValueError:
        return None
    return None


def _url(value: Any, context: Context) -> str:  # noqa: ANN401
    text = value.strip() if isinstance(value, str) else ""
    found = context.resolve(text) if text else None
    if found is None:
        raise _refused("an http or https URL", value)
    return found


def _list(value: Any, _: Context) -> list[Any]:  # noqa: ANN401
    if not isinstance(value, list | tuple):
        raise _refused("a list", value)
    items: list[Any] = _as_json(value)
    return items


def _object(value: Any, _: Context) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, Mapping):
        raise _refused("an object", value)
    return {str(key): _as_json(item) for key, item in value.items()}


def _exact(value: Any, wanted: str, written: re.Pattern[str]) -> Decimal:  # noqa: ANN401
    """A number, or text that is one, with all its digits."""
    text = value.strip() if isinstance(value, str) else None
    if isinstance(value, bool) or (text is not None and (len(text) > MAX_DIGITS or not written.fullmatch(text))):
        raise _refused(wanted, value)
    try:
        number = value if isinstance(value, Decimal) else Decimal(_written(value) if text is None else text)
    except (InvalidOperation, TypeError):
        raise _refused(wanted, value) from None
    # Beyond it a number takes time and room out of proportion to its text: 1e999999999.
    if not number.is_finite() or abs(number.adjusted()) + len(number.as_tuple().digits) > 2 * MAX_DIGITS:
        raise _refused(wanted, value)
    return number


def _written(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError
    if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        raise _refused(f"a number of at most {MAX_DIGITS} digits", "…")
    return f"{value:f}" if isinstance(value, Decimal) and abs(value.adjusted()) < MAX_DIGITS else str(value)


def _refused(wanted: str, value: Any) -> ValueError:  # noqa: ANN401
    return ValueError(f"expected {wanted}, not {shown(value)}")


_CONVERSIONS: Final[dict[str, Callable[[Any, Context], Any]]] = {
    "str": _text,
    "int": _int,
    "float": _float,
    "decimal": _decimal,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "url": _url,
    "list": _list,
    "object": _object,
}
