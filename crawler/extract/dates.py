"""Which date does a text give, in ISO 8601? Numbers, and month names of some thirty languages; never a relative date.

The answer is as precise as the text: a date, a date with a time, or these with the offset from UTC where the text
names one. A day has to be given; a year alone or a month is no date. Which of two numbers is the day:

- in ``2023-05-06``, ``2023/05/06`` and ``2023.05.06`` the last;
- in ``06.05.2023`` and ``06-05-2023`` the first, ``05-06-2023`` in the United States' English alone excepted;
- in ``05/06/2023`` the second if the language is English (unless of a country that writes otherwise), else the first;
- wherever only one reading is a date, as in ``05/23/2023``, that one.

Two-digit years are those from 1970 to 2069, as POSIX nearly has them. Digits of other scripts are none.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from crawler.extract.months import month_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_CHARS = 500
"""No more of a text is looked at."""

_FIRST_YEAR, _LAST_YEAR = 1000, 2200

# Where English is read, all but the United States and the Philippines put the day first.
_DAY_FIRST_ENGLISH = frozenset(("gb", "uk", "au", "nz", "ie", "in", "za", "sg", "hk", "my", "ng", "ke", "mt", "eu"))

_PARTS = {
    "N": "[0-9]",
    "L": r"[^\W\d_]",
    "DAY": "(?P<d>[0-9]{1,2})(?:st|nd|rd|th|er|re|º|ª|°|\\.)?",
    "MONTH": "(?P<m>[0-9]{1,2})",
    "NAME": r"(?P<name>[^\W\d_]{3,12})",
    "YEAR": "(?P<y>[12][0-9]{3})(?![0-9])",
    "OF": "(?:de|of|del|d|di|den|da|du)",
    "DASH": r"[\-\u2010-\u2013]",
    "AT": r"(?:at|um|às|à|ás|a\ las|alle|ore|kl|klo|om|o|v|la|godz)\.?\s{1,2}",
    "CLOCK": "(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?",
    "FRACTION": "(?:[.,](?P<fraction>[0-9]{1,9}))?",
}


def _pattern(verbose: str) -> re.Pattern[str]:
    """A pattern in which ``<NAME>`` stands for a part above. Digits are ASCII's; all repetition is bounded."""
    for name, part in _PARTS.items():
        verbose = verbose.replace(f"<{name}>", part)
    return re.compile(verbose, re.VERBOSE)


