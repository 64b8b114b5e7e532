"""An asyncio web crawler and scraper: a seed list and a YAML file in, JSONL that can be trusted out.

How a URL flows, and where to read about it:

    seeds       seed list -> Requests                     seeds.py
    scope       which links may enter                     scope.py
    frontier    what is known, left and how it ended      frontier/
    politeness  when a host may be asked, and again       politeness/
    fetch       Request -> Response                       fetch/
    parse       the pool that works on responses          parse/
    extract     what is taken from a response             extract/
    export      records -> files                          export/
    ledger      what becomes of each request              ledger.py
    checkpoint  when results become durable               checkpoint.py
    seedlist    what became of each seed                  seedlist.py
    engine      the queues and coroutines between them    engine.py
    build       configuration -> all of the above         build.py
    api, cli    the two faces                             api.py, blocking.py, cli/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.api import Crawl
    from crawler.blocking import crawl
    from crawler.config import CrawlConfig
    from crawler.errors import ConfigError, CrawlerError, ExportError, FetchError
    from crawler.export.base import Sink
    from crawler.export.outcomes import OutcomeRecord
    from crawler.extract.hook_page import Follow, ParsedPage
    from crawler.extract.record import PageRecord
    from crawler.fetch.base import Fetcher
    from crawler.models import Request, Response
    from crawler.running import Result
    from crawler.stats import Snapshot
    from crawler.views import HostView, HostViews

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "Crawl",
    "CrawlConfig",
    "CrawlerError",
    "ExportError",
    "FetchError",
    "Fetcher",
    "Follow",
    "HostView",
    "HostViews",
    "OutcomeRecord",
    "PageRecord",
    "ParsedPage",
    "Request",
    "Response",
    "Result",
    "Sink",
    "Snapshot",
    "crawl",
]

_HOMES = {
    "ConfigError": "crawler.errors",
    "Crawl": "crawler.api",
    "CrawlConfig": "crawler.config",
    "CrawlerError": "crawler.errors",
    "ExportError": "crawler.errors",
    "FetchError": "crawler.errors",
    "Fetcher": "crawler.fetch.base",
    "Follow": "crawler.extract.hook_page",
    "HostView": "crawler.views",
    "HostViews": "crawler.views",
    "OutcomeRecord": "crawler.export.outcomes",
    "PageRecord": "crawler.extract.record",
    "ParsedPage": "crawler.extract.hook_page",
    "Request": "crawler.models",
    "Response": "crawler.models",
    "Result": "crawler.running",
    "Sink": "crawler.export.base",
    "Snapshot": "crawler.stats",
    "crawl": "crawler.blocking",
}


def __getattr__(name: str) -> object:
    """Import public names when they are used: parser processes import this package too."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)
