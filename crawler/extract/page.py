"""What does one response amount to: a page with its links and record, a sitemap, a robots.txt, or a failure?

The face of this package, called in parser workers. Pure: bytes in, values out, no clock and no event loop.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import HookError
from crawler.extract import mime, robots, robots_meta, sitemap
from crawler.extract.content import ContentError, decode_content, fair_bytes
from crawler.extract.data_page import data_kind, read_data, why_cut
from crawler.extract.describe import digest
from crawler.extract.html_page import HtmlPage, Means
from crawler.extract.lastmod import LASTMODS, said_line
from crawler.extract.marks import is_looked_at, leads, marks
from crawler.extract.parsed import parsed_of
from crawler.extract.record import LinkLine, LinkRecord, PageRecord, SitemapLine, one_line
from crawler.extract.settings import Settings
from crawler.extract.sitemap_links import SitemapLinks
from crawler.models import SITEMAPS, Kind, Page, ParseFailure
from crawler.reasons import SAME_CONTENT
from crawler.scope import Scope
from crawler.url import host

if TYPE_CHECKING:
    from crawler.extract.content import Decoded
    from crawler.extract.data_page import DataKind
    from crawler.extract.scraping import Scraping
    from crawler.marks import Marks
    from crawler.models import Fill, Link, Request, Response

__all__ = ["Extractor", "LinkLine", "LinkRecord", "PageRecord", "Settings", "SitemapLine"]

_EMPTY = frozenset((204, 205))  # by their status
_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_UNKNOWN_TYPES = frozenset((None, "unknown/unknown", "application/unknown", "*/*"))
# MIME Sniffing standard, section 7.1: what an unlabelled resource starts with if it is HTML.
_LOOKS_LIKE_HTML = re.compile(
    rb"[\t\n\f\r ]*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]",
    re.IGNORECASE,
)


class Extractor:
    """Makes pages of responses, under one configuration. What it remembers of earlier pages makes it faster, no more.

    Raises:
        ConfigError: A pattern of the scope cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scope = Scope(settings.scope)
        self._means = Means(settings, self._scope)
        self._encoder = msgspec.json.Encoder()
        self._scraping = _scraping(settings) if self._means.has_scraping else None

    def page(self, request: Request, response: Response) -> Page | ParseFailure:
        """What `response` amounts to. Never raises: the unexpected becomes a ``parse_error``."""
        try:
            return self._page(request, response)
        except ContentError as error:
            return ParseFailure(reason=error.reason, detail=error.detail)
        except HookError as error:
            return ParseFailure(reason="parse_error", detail=str(error))
        except MemoryError:
            return ParseFailure(reason="parse_memory", detail="out of memory in the parser")
        except Exception as error:  # noqa: BLE001 - whatever a page provokes must fail that page only
            return ParseFailure(reason="parse_error", detail=f"{type(error).__name__}: {error}"[:500])

    def _page(self, request: Request, response: Response) -> Page:
        encoding = _all(response, b"content-encoding")
        if request.kind is Kind.ROBOTS:
            return self._robots(decode_content(response.body, encoding, robots.MAX_BODY_BYTES, cut=True))
        if request.kind is Kind.SITEMAP and response.status not in _EMPTY:
            return self._sitemap(request, response, encoding)
        settings = self._settings
        body = decode_content(response.body, encoding, settings.max_body_bytes, max_ratio=settings.max_ratio)
        if response.status in _EMPTY:
            return Page(reason="empty", body_bytes=len(body.data))
        content_type = _all(response, b"content-type")
        if _is_html(response, content_type, body.data):
            return self._html_page(request, response, content_type, body)
        kind = data_kind(content_type or "")
        if self._scraping is None or kind is None or kind not in self._scraping.kinds:
            return Page(reason="not_html", body_bytes=len(body.data))
        return self._data_page(self._scraping, request, response, kind, body)

    def _robots(self, body: Decoded) -> Page:
        if body.truncated and len(body.data) < robots.MAX_BODY_BYTES:
            raise ContentError("bad_encoding", "the compressed robots.txt ends early: what it forbids is unknown")
        return Page(robots=robots.parse(body.data, self._settings.agent), body_bytes=len(body.data))

    def _sitemap(self, request: Request, response: Response, encoding: str | None) -> Page:
        settings = self._settings
        limit = fair_bytes(len(response.body), sitemap.MAX_BYTES, settings.max_ratio)
        body = decode_content(response.body, encoding, limit, cut=True)
        is_cut = body.truncated or len(response.body) >= settings.max_body_bytes
        listed = sitemap.parse(
            body.data, _all(response, b"content-type"), host(request.url), limit=limit, is_cut=is_cut
        )
        links = SitemapLinks(listed, request, self._scope, settings.urls, settings.fingerprint_key)
        records: tuple[tuple[str, bytes], ...] = ()
        if settings.sitemap_lines and links.lines:
            records = ((SITEMAPS, one_line(self._encoder.encode_lines(links.lines)[:-1])),)
        if settings.lastmods and (said := said_line(links.followed, links.lines)):
            records += ((LASTMODS, said),)
        return Page(
            links=links.followed,
            records=records,
            refusals=links.refusals,
            reason="sitemap",
            body_bytes=len(body.data),
        )

    def _html_page(self, request: Request, response: Response, content_type: str | None, body: Decoded) -> Page:
        found = ""
        if request.known is not None and request.known.digest:
            found = digest(body)
            if found == request.known.digest and _may_stay(request, response):
                return Page(reason=SAME_CONTENT, body_bytes=len(body.data))
        page = HtmlPage(self._means, request, response, content_type, body, digest=found)
        links, refusals, pictures = page.hyperlinks.followed, page.hyperlinks.refusals, page.pictures()
        records = page.records()  # from now on the document may lack something
        fills: tuple[Fill, ...] = ()
        if self._scraping is not None:
            text, tree = page.text.text, page.document.tree
            parsed = parsed_of(request, response, page.base_url, "html", text=text, tree=tree)
            taken = self._scraping.take(
                parsed,
                page.targets,
                page.hyperlinks,
                is_unwanted=page.is_unwanted,
                nofollow=page.nofollow,
                problem=why_cut(body),
            )
            links, fills = taken.links, taken.fills
            records, refusals = records + taken.records, refusals + taken.refusals
        return Page(
            links=links + pictures,
            records=records,
            refusals=refusals,
            reason="noindex" if page.is_unwanted else None,
            body_bytes=len(body.data),
            fills=fills,
            needs_js=page.needs_js,
            marks=self._marks(request, page, links),
        )

    def _marks(self, request: Request, page: HtmlPage, links: tuple[Link, ...]) -> Marks | None:
        """Of few pages, unless their site is watched. The document is of no use to anybody else afterwards."""
        depth = self._settings.trap_depth
        if not depth or not (request.watched or is_looked_at(request.url)):
            return None
        return marks(request, page.document.tree, leads(request.url, links, depth))

    def _data_page(
        self, scraping: Scraping, request: Request, response: Response, kind: DataKind, body: Decoded
    ) -> Page:
        """A JSON or XML response. It has no record of its own; what its headers ask of robots holds all the same."""
        means, settings = self._means, self._settings
        asked = robots_meta.asked(response.headers, (), means.product)
        is_unwanted, nofollow = asked.noindex and settings.noindex, asked.nofollow and settings.nofollow
        data = read_data(kind, body, _all(response, b"content-type"))
        parsed = parsed_of(request, response, response.url, kind, text=data.text, value=data.value)
        targets = means.targets.of_page(response.url, means.scope.for_page(request.scope_host, request.depth + 1))
        taken = scraping.take(parsed, targets, is_unwanted=is_unwanted, nofollow=nofollow, problem=data.problem)
        return Page(
            links=taken.links,
            records=taken.records,
            refusals=taken.refusals,
            reason="noindex" if is_unwanted else "not_html",
            body_bytes=len(body.data),
            fills=taken.fills,
        )


def _may_stay(request: Request, response: Response) -> bool:
    """Whether what was made of the same body in an earlier generation is what would be made of it now. Not so where
    headers say something to robots, which they may not have said then, and where marks are wanted, which are not kept.
    """
    return not request.watched and response.header(b"x-robots-tag") is None


def _scraping(settings: Settings) -> Scraping:
    """What rules and the user's own function do; imported only where there are any."""
    from crawler.extract.scraping import Scraping  # noqa: PLC0415

    return Scraping(settings)


def _all(response: Response, name: bytes) -> str | None:
    """What all headers of that name say, as one list; None if there is none."""
    values = response.values(name)
    return ", ".join(values) if values else None


def _is_html(response: Response, content_type: str | None, body: bytes) -> bool:
    """By its label; without one that browsers believe, by what it starts with, unless they are told not to look."""
    essence = mime.read(content_type or "").essence
    if essence in _HTML_TYPES:
        return True
    if essence not in _UNKNOWN_TYPES or (response.header(b"x-content-type-options") or "").lower() == "nosniff":
        return False
    return _LOOKS_LIKE_HTML.match(body.removeprefix(b"\xef\xbb\xbf")) is not None
