"""What has been found to be a trap, and by what? The evidence, as stored and as told."""

from __future__ import annotations

import msgspec

from crawler.traps.shapes import Kind


class Counted(msgspec.Struct, kw_only=True, array_like=True):
    """What speaks for a trap and against it."""

    #: repeats that were found on repeats; of a session id, pages that said the same under another one
    repeats: int = 0
    #: that said something new, of those found on repeats
    fresh: int = 0
    #: different contents among the repeats
    contents: int = 0
    examples: list[str] = []  #: URLs of repeats, the newest last


class Verdict(msgspec.Struct, kw_only=True):
    """A pattern that is stopped."""

    site: str  #: registrable domain, or host
    pattern: str  #: ``shop.example.org/list?{page}``
    kind: Kind
    evidence: str  #: in words, with counts
    examples: tuple[str, ...] = ()  #: at most three URLs
    excluded: int = 0  #: URLs that were not requested for it


_WHAT = {
    Kind.CALENDAR: "say the same but for numbers and dates, and lead nowhere new",
    Kind.PAGINATION: "say the same but for numbers, and list nothing new",
    Kind.FACETS: "are choices from the same lists that show what others had shown",
    Kind.DEEP: "lie ever deeper and say the same but for numbers",
    Kind.MIRRORS: "of several hosts say what others had said",
    Kind.SAME_PAGE: "say what others had said, word for word",
}


def evidence(kind: Kind, counted: Counted) -> str:
    """Why a pattern is stopped, in words."""
    repeats = f"{counted.repeats:,} pages"
    if kind is Kind.SESSION:
        return f"{repeats} said the same under another value of it, {counted.fresh:,} did not"
    several = "1 content" if counted.contents == 1 else f"{counted.contents:,} contents"
    return (
        f"{repeats} found on repeats {_WHAT[kind]}: {several} again and again; "
        f"{counted.fresh:,} found there said something new"
    )
