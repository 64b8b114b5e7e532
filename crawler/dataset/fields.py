"""What are the fields of a record, each as it stands in its line?

A value is left as JSON, so that nothing is lost of it: not the digits of a number, nor half a character (a lone
surrogate, which JSON can escape and no other kind of text can hold).
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
BAD_LINES = (msgspec.DecodeError, ValueError, RecursionError)
"""What `fields_of` raises for a line that is no record."""


def fields_of(line: bytes) -> Mapping[str, msgspec.Raw]:
    """The fields of the record in a line: field -> its value as JSON, in UTF-8.

    Raises:
        BAD_LINES: It is none.
    """
    line.decode()  # which a `Raw` would not be asked for
    try:
        return _decode(line)
    except msgspec.DecodeError:
        if b"\\u" not in line:
            raise
        return _with_surrogates(line)


def _with_surrogates(line: bytes) -> Mapping[str, msgspec.Raw]:
    """The same of a record with escapes that msgspec does not read, though JSON has them."""
    found = json.loads(line, parse_constant=_refuse, parse_float=_number)
    if not isinstance(found, dict):
        raise ValueError(f"expected an object, not {type(found).__name__}")  # noqa: TRY004 - as for other bad lines
    for name in found:
        name.encode()  # a field's name has to be text
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in found.items()}


def _number(text: str) -> float:
    """Refuses what would lose digits."""
    number = float(text)
    if not math.isfinite(number) or Decimal(repr(number)) != Decimal(text):
        raise ValueError(f"{text} has more digits than can be kept beside half a character")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
