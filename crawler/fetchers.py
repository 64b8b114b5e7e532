"""What asks servers for a crawl: HTTP, or what a program has given?

Names the backend, as `crawler.build` does for other parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config.secrets import referring_headers
from crawler.fetch.certificates import certificates_later
from crawler.given import GivenFetcher

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.config import FetchConfig
    from crawler.fetch.cookies import Cookies
    from crawler.fetch.http import HttpFetcher
    from crawler.plan import Plan
    from crawler.reach import Reach


def http() -> type[HttpFetcher]:
    """The class, loaded when it is first needed."""
    with certificates_later():
        from crawler.fetch.http import HttpFetcher  # noqa: PLC0415  (aiohttp takes 0.1 s to import)

    return HttpFetcher


def fetcher_of(
    plan: Plan, fetch: FetchConfig, cookies: Cookies, clock: Clock, reach: Reach, *, concurrency: int
) -> HttpFetcher | GivenFetcher:
    """The fetcher of a plan; the caller's to close."""
    if plan.fetcher is not None:
        return GivenFetcher(plan.fetcher(), clock, int(fetch.max_body_bytes))
    hidden = referring_headers(plan.config.fetch)
    return http_fetcher(fetch, cookies, clock, reach, concurrency=concurrency, hidden=hidden)


def http_fetcher(
    config: FetchConfig,
    cookies: Cookies,
    clock: Clock,
    reach: Reach,
    *,
    concurrency: int,
    hidden: frozenset[str] = frozenset(),
) -> HttpFetcher:
    """One that asks over HTTP; the caller's to close. Values of headers named in `hidden` are kept in no archive."""
    return http()(config, clock, concurrency=concurrency, cookies=cookies, reach=reach, hidden=hidden)
