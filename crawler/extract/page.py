"""What does one response amount to: a page with its links and record, a sitemap, a robots.txt, or a failure?

The face of this package, called in parser workers. Pure: bytes in, values out, no clock and no event loop.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from crawler.config import ExtractConfig, ScopeConfig, UrlsConfig
from crawler.errors import UrlError
from crawler.extract import charset, robots, robots_meta, sitemap
from crawler.extract.content import ContentError, decode_content
from crawler.extract.describe import MAX_LINKS, Found, describe
from crawler.extract.html import Document
from crawler.extract.links import Hyperlinks
from crawler.extract.record import LinkLine, LinkRecord, PageRecord, SitemapLine
from crawler.extract.sitemap_links import SitemapLinks
from crawler.extract.targets import Targets
from crawler.models import LINKS, PAGES, SITEMAPS, Kind, Page, ParseFailure
from crawler.scope import Scope
from crawler.url import Base, host

if TYPE_CHECKING:
    from crawler.extract.content import Decoded
    from crawler.models import Request, Response, Url

__all__ = ["Extractor", "LinkLine", "LinkRecord", "PageRecord", "Settings", "SitemapLine"]

# Of its 512 KiB at most, inflated; whatever fetch.max_body says, as only its first 500 KiB are read.
_MAX_ROBOTS_BYTES = 64 * 1024**2
_EMPTY = frozenset((204, 205))  # by their status
_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_UNKNOWN_TYPES = frozenset(("", "unknown/unknown", "application/unknown", "*/*"))
# MIME Sniffing standard, section 7.1: what an unlabelled resource starts with if it is HTML.
_LOOKS_LIKE_HTML = re.compile(
    rb"[\t\n\f\r ]*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]",
    re.IGNORECASE,
)
# NEL, LINE SEPARATOR and PARAGRAPH SEPARATOR: `str.splitlines` and JavaScript end a line there.
_LINE_ENDS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All that an `Extractor` is told; crosses to the workers as msgpack."""

    scope: ScopeConfig = ScopeConfig()
    urls: UrlsConfig = UrlsConfig()
    extract: ExtractConfig = ExtractConfig()
    #: as in `RobotsConfig`
    noindex: bool = True
    nofollow: bool = True
    skip_rel: tuple[str, ...] = ("nofollow",)
    #: whether to make the lines of links.jsonl
    link_lines: bool = False
    #: and those of sitemaps.jsonl
    sitemap_lines: bool = False
    #: most bytes a body may have after content decoding
    max_body_bytes: int = 10 * 1024**2
    #: the crawl's own, see `Frontier.key`
    fingerprint_key: int = 0
    #: product token or User-Agent header, for robots.txt and what pages say to robots
    agent: str = "crawler"


