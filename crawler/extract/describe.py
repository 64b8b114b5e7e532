"""What does the record of a page say? Puts together what the other modules found, and keeps every field in bounds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from crawler.clock import rfc3339
from crawler.extract.html import heading_of
from crawler.extract.record import LinkRecord, PageRecord
from crawler.extract.text import collapsed_ascii

if TYPE_CHECKING:
    from crawler.config import ExtractConfig
    from crawler.extract.charset import Text
    from crawler.extract.content import Decoded
    from crawler.extract.head import Head
    from crawler.extract.html import Document
    from crawler.models import Request, Response, Url

MAX_LINKS = 10_000
MAX_TEXT_CHARS = 4 * 1024**2
MAX_LINE_CHARS = 4_000
"""Of the title, the description and each h1."""
MAX_H1 = 100


class Found(NamedTuple):
    """All that was learnt of one HTML body."""

    body: Decoded
    text: Text
    document: Document
    head: Head
    canonical: Url | None
    n_links: int
    links: tuple[LinkRecord, ...] | None  #: at most `MAX_LINKS`; None where nobody asks
    more_links: bool


def describe(
    request: Request, response: Response, content_type: str | None, found: Found, extract: ExtractConfig
) -> PageRecord:
    """The record of the page that `response` brought under `content_type`, as `extract` wants it."""
    body, text, document, head = found.body, found.text, found.document, found.head
    cut = _Cutter()
    if body.truncated:
        cut.note("body")
    all_text, word_count = document.blocks() if extract.text != "none" else (None, None)
    return PageRecord(
        url=request.url,
        status=response.status,
        depth=request.depth,
        via=request.via,
        seed=request.seed,
        redirected_from=request.redirected_from,
        fetched_at=rfc3339(response.fetched_at),
        elapsed_s=round(response.elapsed_s, 6),
        content_type=collapsed_ascii(content_type) if content_type is not None else None,
        charset=text.charset,
        charset_source=text.source,
        body_bytes=len(body.data),
        content_digest=f"sha256:{hashlib.sha256(body.data).hexdigest()}",
        title=cut("title", head.title, MAX_LINE_CHARS),
        description=cut("description", head.description, MAX_LINE_CHARS),
        lang=cut("lang", head.lang, MAX_LINE_CHARS),
        canonical=found.canonical,
        h1=cut.h1(document),
        text=cut("text", all_text, MAX_TEXT_CHARS),
        word_count=word_count,
        n_links=found.n_links,
        links=cut.links(found, extract.links),
        truncated=cut.noted(),
    )


class _Cutter:
    """Keeps fields within bounds, and notes which it had to cut."""

    def __init__(self) -> None:
        self._noted: dict[str, None] = {}

    def __call__(self, field: str, value: str | None, limit: int) -> str | None:
        if value is None or len(value) <= limit:
            return value
        self.note(field)
        return value[:limit]

    def h1(self, document: Document) -> tuple[str, ...]:
        nodes = document.h1s
        if len(nodes) > MAX_H1:
            self.note("h1")
        texts = (self("h1", heading_of(node), MAX_LINE_CHARS) for node in nodes[:MAX_H1])
        return tuple(text for text in texts if text)

    def links(self, found: Found, wanted: bool) -> tuple[LinkRecord, ...] | None:  # noqa: FBT001
        """Those for the record, if `wanted`; what is cut in links.jsonl alone is noted too."""
        if found.more_links:
            self.note("links")
        return found.links if wanted else None

    def note(self, field: str) -> None:
        self._noted[field] = None

    def noted(self) -> tuple[str, ...]:
        return tuple(self._noted)
