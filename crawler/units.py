"""How do people write durations, sizes and rates?  ``500ms``, ``10MiB``, ``5/s``.

Values are numbers (seconds, bytes, events a second), so what computes with them needs no conversion. `parse` reads the
written form exactly and rounds once; ``str()`` writes the shortest whole number of a unit that reads back equal, else
plain decimals. Where a value may stand, and whether it may be 0, is for the configuration to say.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([^0-9]*)")


class Duration(float):
    """Seconds. Written ``500ms``, ``2s``, ``1.5m``, ``1h``, ``1d``; ``0`` needs no unit."""

    UNITS: Final = {
        "d": Fraction(86_400),
        "h": Fraction(3600),
        "m": Fraction(60),
        "s": Fraction(1),
        "ms": Fraction(1, 1000),
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a duration.

        Raises:
            ValueError: Says what was expected.
        """
        number, unit = _split(text, "a duration such as 500ms, 2s, 5m, 1h or 1d")
        if not unit:
            if number:
                raise ValueError(f"expected a unit, such as {text}s or {text}ms")
            unit = "s"
        scale = _scale(unit, cls.UNITS, "a duration")
        return cls(_rounded(number * scale))

    def __str__(self) -> str:
        if not self or not math.isfinite(self):
            return f"{float(self):g}s"
        written = Fraction(repr(float(self)))
        for unit, scale in self.UNITS.items():
            if not written % scale:
                return f"{written / scale}{unit}"
        return f"{_plain(self)}s"


class Size(int):
    """Bytes. Written ``512``, ``64KiB``, ``10MiB``, ``1GiB``, or with powers of ten ``10MB``."""

    UNITS: Final = {
        **{prefix + "iB": Fraction(1024**power) for power, prefix in ((4, "T"), (3, "G"), (2, "M"), (1, "K"))},
        **{prefix + "B": Fraction(1000**power) for power, prefix in ((4, "T"), (3, "G"), (2, "M"), (1, "k"))},
        "B": Fraction(1),
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a size; units in any case.

        Raises:
            ValueError: Says what was expected.
        """
        number, unit = _split(text, "a size such as 512, 64KiB, 10MiB or 1GB")
        spelt = next((name for name in cls.UNITS if name.lower() == unit.lower()), unit)
        total = number * _scale(spelt or "B", cls.UNITS, "a size")
        if total.denominator != 1:
            raise ValueError("expected a whole number of bytes")
        return cls(total)

    def __str__(self) -> str:
        for unit, scale in self.UNITS.items():
            if self and not self % scale:
                return f"{self // scale}{unit}" if unit != "B" else f"{int(self)}"
        return "0"


class Number(float):
    """A plain number of at least 0. Written ``2``, ``1.5``."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a number.

        Raises:
            ValueError: Says what was expected.
        """
        number, unit = _split(text, "a number such as 2 or 1.5")
        if unit:
            raise ValueError("expected a number without a unit, such as 2 or 1.5")
        return cls(_rounded(number))

    def __str__(self) -> str:
        return _plain(self).removesuffix(".0") if math.isfinite(self) else f"{float(self)}"


class Rate(float):
    """Events per second. Written ``5/s``, ``30/min``, ``100/h``, ``10/d``."""

    PERIODS: Final = {"s": Fraction(1), "min": Fraction(60), "h": Fraction(3600), "d": Fraction(86_400)}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a rate.

        Raises:
            ValueError: Says what was expected.
        """
        number, unit = _split(text, "a rate such as 5/s, 30/min or 100/h")
        if not unit.startswith("/"):
            raise ValueError("expected a rate such as 5/s, 30/min or 100/h")
        if unit[1:] not in cls.PERIODS:
            raise ValueError("expected a rate per s, min, h or d, such as 5/s")
        return cls(_rounded(number / cls.PERIODS[unit[1:]]))

    def __str__(self) -> str:
        if not math.isfinite(self):
            return f"{float(self)}/s"
        for period, scale in self.PERIODS.items():
            events = round(self * scale)
            if events / int(scale) == self:
                return f"{events}/{period}"
        return f"{_plain(self)}/s"


def _split(text: str, expected: str) -> tuple[Fraction, str]:
    """Number and unit; the unit is empty where none is written."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected {expected}")
    return Fraction(match[1]), match[2]


def _scale(unit: str, units: Mapping[str, Fraction], what: str) -> Fraction:
    try:
        return units[unit]
    except KeyError:
        raise ValueError(f"expected {what} in {', '.join(units)}") from None


def _rounded(exact: Fraction) -> float:
    """The nearest float."""
    try:
        return float(exact)
    except OverflowError:
        raise ValueError("expected a smaller number") from None


def _plain(number: float) -> str:
    """`number` without an exponent, in as many digits as reading it back takes."""
    return format(Decimal(repr(float(number))), "f")
