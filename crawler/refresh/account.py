"""What is told and remembered once a refresh has ended, before it is put in force? What changed, and what is learnt.

changes.jsonl first, then the table `history`, which follows from it. Both are whole or not there, and whoever does it
again after a kill writes the same.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from crawler.dataset.records import changes
from crawler.diff.changes import ChangeCounts, write_changes
from crawler.refresh.history import Lies, write_history
from crawler.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.directory import CrawlDirectory

log = logging.getLogger(__name__)

_HOSTS_TOLD = 3


class Account(NamedTuple):
    """Of one refresh."""

    changes: ChangeCounts
    news: tuple[str, ...]  #: what a user should know besides, in plain lines


def account(
    before: CrawlDirectory, after: CrawlDirectory, memory: Path, *, compares: bool = True, trusts: bool = False
) -> Account:
    """Compare two generations, and learn from it. Takes seconds for 100,000 pages: to be called in a thread.

    Args:
        before: The generation in force.
        after: The one that has ended; nobody writes to it meanwhile.
        memory: Of the refresh: the file of `refresh.memory`.
        compares: Whether the records of both were made alike; if not, nothing is learnt of how often pages change.
        trusts: Whether ``refresh.lastmod`` is trust.

    Raises:
        CrawlerError: A file cannot be read or written, or a store is damaged.
    """
    counts = write_changes(before, after)
    now, ever = write_history(after.store, before.store, _changed(after), memory, compares=compares)
    why = f"new {counts.new:,}, changed {counts.changed:,}, gone {counts.gone:,}, back {counts.back:,}"
    log.info("compared with the generation before", extra={"why": why})
    return Account(counts, (*counts.notes, *_warning(ever if trusts else now, trusts=trusts)))


def _changed(directory: CrawlDirectory) -> Iterator[str]:
    return (row.url for row in changes(directory.path) if row.change == "changed")


def _warning(lies: Lies, *, trusts: bool) -> Iterator[str]:
    """That sitemaps were wrong of changes, if they were."""
    if not lies.hosts:
        return
    some = ", ".join(f"{printable(host)} ({pages:,})" for host, pages in list(lies.hosts.items())[:_HOSTS_TOLD])
    more = f" and {len(lies.hosts) - _HOSTS_TOLD:,} hosts more" if len(lies.hosts) > _HOSTS_TOLD else ""
    what = f"pages that changed though their sitemap's lastmod said they had not: {some}{more}"
    if trusts:
        yield f"refresh.lastmod is trust, but earlier generations found {what}. hint or ignore would visit such pages."
    else:
        yield f"There were {what}. Do not set refresh.lastmod to trust for this crawl."
