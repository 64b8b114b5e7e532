"""Of which URL is a line of a crawl's files, and what does it tell of that URL's content?"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from crawler.models import LINKS, PAGES, SITEMAPS
from crawler.sinks import FILES

CUT = ""
"""The digest of a body that was cut short: what comes next may be all of it, whatever its validators say."""


class Told(NamedTuple):
    """What a line tells of the URL that it is of."""

    url: str
    digest: str | None = None  #: of its content, or `CUT`
    fetched_at: str | None = None


class ScrapedLine(msgspec.Struct, frozen=True, gc=False):
    """What every line has that a rule or a function made of a page."""

    url: str = msgspec.field(name="_url")
    fetched_at: str | None = msgspec.field(name="_fetched_at", default=None)

    def told(self) -> Told:
        """Of which URL."""
        return Told(self.url, None, self.fetched_at)


class _PageLine(msgspec.Struct, frozen=True, gc=False):
    """What one of pages.jsonl has."""

    url: str
    content_digest: str | None = None
    fetched_at: str | None = None
    truncated: tuple[str, ...] = ()

    def told(self) -> Told:
        """Of which URL."""
        return Told(self.url, CUT if "body" in self.truncated else self.content_digest, self.fetched_at)


class _FileLine(msgspec.Struct, frozen=True, gc=False):
    """What one of files.jsonl has."""

    url: str
    fetched_at: str | None = None
    truncated: tuple[str, ...] = ()

    def told(self) -> Told:
        """Of which URL."""
        return Told(self.url, CUT if "body" in self.truncated else None, self.fetched_at)


class _LinkLine(msgspec.Struct, frozen=True, gc=False):
    """What one of links.jsonl has."""

    source: str

    def told(self) -> Told:
        """Of which URL."""
        return Told(self.source)


class _SitemapLine(msgspec.Struct, frozen=True, gc=False):
    """What one of sitemaps.jsonl has."""

    sitemap: str

    def told(self) -> Told:
        """Of which URL."""
        return Told(self.sitemap)


Kind = type[_PageLine] | type[_FileLine] | type[_LinkLine] | type[_SitemapLine] | type[ScrapedLine]
KINDS: dict[str, Kind] = {PAGES: _PageLine, FILES: _FileLine, LINKS: _LinkLine, SITEMAPS: _SitemapLine}
