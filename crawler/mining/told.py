"""What did a step of mining come to, in one line for people?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.wording import counted, short_time

if TYPE_CHECKING:
    from crawler.mining.files import Step


def told(step: Step) -> str:
    """``ranks: 1,204 pages of 3 hosts by 30,221 links between them (0.4 s)``."""
    if step.skipped is not None:
        return f"{step.name}: not done: {step.skipped}"
    return f"{step.name}: {_what(step)} ({short_time(step.seconds)})"


def _what(step: Step) -> str:
    counts, rows = step.counts, step.rows
    pages = counted(counts.get("pages", 0), "page")
    match step.name:
        case "read":
            told = f"{pages} of {counted(counts['hosts'], 'host')}, {counted(counts['links'], 'link')}"
            return f"{told}, {counted(counts['failed'], 'URL')} that failed"
        case "near":
            return f"{pages} of {counts['compared']:,} in {counted(counts['clusters'], 'cluster')}"
        case "keywords":
            told = f"of {counted(rows['keywords'], 'page')} and {counted(rows['host_keywords'], 'host')}"
            return f"{told}, {counted(counts['terms'], 'term')} in all"
        case "ranks":
            told = f"of {counted(rows['ranks'], 'page')} and {counted(rows['host_ranks'], 'host')}"
            return f"{told}, by {counted(counts['edges'], 'link')} between pages"
        case "dead":
            return (
                f"{counted(counts['dead'], 'URL')} that failed and {'is' if counts['dead'] == 1 else 'are'} linked to"
            )
    return ", ".join(f"{counted(count, 'line')} in {name}.jsonl" for name, count in rows.items())
