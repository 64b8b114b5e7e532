"""When was the crawl run, as what, and how did each run end?

`runs.jsonl` says so, a line for each beginning and each end; crawls of earlier versions have none.
"""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from crawler.report.facts import Run

if TYPE_CHECKING:
    from crawler.account import Summary
    from crawler.report.source import Sources

RUNS = "runs"
MAX_RUNS = 200
_MAX_COMMAND = 4_000


class _Row(msgspec.Struct):
    """A line of runs.jsonl."""

    run: int
    event: str  #: ``began`` or ``ended``
    at: datetime
    command: list[str] = []
    version: str = ""
    ended: str | None = None


def runs_of(sources: Sources, summary: Summary | None, began_at: float | None) -> tuple[Run, ...]:
    """The runs of a crawl, the first `MAX_RUNS` of them.

    Args:
        sources: The crawl's files.
        summary: How it ended; None if it has not.
        began_at: When it began, as far as its records tell.
    """
    began: dict[int, _Row] = {}
    ended: dict[int, _Row] = {}
    for rows in sources.records(RUNS, _Row):
        for row in rows:
            if row.event == "began" and (row.run in began or len(began) < MAX_RUNS):
                began[row.run] = row
            elif row.event == "ended" and row.run in began:
                ended[row.run] = row
    if began:
        return tuple(_run(began[number], ended.get(number)) for number in sorted(began))
    if summary is not None:
        how = "complete" if summary.complete else summary.stopped_by
        start = seconds(summary.started_at)
        end = seconds(summary.ended_at)
        return (Run(command="", began_at=start or began_at or 0.0, ended_at=end, ended=how),)
    return (Run(command="", began_at=began_at),) if began_at is not None else ()


def seconds(text: str) -> float | None:
    """A time of RFC 3339 in seconds since 1970; None if it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _run(began: _Row, ended: _Row | None) -> Run:
    return Run(
        command=shlex.join(began.command)[:_MAX_COMMAND],
        began_at=began.at.timestamp(),
        ended_at=ended.at.timestamp() if ended else None,
        ended=ended.ended if ended else None,
        version=began.version,
    )
