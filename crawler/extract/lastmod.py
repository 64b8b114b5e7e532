"""When, at the latest, has a page changed by what its sitemap says? The lastmod of an entry as wall time.

By the protocol a W3C date, as precise as it likes; in RSS one of RFC 822; in truth also a date and time with a space
between them, or without a zone. What is left open is taken for the latest it can mean: a day, a
minute or a second for its end, and where no zone is named, for where that comes last (UTC-12). So a page that changed
later on the day it was visited is visited again. What is no date says nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.extract.record import SitemapLine
    from crawler.models import Link

LASTMODS = "sitemap lastmods"
"""The sink of what sitemaps say; no file has that name, nor can a rule."""

MAX_CHARS = 64

_PART_OF_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_FRACTION = re.compile(r":[0-9]{2}[.,][0-9]")
_SECONDS = re.compile(r":[0-9]{2}:[0-9]{2}|T[0-9]{6}")
_LATEST_ZONE = timedelta(hours=12)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Said(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a sitemap says of one URL."""

    fingerprint: int  #: of the URL, with the key of the crawl
    at: float  #: when it changed, at the latest; wall time
    lastmod: str  #: as written


def said_line(links: Iterable[Link], lines: Iterable[SitemapLine]) -> bytes | None:
    """What a sitemap says of the pages that it may speak for, as a line of JSON; None for nothing."""
    lastmods = {line.url: line.lastmod for line in lines if line.lastmod}
    said = []
    for link in links if lastmods else ():
        lastmod = lastmods.get(link.url)
        if lastmod and (at := moment(lastmod)) is not None:
            said.append(Said(link.fingerprint, at, lastmod))
    return msgspec.json.encode(said) if said else None


def moment(lastmod: str) -> float | None:
    """The last moment that it can mean, as wall time; None if it is no date."""
    if len(lastmod) > MAX_CHARS:
        return None
    text = lastmod.strip()
    try:
        if found := _PART_OF_DATE.fullmatch(text):
            year, month, day = found.groups()
            return _seconds(_end_of(int(year), int(month) if month else None, int(day) if day else None))
        is_iso = text[:4].isdecimal() and "W" not in text
        time = datetime.fromisoformat(text) if is_iso else parsedate_to_datetime(text)
        return _seconds(time if time.tzinfo else time.replace(tzinfo=UTC) + _LATEST_ZONE) + _left_open_s(text)
    except (ValueError, OverflowError, TypeError):
        return None


def _end_of(year: int, month: int | None, day: int | None) -> datetime:
    """Of a year, a month or a day, where that ends last."""
    if month is None:
        after = date(year + 1, 1, 1)
    elif day is None:
        after = (date(year, month, 28) + timedelta(days=4)).replace(day=1)
    else:
        after = date(year, month, day) + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=UTC) + _LATEST_ZONE


def _left_open_s(text: str) -> float:
    """How much later than its digits say a time may be."""
    if _FRACTION.search(text):
        return 0.0
    return 1.0 if _SECONDS.search(text) else 60.0


def _seconds(time: datetime) -> float:
    return (time - _EPOCH).total_seconds()
