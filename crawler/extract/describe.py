"""What does the record of a page say? Puts together what the other modules found, and keeps every field in bounds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from crawler.clock import rfc3339
from crawler.extract.features import features_of
from crawler.extract.html import heading_of
from crawler.extract.record import PageRecord
from crawler.extract.text import collapsed_ascii, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crawler.config import ExtractConfig
    from crawler.extract.charset import Text
    from crawler.extract.content import Decoded
    from crawler.extract.head import Head
    from crawler.extract.html import Document
    from crawler.extract.links import Hyperlinks
    from crawler.extract.record import LinkRecord
    from crawler.extract.targets import PageTargets
    from crawler.models import Request, Response, Url

MAX_LINKS = 10_000
MAX_TEXT_CHARS = 4 * 1024**2
MAX_LINE_CHARS = 4_000
"""Of the title, the description and each h1."""
MAX_H1 = 100
MAX_HEADER_CHARS = 64 * 1024
"""Of all headers kept."""


_FIELDS = ("body", "nesting", "attributes", *PageRecord.__struct_fields__)


class Found(NamedTuple):
    """All that was learnt of one HTML body."""

    url: Url  #: of the request
    body: Decoded
    text: Text
    document: Document
    head: Head
    targets: PageTargets  #: what URLs on it mean
    hyperlinks: Hyperlinks
    links: tuple[LinkRecord, ...] | None  #: at most `MAX_LINKS`; None where nobody asks
    more_links: bool
    needs_js: bool
    count_words: Callable[[], int]  #: those of all its text; no text may be taken from the document afterwards
    digest: str = ""  #: of `body`, where somebody has asked for it before


def describe(
    request: Request, response: Response, content_type: str | None, found: Found, extract: ExtractConfig
) -> PageRecord:
    """The record of the page that `response` brought under `content_type`, as `extract` wants it."""
    body, text, document, head = found.body, found.text, found.document, found.head
    cut = Cutter(found)
    features = features_of(found, extract, url=request.url, fetched_at=response.fetched_at)
    structured = features.structured
    for field in features.cut:
        cut.note(field)
    return PageRecord(
        **identity(request, response, content_type, body),
        charset=text.charset,
        charset_source=text.source,
        content_digest=found.digest or digest(body),
        title=title(found, cut),
        description=description(found, cut),
        lang=cut("lang", head.lang),
        lang_detected=features.lang_detected,
        canonical=canonical(found),
        site_name=cut("site_name", features.site_name),
        author=cut("author", features.author),
        published=features.published,
        modified=features.modified,
        h1=cut.h1(document),
        headings=features.headings,
        text=cut("text", features.text, MAX_TEXT_CHARS),
        word_count=features.word_count,
        sentence_count=features.sentence_count,
        reading_s=features.reading_s,
        text_ratio=features.text_ratio,
        fingerprint=features.fingerprint,
        needs_js=found.needs_js,
        n_links=found.hyperlinks.n_links,
        n_internal=features.n_internal,
        n_external=features.n_external,
        n_nofollow=features.n_nofollow,
        links=cut.links(found, extract.links),
        hreflang=features.hreflang,
        feeds=features.feeds,
        images=features.images,
        tables=features.tables,
        json_ld=structured.json_ld,
        opengraph=structured.opengraph,
        twitter=structured.twitter,
        microdata=structured.microdata,
        rdfa=structured.rdfa,
        headers=cut.headers(response.headers, extract.headers) if extract.headers else None,
        html=text.text if extract.html else None,
        truncated=cut.noted(),
    )


def identity(request: Request, response: Response, content_type: str | None, body: Decoded) -> dict[str, Any]:
    """What every record says: what was fetched, and how."""
    return {
        "url": request.url,
        "status": response.status,
        "depth": request.depth,
        "via": request.via,
        "seed": request.seed,
        "redirected_from": request.redirected_from,
        "fetched_at": rfc3339(response.fetched_at),
        "elapsed_s": round(response.elapsed_s, 6),
        "content_type": collapsed_ascii(content_type) if content_type is not None else None,
        "body_bytes": len(body.data),
    }


def digest(body: Decoded) -> str:
    """What tells bodies apart."""
    return f"sha256:{hashlib.sha256(body.data).hexdigest()}"


def title(found: Found, cut: Cutter) -> str | None:
    """The page's title, or what may stand for one."""
    head = found.head
    said: str | None = head.title or visible(head.meta("og:title") or "")
    if not said:  # a heading that is cut here is cut under its own name
        said = next((text[:MAX_LINE_CHARS] for text in headings(found.document)), head.title)
    return cut("title", said)


def description(found: Found, cut: Cutter) -> str | None:
    """What the page says it is about."""
    head = found.head
    return cut("description", head.description or head.meta("og:description") or head.description)


def canonical(found: Found) -> Url | None:
    """The URL the page would rather be known by."""
    href = found.head.canonical_href
    return found.targets.url(href) if href is not None else None


def headings(document: Document) -> Iterator[str]:
    """The texts of its ``<h1>`` elements, of those that have one."""
    return filter(None, map(heading_of, document.h1s[:MAX_H1]))


class Cutter:
    """Keeps fields within bounds, and notes which it had to cut."""

    def __init__(self, found: Found) -> None:
        self._noted: set[str] = {"body"} if found.body.truncated else set()
        if found.document.cut:
            self._noted.update(found.document.cut)

    def __call__(self, field: str, value: str | None, limit: int = MAX_LINE_CHARS) -> str | None:
        """`value` of `field`, at most `limit` characters of it."""
        if value is None or len(value) <= limit:
            return value
        self.note(field)
        return value[:limit]

    def h1(self, document: Document) -> tuple[str, ...]:
        """The headings."""
        if len(document.h1s) > MAX_H1:
            self.note("h1")
        return tuple(filter(None, (self("h1", text) for text in headings(document))))

    def links(self, found: Found, wanted: bool) -> tuple[LinkRecord, ...] | None:  # noqa: FBT001
        """Those for the record, if `wanted`; what is cut in links.jsonl alone is noted too."""
        if found.more_links:
            self.note("links")
        return found.links if wanted else None

    def headers(self, received: Sequence[tuple[bytes, bytes]], wanted: Sequence[str]) -> dict[str, str]:
        """Those whose names are `wanted`, ``*`` being all; repeated ones joined as HTTP does (RFC 9110, 5.3)."""
        names = {name.lower() for name in wanted}
        kept: dict[str, str] = {}
        room = MAX_HEADER_CHARS
        for key, content in received:
            name, value = key.decode("latin-1").lower(), content.decode("latin-1")
            if name not in names and "*" not in names:
                continue
            room -= len(name) + len(value)
            if room < 0:
                self.note("headers")
                break
            separator = "\n" if name == "set-cookie" else ", "
            kept[name] = f"{kept[name]}{separator}{value}" if name in kept else value
        return kept

    def note(self, field: str) -> None:
        """Say that it was cut."""
        self._noted.add(field)

    def noted(self) -> tuple[str, ...]:
        """In the order of the record."""
        return tuple(field for field in _FIELDS if field in self._noted) if self._noted else ()
