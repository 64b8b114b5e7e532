"""Which of a sitemap's entries may enter, how urgent are they, and how deep may sitemaps name each other?

Pages must pass two rules, and are counted as refused by the first that they fail:

1. ``sitemap: other host``. A sitemap speaks for its own host, and for the one whose robots.txt, or index, named it
   (sitemaps.org, "Sitemap file location" and "Sitemaps & Cross Submits"), as well as for the host that the crawl stays
   on. One that was given as a seed, and those it names, may speak for any. By the protocol it speaks only for what lies
   below its folder, and under its scheme and port, too; hardly any site keeps to that, so hosts alone are compared.
2. The scope of the crawl, as for links. Entries are as deep as the sitemap itself: on the level of seeds.

Sitemaps that an index names must pass the first rule alone, as scope patterns are about pages, and be nested no deeper
than `MAX_LEVELS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from crawler.errors import UrlError
from crawler.extract.links import Refused
from crawler.extract.record import SitemapLine
from crawler.extract.sitemap import lacks_scheme
from crawler.extract.sitemap_entries import MAX_ENTRIES
from crawler.models import NORMAL_PRIORITY, SITEMAP_PRIORITY, Kind, Link, Refusal, Url
from crawler.url import Base, fingerprint, host, host_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import UrlsConfig
    from crawler.extract.sitemap import Sitemap
    from crawler.extract.sitemap_entries import Entry
    from crawler.models import Request
    from crawler.scope import Scope

MAX_LEVELS = 3
"""An index of indexes of sitemaps; the protocol knows only two."""

MAX_URL_CHARS = 32 * 1024**2
"""Of all URLs of a sitemap together: 670 for each of as many as it may list."""
TOO_LONG = f"sitemap: beyond {MAX_URL_CHARS // 1024**2} MiB of URLs"

_PRIORITY_SPAN = 40  # of ours, from the least important entries to the most
_TRUSTED = 0x80


class _Standing(NamedTuple):
    """What a sitemap may do; travels in its request's `context` as one byte, which the sitemaps of seeds and of
    robots.txt lack."""

    level: int
    is_trusted: bool  # whether it, or the index of indexes it comes from, was given as a seed

    @classmethod
    def of(cls, request: Request) -> _Standing:
        if not request.context:
            return cls(1, request.via is None)
        byte = request.context[0]
        return cls(byte & ~_TRUSTED, bool(byte & _TRUSTED))

    def below(self) -> bytes:
        """The context of those it names."""
        return bytes((self.level + 1 | _TRUSTED * self.is_trusted,))


class SitemapLinks:
    """The entries of a sitemap, resolved and judged; each URL once, the first entry counts.

    Args:
        sitemap: What was read.
        request: What was asked for.
        scope: Of the crawl.
        rules: How URLs are made canonical.
        key: The crawl's fingerprint key.
    """

    def __init__(self, sitemap: Sitemap, request: Request, scope: Scope, rules: UrlsConfig, key: int) -> None:
        self._key = key
        self._standing = _Standing.of(request)
        self._pages = scope.for_page(request.scope_host, request.depth)
        self._own_host = host(request.url)
        named_by = host(Url(request.via)) if request.via else self._own_host
        self._hosts = {self._own_host, named_by, request.scope_host}
        refused = Refused()
        followed: list[Link] = []
        lines: dict[Url, SitemapLine] = {}
        base = Base(request.url, rules)
        room = MAX_URL_CHARS
        for entry in sitemap.entries:
            if room < 0:
                refused.add(TOO_LONG, entry.url)
                continue
            url = self._url(entry, base)
            if url is None:
                refused.add("bad_url", entry.url or request.url)
            elif url not in lines:
                room -= len(url)
                lines[url] = SitemapLine(request.url, entry.kind, url, entry.lastmod, entry.changefreq, entry.priority)
                rule = self._refusal(entry, url)
                if rule is None:
                    followed.append(self._link(entry, url))
                else:
                    refused.add(rule, url)
        #: those that may enter, in their order
        self.followed = tuple(followed)
        #: what is no http(s) URL or kept out, by rule, and what was not read
        self.refusals = (*refused.refusals(), *_not_read(sitemap, request))
        #: all that are http(s) URLs
        self.lines = list(lines.values())

    def _url(self, entry: Entry, base: Base) -> Url | None:
        if not entry.url:
            return None
        given = f"//{entry.url}" if lacks_scheme(entry.url, self._own_host) else entry.url
        try:
            return base.join(given)
        except UrlError:
            return None

    def _refusal(self, entry: Entry, url: Url) -> str | None:
        name = host(url)
        if not (self._standing.is_trusted or name in self._hosts):
            return "sitemap: other host"
        if entry.kind != "sitemap":
            return self._pages.refusal(url, name)
        return None if self._standing.level < MAX_LEVELS else f"sitemap: below level {MAX_LEVELS}"

    def _link(self, entry: Entry, url: Url) -> Link:
        link = Link(
            url=url, host_key=host_key(url), fingerprint=fingerprint(url, self._key), priority=_band(entry.priority)
        )
        if entry.kind != "sitemap":
            return link
        return replace(link, kind=Kind.SITEMAP, priority=SITEMAP_PRIORITY, context=self._standing.below())


def _band(priority: float | None) -> int:
    """A sitemap's priority, from 0 to 1 and 0.5 if absent, as one of ours, of which the lowest number comes first."""
    return NORMAL_PRIORITY if priority is None else round(NORMAL_PRIORITY + (0.5 - priority) * _PRIORITY_SPAN)


def _not_read(sitemap: Sitemap, request: Request) -> Iterator[Refusal]:
    if sitemap.beyond:
        yield Refusal(rule=f"sitemap: beyond {MAX_ENTRIES} entries", count=sitemap.beyond, examples=(request.url,))
    if sitemap.broken:
        yield Refusal(rule="sitemap: broken off", count=1, examples=(f"{request.url}: {sitemap.broken}",))
