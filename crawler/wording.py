"""How are counts, times, sizes and texts from elsewhere written for a person?

Text that comes from pages is escaped before it reaches a terminal, which would obey its control characters.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from crawler.reasons import REASONS
from crawler.units import Duration

_INVISIBLE: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0]")
"""What takes part in no word and is not seen, though Unicode calls it a letter or a mark (UAX 44,
Default_Ignorable_Code_Point), but for the selectors of emoji."""


def counted(number: int, noun: str) -> str:
    """``1 page``, ``1,526 pages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``2 min 03 s``, ``1 h 02 min``, ``3 d 04 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, below_size in ((86400, "d", "h", 3600), (3600, "h", "min", 60), (60, "min", "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below_size:02} {below}"
    return f"{whole} s"


def short_time(seconds: float) -> str:
    """``0.8 ms``, ``340 ms``, ``1.2 s``, ``2 min 03 s``: for what may well take less than a second."""
    if seconds >= 0.9995:
        return duration(seconds)
    return f"{seconds * 1000:.{1 if 0 < seconds < 0.00995 else 0}f} ms"


def delay(seconds: float) -> str:
    """``200ms``, ``7.5s``, ``1m``: as in a configuration; what is measured, or stands for a rate, in three digits."""
    exact = Duration(seconds)
    short = exact if len(str(exact)) <= 7 else Duration(float(f"{seconds:.3g}"))
    return f"{short:g}s" if short >= 1 and str(short).endswith("ms") else str(short)


def roughly(seconds: float) -> str:
    """A time nobody knows exactly: ``40 s``, ``2.5 min``, ``12 min``, ``3.4 h``, ``2.0 d``."""
    for whole, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * whole:
            return f"{seconds / whole:,.{0 if seconds >= 9.95 * whole else 1}f} {unit}"
    return f"{seconds:.0f} s"


def size(count: float) -> str:
    """``512 B``, ``1.5 KiB``, ``34.2 MiB``."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 999.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} TiB"


def printable(text: str, limit: int | None = None) -> str:
    """`text` with everything escaped that a terminal might obey or not show, cut to `limit` characters.

    That is C0, DEL and C1, which begin control sequences; format characters (Cf), which turn the direction of text or
    have no width; separators but the space; surrogates; and what Unicode has not assigned.
    """
    shown = text
    if not is_plain(text):
        shown = "".join(c if is_plain(c) else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def is_plain(text: str) -> bool:
    """Whether `printable` leaves it as it is."""
    return text.isprintable() and (text.isascii() or _INVISIBLE.search(text) is None)


def meaning(reason: str) -> str:
    """What a reason stands for, in a few words; empty for a status nobody has registered."""
    if reason.startswith("http_"):
        try:
            return HTTPStatus(int(reason.removeprefix("http_"))).phrase
        except ValueError:
            return ""
    return REASONS.get(reason, "")
