"""How does a generation that has come to its end take its place? With an account of what changed.

Whole is one that has all pages there are: a budget may leave URLs that nobody ever read, as in any crawl, but not pages
that the generation before has and this one did not come to. What a request knew of the generation before is forgotten
then, but for its number there: whoever goes on with the crawl must not be told "unchanged" of what only an older one
has.
"""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.diff.changes import ChangeCounts
from crawler.directory import CrawlDirectory
from crawler.frontier.sqlite_schema import explained, open_store
from crawler.generations import Family
from crawler.models import STOPPED
from crawler.refresh.account import account
from crawler.refresh.base import Base
from crawler.refresh.index import INDEX, forget
from crawler.refresh.seeding import Place
from crawler.refresh.selection import chosen
from crawler.resume import CONFIG, REFRESH, altered, stored_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.plan import Plan

log = logging.getLogger(__name__)

_LEFT = """
SELECT count(*) FROM url WHERE extra LIKE '%"known":%' AND NOT EXISTS (SELECT 1 FROM done WHERE done.id = url.id)
    AND (coalesce(extra ->> '$.known.has_page', 0) OR coalesce(extra ->> '$.known.bytes', 0) > 0)
"""
_FORGET = """
UPDATE url SET extra = json_set(json_remove(extra, '$.known'), '$.was', extra ->> '$.known.id')
WHERE extra LIKE '%"known":%'
    AND NOT EXISTS (SELECT 1 FROM done WHERE done.id = url.id AND done.outcome = 'unchanged')
"""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of a refresh came to."""

    base: Path  #: the directory of the crawl
    number: int
    path: Path  #: where the generation lies
    left: int | None  #: pages of the generation before that it did not come to; None where not even all URLs
    interrupted: bool = False
    changes: ChangeCounts | None = None  #: what is different from the generation before, once all is there
    news: tuple[str, ...] = ()  #: what a user should know of that besides, in plain lines
    older: Path | None = None  #: where the generation before lies, once this one is in force
    removed: tuple[Path, ...] = ()  #: older ones that are kept no longer

    @property
    def is_whole(self) -> bool:
        """Whether it can be put in force."""
        return self.left == 0


def concluded(plan: Plan, stopped_by: str | None) -> Ended | None:
    """What became of a refresh; None for a crawl of its own. One that is not whole goes on being made, of the others
    changes.jsonl is written, and what is learnt.

    Raises:
        CrawlerError: Its files cannot be read or written.
    """
    made = plan.generation
    if made is None:
        return None
    ended = Ended(
        base=made.base,
        number=made.number,
        path=plan.directory.path,
        left=left_by(plan.directory, stopped_by),
        interrupted=stopped_by == STOPPED,
    )
    if not ended.is_whole:
        plan.directory.reopen()
        return ended
    base, memory = CrawlDirectory(made.base), plan.directory.path / INDEX
    done = account(
        base,
        plan.directory,
        memory,
        compares=_are_alike(base, plan.directory),
        trusts=plan.config.refresh.lastmod == "trust",
    )
    return msgspec.structs.replace(ended, changes=done.changes, news=(*_passed_over(memory, due=made.due), *done.news))


def _passed_over(memory: Path, *, due: bool) -> Iterator[str]:
    """How many pages were due, and how many not visited, where that was a question."""
    counts = chosen(memory) if memory.exists() else None
    if counts is None or not due:
        return
    lastmod = f", {counts.lastmod:,} no newer by their sitemap" if counts.lastmod else ""
    beyond = f", {counts.beyond:,} left for the budget" if counts.beyond else ""
    due_or_not = f"{counts.visited:,} were due and visited, {counts.not_due:,} were not due"
    yield f"Of the known pages {due_or_not}{lastmod}{beyond}."


def _are_alike(base: CrawlDirectory, made: CrawlDirectory) -> bool:
    """Whether the records of two generations were made in the same way."""
    with Base.plain(base.store) as before, Base.plain(made.store) as after:
        one, other = (stored_config({CONFIG: store.blob(CONFIG)}) for store in (before, after))
        same_version = before.version() == after.version()
    return same_version and one is not None and other is not None and not altered(one, other)


def left_by(made: CrawlDirectory, stopped_by: str | None) -> int | None:
    """How many pages of the generation before a run that ended so has not come to: 0 if it is whole; None if it was
    interrupted, or has not even come to all their URLs.

    Raises:
        FrontierError: Its store cannot be read.
    """
    if stopped_by is None:
        return 0
    if stopped_by == STOPPED:
        return None
    with explained(made.store), closing(open_store(made.store, fsync=True)) as connection:
        row = connection.execute("SELECT content FROM blob WHERE name = ?", (REFRESH,)).fetchone()
        if not row or not msgspec.json.decode(row[0], type=Place).done:
            return None
        ((left,),) = connection.execute(_LEFT).fetchall()
    return int(left)


def _is_empty(ended: Ended) -> bool:
    """Whether nothing is there, as when a site is down for days: then older generations are all that is left."""
    counts = ended.changes
    return counts is not None and counts.gone == counts.rows


def published(plan: Plan, ended: Ended) -> Ended:
    """Put a generation in force that is whole; older ones than are kept are removed, unless all is gone in it. Both it
    and its base are held.

    Raises:
        CrawlerError: Something cannot be written, renamed or removed. Run again, it goes on.
    """
    made = plan.directory
    with explained(made.store), closing(open_store(made.store, fsync=True)) as connection:
        connection.execute(_FORGET)
    family = Family(ended.base)
    older = family.publish(ended.number)
    forget(family.path)  # not before: who does the account again needs it
    log.info("generation in force", extra={"why": f"{ended.number}; the one before is {older}"})
    removed = () if _is_empty(ended) else tuple(family.prune(plan.config.refresh.keep))
    return msgspec.structs.replace(ended, path=family.path, older=older, removed=removed)