_DATES = tuple(
    map(
        _pattern,
        (
            # 2023-05-06
            r"(?<!<N>) <YEAR> \s?(?P<sep><DASH>|[/.])\s? <MONTH> \s?(?P=sep)\s? (?P<d><N>{1,2})(?!<N>)",
            # 06.05.2023, 5/6/23; no part of 1.2.3.4 or 10:11:12
            r"""(?<!<N>)(?P<a><N>{1,2}) \s?(?P<sep><DASH>|[/.])\s? (?P<b><N>{1,2}) \s?(?P=sep)\s?
                (?P<y>[12]<N>{3}|<N><N>)(?![0-9:])(?!\s?(?P=sep)\s?<N>)""",
            # 6. Mai 2023, 6 de mayo de 2023, 6-May-23
            r"""(?<!<N>)<DAY> (?:\s|/|<DASH>){0,2} (?:<OF>[\s'\u2019]{1,2})? <NAME>[.,]? (?:\s|/|<DASH>){0,2}
                (?:<OF>\s)? (?P<y>[12]<N>{3}|['\u2019]?<N><N>)(?![0-9:])""",
            # May 6th, 2023
            r"(?<!<L>)<NAME>\.? [\s\-]{0,2} <DAY> (?:,|\s|-){1,3} <YEAR>",
            # 2023 May 6
            r"(?<!<N>)<YEAR>[.,]? [\s\-] <NAME>\.? [\s\-] (?P<d><N>{1,2})(?!<N>)",
            # of East Asia
            r"(?<!<N>)<YEAR> \s?[年년]\s? <MONTH> \s?[月월]\s? (?P<d><N>{1,2}) \s?[日일號号]?",
            # as C's ctime has it: May 6 10:11:12 UTC 2023
            r"(?<!<L>)<NAME> \s{1,2} (?P<d><N>{1,2}) \s <CLOCK> \s(?:(?P<zone>[A-Z]{3,4})\s)? <YEAR>",
            # 20230506
            r"(?<!<N>)(?P<y>[12]<N>{3})(?P<m>[01]<N>)(?P<d>[0-3]<N>)(?!<N>)",
        ),
    )
)
_HAS_DATE = re.compile(r"[0-9][^0-9]{0,16}[0-9]")
_TIME = _pattern(
    r"""(?: \s{0,2}[T,|\u00b7\u2022\u2013\u2014@\-/;(]\s{0,2} | \s{1,2} | (?<=[日일])\s?(?:[(\uff08]<L>[)\uff09]\s?)?
          | <L>{0,2},\s )
    (?:<AT>)? (?P<hour><N>{1,2})
    (?: (?:[:h時시](?P<minute><N><N>) | \.(?P<dotted><N><N>)(?=\s?(?i:uhr|h\b|[ap]\.?m)))
        (?::(?P<second><N><N>) <FRACTION>)?
      | (?=\s?[AaPp]\.?[Mm]\b) | (?=\s(?i:uhr)) ) (?!<N>)
    (?: \s?(?P<half>[AaPp])\.?[Mm]\b\.? )? (?: \s?(?i:uhr|h\b) )?"""
)
_PACKED_TIME = _pattern(r"T(?P<hour><N><N>)(?P<minute><N><N>)(?P<second><N><N>)? <FRACTION>(?!<N>)")
_ZONE = _pattern(
    r"""\s?\(?(?: (?:GMT|UTC)?\s?(?P<sign>[+\-\u2212])(?P<hours>[01]<N>):?(?P<minutes>[0-5]<N>)?(?!<N>)
                | (?P<name>[A-Z]{1,4})\b )"""
)
# RFC 5322, section 4.3, and what Europe calls its own; other letters mean several zones, and are not read.
_OFFSETS = """
Z=Z UTC=Z GMT=Z UT=Z EST=-05:00 EDT=-04:00 CST=-06:00 CDT=-05:00 MST=-07:00 MDT=-06:00 PST=-08:00 PDT=-07:00
WET=+00:00 WEST=+01:00 CET=+01:00 MEZ=+01:00 CEST=+02:00 MESZ=+02:00 EET=+02:00 EEST=+03:00 MSK=+03:00 JST=+09:00
"""
_ZONES = dict(zone.split("=") for zone in _OFFSETS.split())
# What may stand beside a date in a text that is one: weekdays and words, and a time before it.
_BEFORE = _pattern(r"\W*(?:<L>{1,15}(?:-<L>{1,15})?\W{1,4}){0,4}(?:<N>{1,2}:<N><N>(?::<N><N>)?\s?\W{0,3})?")
_AFTER = _pattern(r"(?:\W*<L>{1,15}){0,2}\W*")


def parse_date(text: str, lang: str | None = None, *, day_first: bool | None = None) -> str | None:
    """The date that `text` is, but for a few words around it, such as the weekday; None if it is something else.

    Args:
        text: At most `MAX_CHARS` of it count.
        lang: Language tag of the text (BCP 47), which decides whether ``5/6/2023`` is in May or June.
        day_first: Decides that whatever the language.
    """
    text = text[:MAX_CHARS].strip()
    for match, iso in _dates(text, _order(lang, day_first), lang):
        start, end = match
        if _BEFORE.fullmatch(text, 0, start) and _AFTER.fullmatch(text, end):
            return iso
        return None
    return None


