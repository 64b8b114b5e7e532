"""What did a crawl write? Its records, typed, streamed in the order they were committed.

The one reader of a crawl directory. Files may be compressed, or have been so since (``gzip``, ``zstd``). A crawl
that is still running may be read: what is not whole yet at the end is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from crawler.dataset.changed import ChangeRecord
from crawler.dataset.lines import Lines
from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError
from crawler.export.outcomes import OutcomeRecord, SeedRecord
from crawler.extract.record import LinkLine, PageRecord, SitemapLine
from crawler.models import LINKS, OUTCOMES, PAGES, SITEMAPS
from crawler.sinks import CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

T = TypeVar("T")


def pages(directory: str | PathLike[str]) -> Iterator[PageRecord]:
    """The page records of the crawl in `directory`.

    Raises:
        CrawlerError: There is no such file, or it is there twice (as it was written and unpacked), or a line of it
            is not a page record; names the line.
    """
    return _typed(directory, PAGES, PageRecord)


def outcomes(directory: str | PathLike[str]) -> Iterator[OutcomeRecord]:
    """How each URL ended that has no page record. Errors as for `pages`."""
    return _typed(directory, OUTCOMES, OutcomeRecord)


def links(directory: str | PathLike[str]) -> Iterator[LinkLine]:
    """The links of each page, if the crawl wrote them (``export.links``). Errors as for `pages`."""
    return _typed(directory, LINKS, LinkLine)


def sitemaps(directory: str | PathLike[str]) -> Iterator[SitemapLine]:
    """The entries of each sitemap, if the crawl wrote them (``export.sitemaps``). Errors as for `pages`."""
    return _typed(directory, SITEMAPS, SitemapLine)


def changes(directory: str | PathLike[str]) -> Iterator[ChangeRecord]:
    """What became of each URL since the generation before, if the crawl is a refresh. Errors as for `pages`."""
    return _typed(directory, CHANGES, ChangeRecord)


def seeds(directory: str | PathLike[str]) -> Iterator[SeedRecord]:
    """What became of each seed. Errors as for `pages`."""
    return _typed(directory, "seeds", SeedRecord)


def scraped(directory: str | PathLike[str], rule: str) -> Iterator[dict[str, Any]]:
    """The records of a rule, or of a function of one's own, each a dict; ``RULE.rejects`` for what it rejected.

    Errors as for `pages`. `crawler.dataset.exported` leaves out those that share a key.
    """
    return _typed(directory, rule, dict[str, Any])


def _typed(directory: str | PathLike[str], name: str, kind: type[T]) -> Iterator[T]:
    crawl = CrawlDirectory(Path(directory))
    there = crawl.spellings(name)
    if len(there) > 1:
        raise CrawlerError(f"{there[0]} and {there[1].name} are both there, expected one of them")
    path = there[0] if there else crawl.records(name)
    decoder = msgspec.json.Decoder(kind)
    for number, line in enumerate(Lines(path), 1):
        try:
            record = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise CrawlerError(f"{path}:{number}: not a {getattr(kind, '__name__', 'record')}: {error}") from error
        yield record
