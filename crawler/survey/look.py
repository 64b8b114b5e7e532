"""What is a site made of? Looks at the page one would begin with and at a few that it leads to, as a crawl would.

Each request is one of `Survey`: in its turn, and never for what robots.txt disallows. Which pages, `shapes` chooses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from crawler.errors import CrawlerError
from crawler.models import PAGES, Kind, Page, Request, Response, Robots
from crawler.survey.facts import HostFacts
from crawler.survey.shapes import Choice
from crawler.url import Url, canonicalize, host_key, origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.clock import Clock
    from crawler.survey.ask import Survey

MAX_PAGES: Final = 6
"""Looked at besides the first."""
PATIENCE_S: Final = 45.0
"""No page is asked for later than that after the first."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A page that was looked at."""

    request: Request
    response: Response
    page: Page
    #: its line of pages.jsonl; empty if it has none
    record: dict[str, Any] = {}

    @property
    def url(self) -> Url:
        """Canonical, of the request that was answered."""
        return self.request.url

    @property
    def links(self) -> list[Url]:
        """All of its links, in scope or not."""
        return [Url(link["url"]) for link in self.record.get("links") or ()]

    @property
    def data(self) -> tuple[Any, ...]:
        """The values of its JSON-LD."""
        return tuple(self.record.get("json_ld") or ())

    @property
    def is_rich(self) -> bool:
        """Whether it describes anything for search engines."""
        return bool(self.data or self.record.get("microdata"))


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a site."""

    #: as asked for
    given: str
    #: robots.txt and sitemaps of the host that the first page is on
    host: HostFacts
    #: the first one first
    pages: tuple[Seen, ...]
    #: URL and reason of those that could not be looked at
    failed: tuple[tuple[str, str], ...] = ()
    #: a sitemap that nobody names, at its usual place; None if there is none
    unnamed_sitemap: Url | None = None
    #: whether there was no time for more pages, as the site is to be asked slowly
    is_cut: bool = False

    @property
    def start(self) -> Seen:
        """The page a crawl begins with."""
        return self.pages[0]

    @property
    def answer_s(self) -> float:
        """How long it took to answer, on average."""
        return sum(seen.response.elapsed_s for seen in self.pages) / len(self.pages)


class NothingSeenError(CrawlerError):
    """The first page cannot be looked at.

    Args:
        url: Of the request that led to nothing.
        reason: Of `reasons.REASONS`, with or without details; ``not_html`` comes with the type of what is there.
        robots: What robots.txt says, where it is the reason.
    """

    def __init__(self, url: str, reason: str, robots: Robots = Robots()) -> None:  # noqa: B008 - frozen
        super().__init__(url, reason)
        self.url, self.reason, self.robots = url, reason, robots


async def look(survey: Survey, clock: Clock, seed: Request, tell: Callable[[str], None]) -> SiteFacts:
    """Look at the site that `seed` leads to.

    Args:
        survey: Whose configuration keeps JSON-LD and links in records.
        clock: As of `survey`.
        seed: Of a page.
        tell: Told what is asked for next.

    Raises:
        NothingSeenError: There is no page to begin with.
        CrawlerError: The parser pool failed, or this machine can open no more connections.
    """
    tell(seed.url)
    start = await _start(survey, seed)
    home = start.request
    tell(f"{origin(home.url)}/robots.txt and sitemaps")
    host = await survey.host(home.host_key, [home])
    unnamed = None
    if not host.sitemaps.known:
        usual = _sitemap_request(home)
        found = await survey.host(home.host_key, [home, usual])
        if found.sitemaps.read:
            host, unnamed = found, usual.url
    site = _Site(survey, clock.monotonic() + PATIENCE_S, start, host)
    await site.look_around(tell)
    return SiteFacts(
        given=seed.seed,
        host=host,
        pages=tuple(site.pages),
        failed=tuple(site.failed),
        unnamed_sitemap=unnamed,
        is_cut=site.is_cut,
    )


class _Site:
    """What has been seen."""

    def __init__(self, survey: Survey, until: float, start: Seen, host: HostFacts) -> None:
        self._survey, self._until = survey, until
        self._choice = Choice()
        self.pages = [start]
        self.failed: list[tuple[str, str]] = []
        self.is_cut = False
        self._choice.saw(start.url, is_rich=start.is_rich)
        self._choice.add(link.url for link in start.page.links)
        self._choice.add(Url(url) for url in host.sitemaps.sample)

    async def look_around(self, tell: Callable[[str], None]) -> None:
        tried = 0
        while len(self.pages) <= MAX_PAGES and tried < 2 * MAX_PAGES and (url := self._choice.next()) is not None:
            tried += 1
            tell(url)
            seen = await _seen(self._survey, _page_request(self.pages[0].request, url), self._until)
            if seen is None:
                self.is_cut = True
                return
            if isinstance(seen, str):
                self._choice.saw(url, is_rich=False)
                self.failed.append((url, seen))
            elif seen.url not in {page.url for page in self.pages}:
                self._choice.saw(seen.url, is_rich=seen.is_rich)
                self._choice.add(link.url for link in seen.page.links)
                self.pages.append(seen)


async def _start(survey: Survey, seed: Request) -> Seen:
    found = await survey.answer(seed, float("inf"))
    if isinstance(found, str):
        facts = await survey.robots(seed)
        asked = seed.url if facts.closed is None else f"{facts.origin}/robots.txt"
        raise NothingSeenError(asked, found, facts.robots)
    if found is None:
        raise NothingSeenError(seed.url, "timeout")
    seen = await _parsed(survey, *found)
    if isinstance(seen, str):
        raise NothingSeenError(found[0].url, seen)
    return seen


async def _seen(survey: Survey, request: Request, until: float) -> Seen | str | None:
    found = await survey.answer(request, until)
    return found if found is None or isinstance(found, str) else await _parsed(survey, *found)


async def _parsed(survey: Survey, request: Request, response: Response) -> Seen | str:
    """A page; or a reason why an answer is none."""
    page = await survey.parsed(request, response)
    if not isinstance(page, Page):
        return page.reason
    if page.reason not in (None, "noindex"):
        kind = response.header(b"content-type")
        return f"{page.reason}: {kind}" if page.reason == "not_html" and kind else str(page.reason)
    lines = (msgspec.json.decode(line, type=dict[str, Any]) for sink, line in page.records if sink == PAGES)
    return Seen(request=request, response=response, page=page, record=next(lines, {}))


def _page_request(home: Request, url: Url) -> Request:
    return msgspec.structs.replace(
        home, url=url, host_key=host_key(url), depth=1, via=home.url, attempt=1, redirected_from=()
    )


def _sitemap_request(home: Request) -> Request:
    url = canonicalize(f"{origin(home.url)}/sitemap.xml")
    return msgspec.structs.replace(home, url=url, kind=Kind.SITEMAP, attempt=1, redirected_from=())
