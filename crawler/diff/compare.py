"""In what do two crawls differ? In their pages, in the records of their rules and in their links, in this order.

Each is read from its files, once (pages once more where links are taken from their records), and met with the other
in order (`sorting`), so memory is bounded however large both are and in whatever order they were crawled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crawler.diff.changes import shared_rules
from crawler.diff.content import compared
from crawler.diff.item_diff import item_differences
from crawler.diff.link_diff import has_links, link_differences
from crawler.diff.page_diff import page_differences
from crawler.diff.record import Comparison, Counts
from crawler.diff.side import Side
from crawler.errors import ConfigError
from crawler.models import PAGES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from crawler.diff.record import DiffRecord
    from crawler.directory import CrawlDirectory

KINDS: Final = ("pages", "items", "links")


class Differences:
    """The differences of two crawls; iterate over it once.

    Args:
        before: The directory of one crawl: it may run, be unfinished or have ended.
        after: That of the other.
        only: Which of `KINDS` are looked at.

    Raises:
        ConfigError: It is the same directory, or no crawl lies in one of them.
        CrawlerError: A store cannot be read.
    """

    def __init__(self, before: CrawlDirectory, after: CrawlDirectory, only: Collection[str] = KINDS) -> None:
        if before.path.resolve() == after.path.resolve():
            raise ConfigError(f"{before.path} and {after.path} are the same directory; expected those of two crawls")
        self.before, self.after = Side(before), Side(after)
        self._only = only
        for side in (self.before, self.after):
            if not side.has(PAGES) and not side.has_store:
                raise ConfigError(f"{side.path}: has no pages.jsonl, so its page records went elsewhere (-o FILE)")
        #: what it came to, once all was gone through
        self.told = Comparison()

    def __iter__(self) -> Iterator[DiffRecord]:
        """Each difference.

        Raises:
            CrawlerError: A file cannot be read, or holds what is no record; names the line.
        """
        told, before, after = self.told, self.before, self.after
        if "pages" in self._only:
            by = compared(before.config, after.config)
            told.notes += by.notes
            told.pages = Counts()
            yield from page_differences(before, after, by, told.pages)
        if "items" in self._only:
            rules, notes = shared_rules(before.config, after.config)
            told.notes += notes
            for rule in rules:
                told.items[rule.name] = Counts()
                yield from item_differences(before, after, rule, told.items[rule.name])
        if "links" in self._only:
            lacking = [f"{side.path}" for side in (before, after) if not has_links(side)]
            if lacking:
                told.notes.append(f"Links: not compared, as {' and '.join(lacking)} kept none (extract.links).")
            else:
                told.links = Counts()
                yield from link_differences(before, after, told.links)
