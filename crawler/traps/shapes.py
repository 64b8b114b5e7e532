"""What is a URL like? The families of URLs that sites make up without end, told by the URL alone.

Being of a family says nothing against a page: catalogues are paged and archives have dates. It decides only which
pages are compared with each other, and that numbers do not count when they are (`site`). URLs of no family are
compared word by word and number by number.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote_plus

from crawler.url import Url, host_key, path_and_query


class Kind(StrEnum):
    """A sort of trap."""

    CALENDAR = "calendar"
    PAGINATION = "pagination"
    FACETS = "facets"
    DEEP = "deep path"
    SESSION = "session id"
    MIRRORS = "mirrors"
    SAME_PAGE = "same page"


class Family(NamedTuple):
    """URLs of one host that are told apart by dates, numbers or choices only."""

    kind: Kind
    #: as shown: ``shop.example.org/list?{page}``
    pattern: str


class Part(NamedTuple):
    """A part of a URL that may say nothing of the page: a parameter, or a segment that looks made up."""

    #: ``sid`` or ``segment 2``
    name: str
    value: str
    #: the URL without it
    rest: str


_YEAR = re.compile(r"[1-9]\d{3}")
_MONTH = re.compile(r"0?[1-9]|1[0-2]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|week-?\d*|w\d\d?")
_DATE = re.compile(r"[1-9]\d{3}-(?:0?[1-9]|1[0-2]|w\d\d)(?:-\d\d?)?(?:t.*)?|(?:19|20|21)\d\d(?:0[1-9]|1[0-2])[0-3]\d")
_CALENDARS = frozenset(("calendar", "cal", "kalender", "agenda", "calendario", "calendrier", "kalendar"))
_DATE_KEYS = frozenset(("year", "month", "day", "date", "week", "yr", "mon", "yyyy", "mm", "dd", "jahr", "monat"))
_SHORT_DATE_KEYS = frozenset("ymd")
_PAGE_KEYS = frozenset(("p", "pg", "pn", "seite", "offset", "start", "skip", "from", "first", "begin", "cursor"))
_PAGE_KEYS |= {"after", "limitstart", "pos"}
_IDS_TOO = frozenset(("p",))
"""What stands before page numbers, and before ids of posts and products as well: long numbers are these. Of ``pages``
in a path it is always an id: a list has pages, but its address names one page."""
_LONGEST_PAGE_NUMBER = 3
_PAGE_SEGMENT = re.compile(r"(page|p|pg|seite|offset|start)[-_]?(\d*)")
_NUMBER = re.compile(r"\d+")
_MADE_UP = re.compile(r"(?=.*\d)(?=.*[a-z])[\w.~=()-]{6,}|[0-9a-f]{16,}|\d{10,}|[\w-]{24,}", re.IGNORECASE)
_ANY_NUMBER = re.compile(r"\d+")
_MAX_PARTS = 8
_REPEATS, _SCATTERED = 3, 4


def family(url: Url, depth: int) -> Family | None:
    """The family of `url`; None for none. A path of `depth` segments is deep."""
    path, _, query = path_and_query(url).partition("?")
    segments = [segment for segment in path.split("/") if segment]
    host = host_key(url)
    if len(segments) >= depth or repeats(segments):
        return Family(Kind.DEEP, f"{host}/{{deep}}")
    if (place := _date_place(segments)) is not None:
        return Family(Kind.CALENDAR, "/".join((host, *map(_general, segments[:place]), "{date}")))
    keys = _pairs(query)
    stem = "/".join((host, *map(_general, segments)))
    names = [name.lower() for name, _ in keys]
    if _is_dated(names, keys):
        return Family(Kind.CALENDAR, f"{stem}?{{date}}")
    if (paged := _page_place(segments)) is not None:
        return Family(Kind.PAGINATION, "/".join((host, *map(_general, segments[:paged]), "{page}")))
    return _by_query(keys, stem)


def _by_query(keys: list[tuple[str, str]], stem: str) -> Family | None:
    if any(_is_page_number(name.lower(), value) for name, value in keys):
        return Family(Kind.PAGINATION, f"{stem}?{{page}}")
    if len(keys) >= 2:
        return Family(Kind.FACETS, f"{stem}?{{choices}}")
    return None


def repeats(segments: list[str]) -> bool:
    """Whether a path goes in circles: a block of it three times in a row, or one segment four times."""
    n = len(segments)
    if n < _REPEATS or len(set(segments)) > n - _REPEATS + 1:
        return False
    if any(segments.count(segment) >= _SCATTERED for segment in set(segments)):
        return True
    for size in range(1, n // _REPEATS + 1):
        for start in range(n - _REPEATS * size + 1):
            block = segments[start : start + size]
            if all(segments[start + k * size : start + (k + 1) * size] == block for k in range(1, _REPEATS)):
                return True
    return False


def choices(url: Url) -> list[tuple[str, str]]:
    """The parameters of `url`."""
    return _pairs(path_and_query(url).partition("?")[2])


def parts(url: Url) -> list[Part]:
    """The parts of `url` that might say nothing: each parameter, each made-up segment, all made-up ones together."""
    path, _, query = path_and_query(url).partition("?")
    site = url[: len(url) - len(path) - len(query) - ("?" in url)]
    fields = query.split("&") if query else []
    segments = path.split("/")
    found = []
    dull_fields, dull_segments = set(), set()
    for at, field in enumerate(fields[:_MAX_PARTS]):
        name, _, value = field.partition("=")
        if value:
            rest = f"{site}{path}?{'&'.join(fields[:at] + fields[at + 1 :])}"
            found.append(Part(name, value, rest))
            if _MADE_UP.fullmatch(value):
                dull_fields.add(at)
    for at, segment in enumerate(segments[:_MAX_PARTS]):
        if _MADE_UP.fullmatch(segment.rpartition("=")[2]):
            head, sign, value = segment.rpartition("=")
            left = [*segments[:at], f"{head}{sign}*", *segments[at + 1 :]]
            name = head.rpartition(";")[2] if sign else f"segment {at}"
            found.append(Part(name, value, f"{site}{'/'.join(left)}?{query}"))
            dull_segments.add(at)
    if len(dull_fields) + len(dull_segments) > 1:
        left_fields = [field for at, field in enumerate(fields) if at not in dull_fields]
        left = ["*" if at in dull_segments else segment for at, segment in enumerate(segments)]
        found.append(Part("all ids", url, f"{site}{'/'.join(left)}?{'&'.join(left_fields)}"))
    return found


def part_names(url: Url) -> set[str]:
    """The names of `parts`."""
    return {part.name for part in parts(url)}


def _pairs(query: str) -> list[tuple[str, str]]:
    pairs = []
    for field in query.split("&") if query else ():
        name, _, value = field.partition("=")
        pairs.append((unquote_plus(name), value))
    return pairs


def _general(segment: str) -> str:
    """A segment with its numbers left out: ``item-17`` and ``item-4`` are the same."""
    if _MADE_UP.fullmatch(segment) and not segment[0].isalpha():
        return "{id}"
    return _ANY_NUMBER.sub("{n}", segment)


def _date_place(segments: list[str]) -> int | None:
    """Where in a path a date begins."""
    for at, segment in enumerate(segments):
        lower = segment.lower()
        if _DATE.fullmatch(lower):
            return at
        after = segments[at + 1].lower() if at + 1 < len(segments) else ""
        if _YEAR.fullmatch(lower) and _MONTH.fullmatch(after):
            return at
        if lower in _CALENDARS and _NUMBER.fullmatch(after):
            return at + 1
    return None


def _is_dated(names: list[str], keys: list[tuple[str, str]]) -> bool:
    if not _DATE_KEYS.isdisjoint(names) or len(_SHORT_DATE_KEYS.intersection(names)) >= 2:
        return True
    return any(_DATE.fullmatch(value.lower()) for _, value in keys)


def _is_page_number(name: str, value: str) -> bool:
    if name.startswith("page"):
        return not name.endswith("id")  # of WordPress and MediaWiki
    return name in _PAGE_KEYS and not _is_id(name, value)


def _is_id(name: str, value: str) -> bool:
    return name in _IDS_TOO and value.isdigit() and len(value) > _LONGEST_PAGE_NUMBER


def _page_place(segments: list[str]) -> int | None:
    """Where in a path a page number stands: ``page/7``, ``page-7``."""
    for at, segment in enumerate(segments):
        if match := _PAGE_SEGMENT.fullmatch(segment.lower()):
            name, number = match.groups()
            number = number or (segments[at + 1] if at + 1 < len(segments) else "")
            if _NUMBER.fullmatch(number) and not _is_id(name, number):
                return at
    return None
