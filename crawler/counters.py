"""What are the running totals of a crawl called where they are stored, and what would they be, had other URLs ended?

Answers by status and latency, like attempts and bytes, are of all that was requested: what is done over counts twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

REASON, REFUSED, STATUS, LATENCY = "reason", "refused", "status", "latency"
"""The first words of counters that there are many of: ``reason failed timeout``, ``refused scope.max_depth: 3``,
``status 200``, and ``latency 4``, the number of a bucket of `crawler.stats.LATENCY_BOUNDS_S`."""


def counters_without(counters: Mapping[str, int], ends: Mapping[tuple[Outcome, str | None], int]) -> dict[str, int]:
    """The stored totals of a crawl as if these URLs had not ended yet.

    Args:
        counters: As `Stats.counters` gave them.
        ends: How many URLs, none of them with a page, by how and why they ended.
    """
    left = dict(counters)
    for (outcome, reason), count in ends.items():
        if outcome is Outcome.FAILED:
            left["failed"] = left.get("failed", 0) - count
        if reason is not None:
            name = f"{REASON} {outcome} {reason}"
            left[name] = left.get(name, 0) - count
    return left


def counters_with(
    counters: Mapping[str, int], pages: int, ends: Mapping[tuple[Outcome, str | None], int]
) -> dict[str, int]:
    """The stored totals of a crawl as if no URLs but these had ended yet.

    Args:
        counters: As `Stats.counters` gave them.
        pages: How many have a record in pages.jsonl.
        ends: How many have a line in outcomes.jsonl, by how and why they ended.
    """
    kept = {name: count for name, count in counters.items() if not name.startswith(f"{REASON} ")}
    kept |= {"pages": pages, "failed": 0}
    return counters_without(
        kept | dict.fromkeys((name for name in counters if name.startswith(f"{REASON} ")), 0),
        {end: -count for end, count in ends.items()},
    )
