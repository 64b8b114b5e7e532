"""What is extraction told, once for a whole crawl?"""

from __future__ import annotations

import msgspec

from crawler.config import ExtractConfig, ScopeConfig, UrlsConfig


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
    #: and what sitemaps say of when pages changed, for a refresh that goes by it
    lastmods: bool = False
    #: as ``export.files``: pictures that are wanted as files are followed
    files: tuple[str, ...] = ()
    #: most bytes a body may have after content decoding
    max_body_bytes: int = 10 * 1024**2
    #: as in `FetchConfig`; 0 for any
    max_ratio: float = 0.0
    #: the crawl's own, see `Frontier.key`
    fingerprint_key: int = 0
    #: product token or User-Agent header, for robots.txt and what pages say to robots
    agent: str = "crawler"
    #: as ``traps.depth``, to make `Page.marks`; 0 where nobody looks for traps
    trap_depth: int = 0
