"""What is there to mine? The files of a crawl, as far as they are committed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from crawler.dataset.ledger import EmptyStoreError
from crawler.dataset.totals import totals
from crawler.directory import State
from crawler.errors import ConfigError, CrawlerError
from crawler.models import LINKS, OUTCOMES, PAGES
from crawler.resume import OUTPUT

if TYPE_CHECKING:
    from crawler.directory import CrawlDirectory


class Source(NamedTuple):
    """One crawl's."""

    directory: CrawlDirectory
    is_finished: bool
    files: dict[str, Path]  #: those that are there, of pages, outcomes and links
    ends: dict[str, int]  #: up to where each counts, in bytes


def look(directory: CrawlDirectory, pages: Path | None = None) -> Source:
    """See what is there. Of a crawl that runs: as of its last checkpoint.

    Args:
        directory: Of the crawl.
        pages: Its page records, where they are not in it and no store says where.

    Raises:
        ConfigError: No crawl lies there, or there are no page records.
        CrawlerError: A file is there twice, or is shorter than it was, or the store cannot be read.
    """
    state = directory.state()
    if state is State.UNUSED:
        raise ConfigError(f"{directory.path}: holds no crawl: there is neither a crawl.db nor an outcomes.jsonl in it")
    positions: dict[str, int] | None = None
    if directory.store.exists():
        try:
            stored = totals(directory.store, blobs=(OUTPUT,), hosts=0)
        except EmptyStoreError:
            raise ConfigError(f"{directory.path}: the crawl in it has not stored anything yet") from None
        positions = stored.positions
        if pages is None and (elsewhere := stored.blobs.get(OUTPUT)):
            pages = Path(os.fsdecode(elsewhere))
        directory.know(positions)
    files = {name: path for name in (PAGES, OUTCOMES, LINKS) if (path := _path(directory, name, pages)) is not None}
    if PAGES not in files:
        where = pages or directory.records(PAGES)
        raise ConfigError(f"{where}: is not there; where `crawl -o FILE` put page records elsewhere: --pages FILE")
    is_finished = state is State.FINISHED
    committed = {name: None if positions is None else positions.get(name, 0) for name in files}
    ends = {name: _end(path, committed[name], is_finished=is_finished) for name, path in files.items()}
    return Source(directory, is_finished, files, ends)


def _path(directory: CrawlDirectory, name: str, pages: Path | None) -> Path | None:
    if name == PAGES and pages is not None:
        return pages if pages.exists() else None
    there = directory.spellings(name)
    if len(there) > 1:
        raise CrawlerError(f"{there[0]} and {there[1].name} are both there, expected one of them")
    return there[0] if there else None


def _end(path: Path, committed: int | None, *, is_finished: bool) -> int:
    """Up to where a file counts. Of a crawl that has ended that is all of it: it may have been packed since."""
    size = path.stat().st_size
    if committed is None or (is_finished and (path.suffix != ".jsonl" or size > committed)):
        return size
    if size < committed:
        raise CrawlerError(
            f"{path}: has {size:,} bytes, and crawl.db knows of {committed:,}: some of it is lost; "
            "crawler crawl --repair mends the crawl"
        )
    return committed
