"""What did a ledger hold that is gone, as far as records tell? How URLs have ended that have one; not what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.export.outcomes import OutcomeRecord
from crawler.extract.record import PageRecord
from crawler.merging.ledger import Row
from crawler.models import Finished, Outcome
from crawler.repair.origins import Origins, fetched_at, wall
from crawler.repair.salvage import Reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from crawler.config import UrlsConfig

_SITEMAPS = ("sitemap", "bad_sitemap")


async def recalled(pages: Path, outcomes: Path, rules: UrlsConfig, key: int) -> AsyncIterator[Row]:
    """The URLs that have a line in one of two files.

    Args:
        pages: pages.jsonl.
        outcomes: outcomes.jsonl.
        rules: What a canonical URL is in this crawl.
        key: Of fingerprints.

    Raises:
        CrawlerError: One cannot be read.
    """
    origins = Origins(rules, key)
    async for record in Reading(outcomes, OutcomeRecord).records():
        if origins.is_good(record):
            origins.redirect(record)
            if record.reason in _SITEMAPS:
                origins.sitemap(record)
    async for page in Reading(pages, PageRecord).records():
        if origins.is_good(page):
            at = fetched_at(page)
            request = origins.request(page)
            end = Finished(request=request, outcome=Outcome.FETCHED, status=page.status, at=at, has_page=True)
            yield Row(request=request, end=end)
    async for record in Reading(outcomes, OutcomeRecord).records():
        if origins.is_good(record):
            yield Row(request=origins.request(record), end=_end(origins, record))


def _end(origins: Origins, record: OutcomeRecord) -> Finished:
    unasked = record.outcome in (Outcome.EXCLUDED, Outcome.UNCHANGED) and record.status is None
    return Finished(
        request=origins.request(record, max(1, record.attempts + unasked)),
        outcome=record.outcome,
        reason=record.reason,
        status=record.status,
        target=record.target,
        at=wall(record.at),
    )
