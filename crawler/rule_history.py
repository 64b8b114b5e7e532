"""Do rules find less than in the crawl before this one? Then the site may have changed in between.

The crawl before is the one that ended last among those that lie beside this one and have its name: what ``--fresh``
has moved aside, what another ``{date}`` has brought.
"""

from __future__ import annotations

import os
from itertools import islice
from math import log, sqrt
from typing import TYPE_CHECKING, NamedTuple

from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from crawler.directory import Summary
    from crawler.rule_health import RuleSummary

MAX_BESIDE = 1_000
"""How many folders are looked into."""
FEWEST_PAGES = 20
"""Of fewer pages, a share says little."""
_DOUBT = log(1e4) / 2  # as of Hoeffding's bound: one share is further off than that once in ten thousand times
_NOTICEABLE = 0.8  # of what it was


class Earlier(NamedTuple):
    """A crawl that has ended, of the same name."""

    path: Path
    summary: Summary


def crawl_before(directory: Path, name: str) -> Earlier | None:
    """The crawl before the one in `directory`, if there is one that scraped anything."""
    own = directory.resolve()
    found: list[Earlier] = []
    try:
        with os.scandir(own.parent) as entries:
            folders = [own.parent / entry.name for entry in islice(entries, MAX_BESIDE) if entry.is_dir()]
    except OSError:
        return None
    for folder in folders:
        if folder == own:
            continue
        try:
            summary = CrawlDirectory(folder).read_summary()
        except CrawlerError:  # not one of ours, or of another version: beside the point
            continue
        if summary is not None and summary.name == name and summary.rules:
            found.append(Earlier(folder, summary))
    return max(found, key=lambda one: (one.summary.ended_at, one.path.name), default=None)


def worse(now: Mapping[str, RuleSummary], earlier: Earlier, *, refreshes: bool = False) -> Iterator[str]:
    """What the rules that both crawls had find less of now, in plain lines.

    Args:
        now: How they fare.
        earlier: The crawl before.
        refreshes: Whether this one reads only what has changed since: of few pages that says nothing.
    """
    beside = f"in {earlier.path.name}, which ended {earlier.summary.ended_at}"
    for name, rule in now.items():
        before = earlier.summary.rules.get(name)
        if before is None or before.pages < FEWEST_PAGES:
            continue
        if refreshes and rule.pages < FEWEST_PAGES:
            continue
        found = rule.records + rule.rejects  # without pages, where a repair has counted them in files
        if not rule.pages and not found:
            yield f"{name} matched no page, and {before.pages:,} {beside}"
        elif not found and before.records:
            yield f"{name} found nothing on {rule.pages:,} pages, and {before.records:,} records {beside}"
        for field, share in rule.fill.items():
            was = before.fill.get(field, 0.0)
            margin = sqrt(_DOUBT / before.pages) + sqrt(_DOUBT / max(rule.pages, 1))
            if rule.pages >= FEWEST_PAGES and share < _NOTICEABLE * was and was - share > margin:
                yield f"{name}.{field} is filled in {share:.1%} of records, and was in {was:.1%} {beside}"
