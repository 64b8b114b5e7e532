"""What may a sitemap list, and how much of it?"""

from __future__ import annotations

from typing import Literal, NamedTuple

MAX_ENTRIES = 50_000
"""The protocol's limit of one file; further entries are only counted. As many alternates are kept besides."""

EntryKind = Literal["url", "sitemap", "alternate"]
"""A page, another sitemap, or a page's version in another language (``xhtml:link rel=alternate``)."""


class Entry(NamedTuple):
    """One thing that a sitemap lists; absent values are None."""

    url: str  #: as written, without white space around it; empty if there is none
    kind: EntryKind = "url"
    lastmod: str | None = None  #: as written: a W3C date, or in RSS one of RFC 822
    changefreq: str | None = None
    priority: float | None = None  #: 0 to 1


class Listing:
    """Entries as they come, no more than may be kept."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        #: how many came beyond the limit
        self.beyond = 0
        self._room = MAX_ENTRIES
        self._room_for_alternates = MAX_ENTRIES

    @property
    def is_full(self) -> bool:
        """Whether further entries, but for alternates, are only counted."""
        return not self._room

    def add(self, entry: Entry) -> None:
        """Take in one more."""
        if entry.kind == "alternate":
            room = self._room_for_alternates
            self._room_for_alternates -= room > 0
        else:
            room = self._room
            self._room -= room > 0
        if room:
            self.entries.append(entry)
        else:
            self.beyond += 1
