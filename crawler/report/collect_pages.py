"""What does pages.jsonl say of a crawl as a whole? Each page, counted.

Of each record only what is needed is decoded: a record of 4 KB takes about 15 us.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from crawler.models import LINKS, PAGES
from crawler.report.bounded import Counts, Largest
from crawler.report.duplicates import Digests
from crawler.report.facts import Duplicates, PageFacts
from crawler.report.timeline import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.report.collect_hosts import HostCounts
    from crawler.report.dead import DeadLinks
    from crawler.report.depths import Depths
    from crawler.report.source import Sources
    from crawler.report.timeline import Steps

MAX_LISTED = 20
MAX_KINDS = 200
OTHERS = "(others)"
_MAX_TITLE = 200
_MAX_TRAITS = 10_000

_Traits = tuple[int, int, str | None, str | None, str | None, bool | None, tuple[str, ...]]


class _Target(msgspec.Struct, gc=False):
    url: str


class _Page(msgspec.Struct, gc=False):
    """What is read of a line; see `crawler.extract.record.PageRecord`."""

    url: str
    status: int
    depth: int
    fetched_at: datetime
    elapsed_s: float
    content_type: str | None
    charset: str | None
    body_bytes: int
    content_digest: str | None
    title: str | None
    lang: str | None
    lang_detected: str | None
    needs_js: bool | None
    truncated: tuple[str, ...]


class _Linking(_Page, gc=False):
    """The same with its links."""

    links: tuple[_Target, ...] | None


class _Link(msgspec.Struct, gc=False):
    """What is read of a line of links.jsonl."""

    source: str
    target: str


class Pages:
    """The pages of a crawl.

    Args:
        hosts, steps, depths: As those of `collect_ends.Ends`.
        since: Wall time at which the crawl began. What was fetched before is a record of an earlier generation's, which
            says nothing of how fast this one was.
    """

    def __init__(self, hosts: HostCounts, steps: Steps, depths: Depths, *, since: float = 0.0) -> None:
        self._since = since
        self._hosts = hosts
        self._steps = steps
        self._depths = depths
        self.count = 0
        #: of an earlier generation, and the length of their bodies
        self.older = 0
        self.older_bytes = 0
        self.needs_js = 0
        #: of how many nobody kept the links
        self.without_links = 0
        self.without_digest = 0
        self.statuses: Counts[int] = Counts(1_000, 0)
        self.content_types: Counts[str] = Counts(MAX_KINDS, OTHERS)
        self.charsets: Counts[str] = Counts(MAX_KINDS, OTHERS)
        self.languages: Counts[str] = Counts(MAX_KINDS, OTHERS)
        self.truncated: Counts[str] = Counts(MAX_KINDS, OTHERS)
        self.duplicates = Duplicates()
        self._traits: dict[_Traits, int] = {}
        self._biggest: Largest[PageFacts] = Largest(MAX_LISTED)
        self._slowest: Largest[PageFacts] = Largest(MAX_LISTED)

    def read(self, sources: Sources, dead: DeadLinks) -> None:
        """Count all of them, and find those that link to what is not there."""
        with Digests() as digests:
            if dead.followed:
                for linking in sources.records(PAGES, _Linking):
                    self._take(linking, digests)
                    self._look_for(dead, linking)
            else:
                for pages in sources.records(PAGES, _Page):
                    self._take(pages, digests)
            self._add_up()
            self.duplicates = digests.told()
            if digests.problem is not None:
                sources.remarks.append(f"Which pages are duplicates is not known: {digests.problem}.")
        if self.without_links:
            for links in sources.records(LINKS, _Link):
                for link in links:
                    if link.target in dead.followed:
                        dead.linked(link.target, link.source)

    @property
    def biggest(self) -> tuple[PageFacts, ...]:
        """Those with the longest bodies, the longest first."""
        return self._biggest.things()

    @property
    def slowest(self) -> tuple[PageFacts, ...]:
        """Those that took longest, the slowest first."""
        return self._slowest.things()

    def _look_for(self, dead: DeadLinks, pages: Iterable[_Linking]) -> None:
        followed = dead.followed
        for page in pages:
            if page.links is None:
                self.without_links += 1
            else:
                for url in [link.url for link in page.links if link.url in followed]:
                    dead.linked(url, page.url)

    def _take(self, pages: Iterable[_Page], digests: Digests) -> None:
        traits, biggest, slowest = self._traits, self._biggest, self._slowest
        for page in pages:
            url, elapsed_s, body_bytes = page.url, page.elapsed_s, page.body_bytes
            host = self._hosts.of_url(url)
            host.pages += 1
            host.body_bytes += body_bytes
            fetched_at = page.fetched_at.timestamp()
            if is_older := fetched_at < self._since:
                self.older += 1
                self.older_bytes += body_bytes
            else:
                host.latency.add(elapsed_s)
                self._steps.add(fetched_at + elapsed_s, PAGE, body_bytes)
            if page.content_digest is not None:
                digests.add(page.content_digest, url)
            else:
                self.without_digest += 1
            if body_bytes >= biggest.floor:
                biggest.add(body_bytes, url, _facts(page))
            if elapsed_s >= slowest.floor and not is_older:
                slowest.add(elapsed_s, url, _facts(page))
            kind = (
                page.depth,
                page.status,
                page.content_type,
                page.charset,
                page.lang_detected or page.lang,
                page.needs_js,
                page.truncated,
            )
            traits[kind] = traits.get(kind, 0) + 1
        if len(traits) > _MAX_TRAITS:
            self._add_up()

    def _add_up(self) -> None:
        """Count what pages have in common by each trait: many have all of them in common."""
        for (depth, status, content_type, charset, lang, needs_js, truncated), count in self._traits.items():
            self.count += count
            self._depths.page(depth, count)
            self.statuses.add(status, count)
            self.content_types.add((content_type or "").partition(";")[0].strip().lower()[:100], count)
            self.charsets.add(charset or "", count)
            self.languages.add(_language(lang), count)
            self.needs_js += count * bool(needs_js)
            for key in truncated:
                self.truncated.add(key, count)
        self._traits.clear()


def _language(lang: str | None) -> str:
    """The language of a tag such as ``en-GB`` (RFC 5646 section 2.2.1); empty if it is none."""
    primary = (lang or "").replace("_", "-").partition("-")[0].strip().lower()
    return primary if 2 <= len(primary) <= 3 and primary.isascii() and primary.isalpha() else ""


def _facts(page: _Page) -> PageFacts:
    return PageFacts(
        url=page.url,
        body_bytes=page.body_bytes,
        elapsed_s=page.elapsed_s,
        title=(page.title or "")[:_MAX_TITLE],
    )
