"""How does a crawl that is crawled again begin and end before a person's eyes? Its directories, and what is told.

What it is about is in `crawler.generations` and `crawler.refresh`, which a crawl of its own does not load.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.cli import typed_command
from crawler.cli.failing import quoted, resume_command
from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError
from crawler.generations import Family
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.plan import Plan
    from crawler.refresh.publish import Ended


def told(ended: Ended) -> Iterator[str]:
    """What a person is told of a run of a refresh, in lines."""
    if (changes := ended.changes) is not None:
        counts = {name: getattr(changes, name) for name in ("new", "changed", "unchanged", "gone", "back")}
        yield f"Changes: {', '.join(f'{name} {count:,}' for name, count in counts.items())} (changes.jsonl)."
        yield from ended.news
    if ended.older is not None:
        yield f"This is generation {ended.number} now; the one before is {ended.older}."
        if ended.removed:
            yield f"Removed, as refresh.keep says: {', '.join(path.name for path in ended.removed)}."
        return
    command = f"{typed_command()} crawl --refresh -d {quoted(str(ended.base))}"
    if ended.interrupted:
        yield f"{ended.base} stays as it was until this is through."
        return
    pages = f"{counted(ended.left, 'page')} of it were" if ended.left else "not all of its URLs were"
    yield (
        f"{ended.base} stays as it was, as {pages} not come to before the budget was spent: {command} goes on, with a "
        "larger one."
    )


def beside(path: Path) -> str:
    """What is told of a finished crawl besides: that it can be crawled again, or is being; a line."""
    try:
        made = Family(path).being_made()
    except CrawlerError:
        return ""
    command = f"{typed_command()} crawl --refresh -d {quoted(str(path))}"
    if made is not None:
        return f"Its next generation is being made in {made}: {command} goes on with it.\n"
    return "--refresh crawls it again, asking for what has changed. "


def way_to_go_on(plan: Plan, ended: Ended | None, *, stream: bool) -> str:
    """The command that goes on with what a run has left."""
    if ended is not None and ended.older is not None:
        plan = replace(plan, directory=CrawlDirectory(ended.path), generation=None)
    return resume_command(plan, stream=stream)