def find_date(text: str, lang: str | None = None) -> str | None:
    """The first date in `text`, of which at most `MAX_CHARS` count; None if there is none."""
    return next((iso for _, iso in _dates(text[:MAX_CHARS], _order(lang, None), lang)), None)


def _order(lang: str | None, day_first: bool | None) -> Callable[[str], bool]:  # noqa: FBT001
    """Whether the day is the first of two numbers that are parted by the character given."""
    if day_first is not None:
        return lambda _: day_first
    language, _, rest = (lang or "").lower().replace("_", "-").partition("-")
    is_american = language == "en" and rest.rpartition("-")[2] not in _DAY_FIRST_ENGLISH
    return lambda separator: not (is_american and (separator == "/" or (separator == "-" and rest == "us")))


def _dates(text: str, day_first: Callable[[str], bool], lang: str | None) -> Iterator[tuple[tuple[int, int], str]]:
    """Where dates stand in `text`, times included, and what they are; the first first."""
    if not _HAS_DATE.search(text):
        return
    found = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            day = _day(match.groupdict(), day_first, lang)
            if day is not None:
                found.append((match.start(), -match.end(), day, match))
                break
    if found:
        start, _, day, match = min(found, key=lambda item: item[:2])
        time, end = _time(text, match)
        yield (start, end), f"{day}{time}"


def _day(parts: dict[str, str | None], day_first: Callable[[str], bool], lang: str | None) -> str | None:
    """What a match of `_DATES` means; None if there is no such day."""
    year = _year(parts["y"] or "")
    if name := parts.get("name"):
        month = month_of(name, lang)
        return _iso(year, month, int(parts["d"] or 0)) if month else None
    if parts.get("m"):
        return _iso(year, int(parts["m"] or 0), int(parts["d"] or 0))
    first, second = int(parts["a"] or 0), int(parts["b"] or 0)
    if day_first(parts["sep"] or ""):
        return _iso(year, second, first) or _iso(year, first, second)
    return _iso(year, first, second) or _iso(year, second, first)


def _year(digits: str) -> int:
    year = int(digits[-2:] if len(digits) < 4 else digits)
    return year if year > 99 else year + (1900 if year >= 70 else 2000)


def _iso(year: int, month: int, day: int) -> str | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _time(text: str, day: re.Match[str]) -> tuple[str, int]:
    """The time of day after (or in) the date that `day` matched, as ISO 8601 continues it, and where it ends."""
    end = day.end()
    match = day if day.groupdict().get("hour") else _PACKED_TIME.match(text, end) or _TIME.match(text, end)
    if match is None:
        return "", end
    parts = match.groupdict()
    hour = int(parts["hour"] or 0)
    minute = parts["minute"] or parts.get("dotted") or "00"
    second = parts["second"] or "00"
    half = parts.get("half")
    if half:
        if not 1 <= hour <= 12:
            return "", end
        hour = hour % 12 + (12 if half in "pP" else 0)
    if hour > 23 or int(minute) > 59 or int(second) > 60:
        return "", end
    fraction = (parts.get("fraction") or "")[:6]
    clock = f"T{hour:02}:{minute}:{min(int(second), 59):02}{'.' if fraction else ''}{fraction}"
    if match is day:
        return clock + _ZONES.get(parts.get("zone") or "", ""), end
    zone, end = _zone(text, match.end())
    return clock + zone, end


def _zone(text: str, end: int) -> tuple[str, int]:
    """The offset from UTC that stands at `end`, and where it ends; empty if there is none that is known."""
    match = _ZONE.match(text, end)
    if match is None:
        return "", end
    if name := match["name"]:
        return _ZONES.get(name, ""), match.end() if name in _ZONES else end
    if int(match["hours"]) > 14:
        return "", end
    return f"{'-' if match['sign'] != '+' else '+'}{match['hours']}:{match['minutes'] or '00'}", match.end()