class Extractor:
    """Makes pages of responses, under one configuration. What it remembers of earlier pages makes it faster, no more.

    Raises:
        ConfigError: A pattern of the scope cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scope = Scope(settings.scope)
        self._targets = Targets(settings.urls, settings.fingerprint_key)
        self._product = robots.product_name(settings.agent)
        self._robots_names = robots_meta.meta_names(self._product)
        self._encoder = msgspec.json.Encoder()

    def page(self, request: Request, response: Response) -> Page | ParseFailure:
        """What `response` amounts to. Never raises: the unexpected becomes a ``parse_error``."""
        try:
            return self._page(request, response)
        except ContentError as error:
            return ParseFailure(reason=error.reason, detail=error.detail)
        except MemoryError:
            return ParseFailure(reason="parse_memory", detail="out of memory in the parser")
        except Exception as error:  # noqa: BLE001 - whatever a page provokes must fail that page only
            return ParseFailure(reason="parse_error", detail=f"{type(error).__name__}: {error}"[:500])

    def _page(self, request: Request, response: Response) -> Page:
        encoding = response.header(b"content-encoding")
        if request.kind is Kind.ROBOTS:
            return self._robots(decode_content(response.body, encoding, _MAX_ROBOTS_BYTES))
        if request.kind is Kind.SITEMAP and response.status not in _EMPTY:
            return self._sitemap(
                request, response, decode_content(response.body, encoding, sitemap.MAX_BYTES, cut=True)
            )
        body = decode_content(response.body, encoding, self._settings.max_body_bytes)
        if response.status in _EMPTY:
            return Page(reason="empty", body_bytes=len(body.data))
        content_type = response.header(b"content-type")
        if not _is_html(content_type, body.data):
            return Page(reason="not_html", body_bytes=len(body.data))
        return self._html_page(request, response, content_type, body)

    def _robots(self, body: Decoded) -> Page:
        if body.truncated and len(body.data) < robots.MAX_BODY_BYTES:
            raise ContentError("bad_encoding", "the compressed robots.txt ends early: what it forbids is unknown")
        return Page(robots=robots.parse(body.data, self._settings.agent), body_bytes=len(body.data))

    def _sitemap(self, request: Request, response: Response, body: Decoded) -> Page:
        settings = self._settings
        is_cut = body.truncated or len(response.body) >= settings.max_body_bytes
        listed = sitemap.parse(body.data, response.header(b"content-type"), host(request.url), is_cut=is_cut)
        links = SitemapLinks(listed, request, self._scope, settings.urls, settings.fingerprint_key)
        records: tuple[tuple[str, bytes], ...] = ()
        if settings.sitemap_lines and links.lines:
            records = ((SITEMAPS, one_line(self._encoder.encode_lines(links.lines)[:-1])),)
        return Page(
            links=links.followed,
            records=records,
            refusals=links.refusals,
            reason="sitemap",
            body_bytes=len(body.data),
        )

    def _html_page(self, request: Request, response: Response, content_type: str | None, body: Decoded) -> Page:
        settings = self._settings
        text = charset.decode(body.data, content_type)
        document = Document(text.utf8, want_text=settings.extract.text == "all")
        head = document.head(self._robots_names)
        asked = robots_meta.asked(response.headers, head.robots, self._product)
        base_url = response.url if head.base_href is None else self._base_url(response.url, head.base_href)
        scope = self._scope.for_page(request.scope_host, request.depth + 1)
        targets = self._targets.of_page(base_url, scope)
        hyperlinks = Hyperlinks(
            document,
            targets,
            skip_rel=settings.skip_rel,
            nofollow=asked.nofollow and settings.nofollow,
        )
        records: tuple[tuple[str, bytes], ...] = ()
        unwanted = asked.noindex and settings.noindex
        if not unwanted:
            canonical = targets.url(head.canonical_href) if head.canonical_href is not None else None
            wanted = settings.extract.links or settings.link_lines
            links, more_links = hyperlinks.records(MAX_LINKS) if wanted else (None, False)
            found = Found(body, text, document, head, canonical, hyperlinks.n_links, links, more_links)
            records = self._records(describe(request, response, content_type, found, settings.extract), links)
        return Page(
            links=hyperlinks.followed,
            records=records,
            refusals=hyperlinks.refusals,
            reason="noindex" if unwanted else None,
            body_bytes=len(body.data),
        )

    def _records(self, record: PageRecord, links: tuple[LinkRecord, ...] | None) -> tuple[tuple[str, bytes], ...]:
        """The page's own line, and one a link where asked for, with newlines between them only."""
        page = (PAGES, one_line(self._encoder.encode(record)))
        if not (self._settings.link_lines and links):
            return (page,)
        lines = [LinkLine(record.url, link.url, link.text, link.rel) for link in links]
        return (page, (LINKS, one_line(self._encoder.encode_lines(lines)[:-1])))

    def _base_url(self, url: Url, href: str) -> Url:
        """The page's base URL under a ``<base href>``: its own, unless `href` names another http(s) one."""
        try:
            return Base(url, self._settings.urls).join(href)
        except UrlError:
            return url  # browsers fall back likewise


def _is_html(content_type: str | None, body: bytes) -> bool:
    """By its label; unlabelled, by what it starts with."""
    labelled = _is_labelled_html(content_type or "")
    if labelled is None:
        return _LOOKS_LIKE_HTML.match(body.removeprefix(b"\xef\xbb\xbf")) is not None
    return labelled


@lru_cache(maxsize=64)  # a site has one or two
def _is_labelled_html(content_type: str) -> bool | None:
    """What its label says of it; None for no label, or one that browsers do not believe."""
    essence = content_type.partition(";")[0].strip().lower()
    if essence in _HTML_TYPES:
        return True
    return None if essence in _UNKNOWN_TYPES or "/" not in essence else False


def one_line(line: bytes) -> bytes:
    """`line` of JSON with the line ends escaped that JSON allows in strings and line readers may split at.

    Its newlines stay: within a value JSON has none.
    """
    if not line.isascii():
        for raw, escaped in _LINE_ENDS:
            if raw[-1] in line:  # a tenth of the time of looking for all of it
                line = line.replace(raw, escaped)
    return line
