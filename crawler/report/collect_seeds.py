"""What was the crawl asked to begin with, and what became of it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.report.facts import Seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.account import Summary
    from crawler.config import CrawlConfig
    from crawler.report.source import Sources

MAX_ITEMS, MAX_BAD = 50, 20
_MAX_TEXT = 300


class _Seed(msgspec.Struct):
    """What is read of a line of seeds.jsonl; see `crawler.export.outcomes.SeedRecord`."""

    given: str
    place: str
    error: str | None


def seeds_of(config: CrawlConfig, sources: Sources, summary: Summary | None) -> Seeds:
    """The seeds of a crawl, counted where it has ended: its list is gone through then."""
    counts = summary.seeds if summary else {}
    bad = counts.get("bad", 0)
    return Seeds(
        items=tuple(item[:_MAX_TEXT] for item in config.seeds[:MAX_ITEMS]),
        n_items=len(config.seeds),
        given=counts.get("given", 0),
        bad=bad,
        fetched=counts.get("fetched", 0),
        bad_examples=tuple(_bad(sources, min(bad, MAX_BAD))),
    )


def _bad(sources: Sources, most: int) -> Iterator[tuple[str, str]]:
    """The first bad seeds, and why they are; no more of the list is read than it takes."""
    if not most:
        return
    for seeds in sources.records("seeds", _Seed):
        for seed in seeds:
            if seed.error is not None:
                yield f"{seed.place}: {seed.given}"[:_MAX_TEXT], seed.error[:_MAX_TEXT]
                most -= 1
                if not most:
                    return
