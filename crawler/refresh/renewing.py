"""Does changes.jsonl hold once a generation in force was gone on with? It is written anew, while that can be done.

A resumed, retried or repaired generation has other ends than those that were compared when it was put in force. What
was learnt of how often pages change stays as it is: no visit was compared that the next refresh would not compare.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from crawler.diff.changes import write_changes
from crawler.directory import CrawlDirectory, State
from crawler.errors import CrawlerError
from crawler.generations import Family, told_by
from crawler.models import OUTCOMES, PAGES, STOPPED
from crawler.sinks import CHANGES

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.plan import Plan

log = logging.getLogger(__name__)


def renewed(plan: Plan, stopped_by: str | None) -> str:
    """Write changes.jsonl anew, where a run that ended so has left it behind; what a user is told of it, a line.

    That it cannot be written does not change what the run came to; nor is the old one taken away then.
    """
    directory = plan.directory
    if plan.generation is not None or stopped_by == STOPPED or not _is_behind(directory):
        return ""
    try:
        told = told_by(directory.path)
        number = told.number if told else 1
        if number == 1:
            return ""  # not of ours
        base = CrawlDirectory(Family(directory.path)[number - 1])
        earlier = told_by(base.path)
        if base.state() is not State.FINISHED or (earlier.number if earlier else 1) != number - 1:
            why = f"generation {number - 1} is not in {base.path} any more"
        else:
            write_changes(base, directory)
            log.info("compared with the generation before again")
            return ""
    except CrawlerError as error:
        why = str(error)
    log.warning("changes.jsonl is as it was before this run", extra={"why": why})
    return f"changes.jsonl is as it was before this run, as it cannot be made anew: {why}"


def _is_behind(directory: CrawlDirectory) -> bool:
    """Whether pages or outcomes were written since it was."""
    changes = directory.spellings(CHANGES)
    files = [path for sink in (PAGES, OUTCOMES) for path in directory.spellings(sink)]
    return bool(changes) and max(map(_written_at, files), default=0) > min(map(_written_at, changes))


def _written_at(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
