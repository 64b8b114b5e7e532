"""How does a generation that has come to its end take its place?

Whole is one that has all pages there are: a budget may leave URLs that nobody ever read, as in any crawl, but not pages
that the generation before has and this one did not come to. What a request knew of the generation before is forgotten
then: whoever goes on with the crawl must not be told "unchanged" of what only an older one has.
"""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.directory import CrawlDirectory
from crawler.frontier.sqlite_schema import explained, open_store
from crawler.generations import Family
from crawler.models import STOPPED
from crawler.refresh.index import forget
from crawler.refresh.seeding import Place
from crawler.resume import REFRESH

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.generations import Generation

log = logging.getLogger(__name__)

_LEFT = """
SELECT count(*) FROM url WHERE extra LIKE '%"known":%' AND NOT EXISTS (SELECT 1 FROM done WHERE done.id = url.id)
    AND (coalesce(extra ->> '$.known.has_page', 0) OR coalesce(extra ->> '$.known.bytes', 0) > 0)
"""
_FORGET = """
UPDATE url SET extra = nullif(json_remove(extra, '$.known'), '{}') WHERE extra LIKE '%"known":%'
    AND NOT EXISTS (SELECT 1 FROM done WHERE done.id = url.id AND done.outcome = 'unchanged')
"""


class Published(NamedTuple):
    """A generation that is in force."""

    path: Path  #: where it lies now
    older: Path  #: where the one before does
    removed: tuple[Path, ...]  #: older ones that are kept no longer


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


def publish(made: CrawlDirectory, generation: Generation, keep: int | None) -> Published:
    """Put a generation in force that is whole; older ones than are kept are removed. Both it and its base are held.

    Raises:
        CrawlerError: Something cannot be written, renamed or removed. Run again, it goes on.
    """
    with explained(made.store), closing(open_store(made.store, fsync=True)) as connection:
        connection.execute(_FORGET)
    forget(made.path)
    family = Family(generation.base)
    older = family.publish(generation.number)
    log.info("generation in force", extra={"why": f"{generation.number}; the one before is {older}"})
    return Published(family.path, older, tuple(family.prune(keep)))
