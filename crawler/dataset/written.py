"""What do the files of a crawl say of some URLs, where no store is left to ask?

That is so of a crawl with ``frontier: memory``, which keeps no account of what was found and not fetched. All of
outcomes.jsonl and pages.jsonl is read for it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from crawler.dataset.ledger import Known
from crawler.dataset.records import outcomes, pages
from crawler.models import NORMAL_PRIORITY, Kind, Outcome
from crawler.url import Url, host_key

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from crawler.export.outcomes import OutcomeRecord
    from crawler.extract.record import PageRecord


def find_written(directory: Path, urls: Collection[str]) -> dict[str, Known]:
    """Those of `urls` that have a line in a crawl's files; page records written elsewhere (``-o``) are not found.

    Raises:
        CrawlerError: A file is missing or holds what is not a record.
    """
    wanted = frozenset(urls)
    found = {end.url: _of_outcome(end) for end in outcomes(directory) if end.url in wanted}
    if len(found) < len(wanted) and any(directory.glob("pages.jsonl*")):
        found |= {page.url: _of_page(page) for page in pages(directory) if page.url in wanted}
    return found


def _of_outcome(end: OutcomeRecord) -> Known:
    return Known(
        id=0,
        url=end.url,
        host=host_key(Url(end.url)),
        depth=end.depth,
        priority=NORMAL_PRIORITY,
        via=end.via,
        seed=end.seed,
        scope_host="",
        kind=Kind.PAGE,
        outcome=end.outcome,
        reason=end.reason,
        status=end.status,
        target=end.target,
        attempts=end.attempts,
        at=datetime.fromisoformat(end.at).timestamp(),
        has_page=False,
    )


def _of_page(page: PageRecord) -> Known:
    return Known(
        id=0,
        url=page.url,
        host=host_key(Url(page.url)),
        depth=page.depth,
        priority=NORMAL_PRIORITY,
        via=page.via,
        seed=page.seed,
        scope_host="",
        kind=Kind.PAGE,
        outcome=Outcome.FETCHED,
        reason=None,
        status=page.status,
        target=None,
        attempts=None,
        at=datetime.fromisoformat(page.fetched_at).timestamp(),
        has_page=True,
        redirected_from=tuple(page.redirected_from),
    )
