"""Which round numbers stand at a chart's axis?"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TIME_STEPS: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 91, 182, 364)),
)
_DISTANCE_S: Final = 1e11  # 3,000 years: beyond it no calendar of Python's goes


def ticks(highest: float, at_most: int = 4, base: float = 1.0) -> list[float]:
    """Round values from one step above 0 up to the first that is not below `highest`; 1 if that is 0.

    A step is 1, 2 or 5 times a power of ten, and as many times `base`; there are at most `at_most` and one.
    """
    if not highest > 0 or not math.isfinite(highest):
        return [base]
    rough = highest / base / at_most
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else 1e-300
    step = next((n * power for n in (1, 2, 5) if n * power >= rough * (1 - 1e-9)), 10 * power) * base
    if not math.isfinite(step * (at_most + 1)):
        return [highest]
    count = max(1, math.ceil(highest / step * (1 - 1e-9)))
    return [step * n for n in range(1, count + 1)]


def size_ticks(highest: float, at_most: int = 4) -> list[float]:
    """As `ticks`, of bytes: round in the unit that they are written in."""
    base = 1.0
    while highest >= base * 1024 and base < 1024**4:
        base *= 1024
    return ticks(highest, at_most, base)


def time_ticks(began_at: float, length_s: float, at_most: int = 6) -> Iterator[tuple[float, str]]:
    """Round times of day between `began_at` and `length_s` later, in UTC: how far along each is, 0 to 1, and its name.

    Days bear their date, other times the time of day.
    """
    if not length_s > 0 or abs(began_at) + length_s > _DISTANCE_S:
        return
    step = next((step for step in _TIME_STEPS if length_s / step <= at_most), None)
    if step is None:
        step = 364 * _DAY * math.ceil(length_s / at_most / (364 * _DAY))
    at = math.ceil(began_at / step) * step
    while at <= began_at + length_s:
        yield min(1.0, max(0.0, (at - began_at) / length_s)), time_name(at, step)
        at += step


def time_name(at: float, step_s: float) -> str:
    """``22:57:10``, ``22:57``, ``27 Nov``, ``Nov 2026``: as exact as steps of `step_s` need it."""
    moment = moment_of(at)
    if moment is None:
        return ""
    if step_s >= 28 * _DAY:
        return f"{moment:%b} {moment.year}"
    midnight = not (moment.hour or moment.minute or moment.second)
    if step_s >= _DAY or (midnight and step_s >= _MINUTE):
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M}" if step_s >= _MINUTE else f"{moment:%H:%M:%S}"


def moment_of(at: float) -> datetime | None:
    """Seconds since 1970 as a moment in UTC; None where that is in no year from 1 to 9999."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    except (OverflowError, ValueError):
        return None
