"""What does one response amount to: a page with its links and record, a robots.txt, or a failure?

The face of this package, called in parser workers. Pure: bytes in, values out, no clock and no event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.config import ExtractConfig, ScopeConfig, UrlsConfig
from crawler.extract.record import LinkRecord, PageRecord
from crawler.models import Page, ParseFailure

if TYPE_CHECKING:
    from crawler.models import Request, Response

__all__ = ["Extractor", "LinkRecord", "PageRecord", "Settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All that an `Extractor` is told; crosses to the workers as msgpack."""

    scope: ScopeConfig = ScopeConfig()
    urls: UrlsConfig = UrlsConfig()
    extract: ExtractConfig = ExtractConfig()
    #: most bytes a body may have after content decoding
    max_body_bytes: int = 10 * 1024**2
    #: the crawl's own, see `Frontier.key`
    fingerprint_key: int = 0
    #: product token or User-Agent header, for robots.txt
    agent: str = "crawler"


class Extractor:
    """Makes pages of responses, under one configuration."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def page(self, request: Request, response: Response) -> Page | ParseFailure:
        """What `response` amounts to. Never raises: the unexpected becomes a ``parse_error``."""
        return ParseFailure(reason="parse_error", detail=f"{request.url}: status {response.status}")
