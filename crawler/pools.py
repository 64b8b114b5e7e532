"""How is a parser pool made of a configuration?

Names its backends, as `crawler.build` does for other parts.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from crawler.extract.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from crawler.config import CrawlConfig
    from crawler.parse.base import Parser
    from crawler.parse.server import Server


@asynccontextmanager
async def open_parser(config: CrawlConfig) -> AsyncIterator[Parser]:
    """A parser pool for answers that no crawl has just fetched.

    Raises:
        ParseError: No worker can be started.
    """
    parser = parser_for(config, fingerprint_key=0)
    try:
        await parser.start()
        yield parser
    finally:
        await parser.aclose()


def parser_for(
    config: CrawlConfig, fingerprint_key: int, server: Server | None = None, *, lastmods: bool = False
) -> Parser:
    """A pool, not started, that extracts as `config` says.

    Args:
        config: As in force, see `crawler.plan.Plan.effective_config`.
        fingerprint_key: See `Frontier.key`.
        server: Where one was started already, taken over; closed if the configuration's pool has none.
        lastmods: Whether to tell what sitemaps say of when pages changed.
    """
    settings = Settings(
        scope=config.scope,
        urls=config.urls,
        extract=config.extract,
        noindex=config.robots.noindex,
        nofollow=config.robots.nofollow,
        skip_rel=config.robots.skip_rel,
        link_lines=config.export.links,
        sitemap_lines=config.export.sitemaps,
        lastmods=lastmods,
        files=config.export.files,
        max_body_bytes=int(config.fetch.max_body_bytes),
        max_ratio=float(config.fetch.max_ratio or 0),
        fingerprint_key=fingerprint_key,
        agent=config.fetch.user_agent,
        trap_depth=config.traps.depth if config.traps.detect else 0,
    )
    if server is not None and config.parse.backend != "process":
        server.close()
    match config.parse.backend:
        case "process":
            from crawler.parse.process import ProcessParser  # noqa: PLC0415

            return ProcessParser(settings, config.parse, server=server)
        case "thread":
            from crawler.parse.thread import ThreadParser  # noqa: PLC0415

            return ThreadParser(settings, config.parse)
        case "inline":
            from crawler.parse.inline import InlineParser  # noqa: PLC0415

            return InlineParser(settings, config.parse)
