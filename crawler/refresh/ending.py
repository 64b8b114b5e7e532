"""What is to be done of generations where a run has ended? Loaded by every crawl, so it loads nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.sinks import CHANGES

if TYPE_CHECKING:
    from crawler.plan import Plan
    from crawler.refresh.publish import Ended


def ended_so(plan: Plan, stopped_by: str | None) -> tuple[Ended | None, str]:
    """What became of a refresh, None for another run; and of another, what a user is told of its changes.jsonl.

    Raises:
        CrawlerError: The files of a refresh cannot be read or written.
    """
    if plan.generation is not None:
        from crawler.refresh.publish import concluded  # noqa: PLC0415 - only a refresh pays for it

        return concluded(plan, stopped_by), ""
    if plan.directory.spellings(CHANGES):
        from crawler.refresh.renewing import renewed  # noqa: PLC0415 - only a later generation pays for it

        return None, renewed(plan, stopped_by)
    return None, ""
