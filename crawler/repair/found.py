"""What was found and has no end yet, as far as the records of a crawl tell?

Admitted in the order in which it was found, by the times of the records it was found in: so each URL gets the depth,
the page and the chain of redirects it had.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawler.export.outcomes import OutcomeRecord
from crawler.extract.record import PageRecord
from crawler.frontier.seen import Seen
from crawler.models import OUTCOMES, PAGES, Checkpoint, Link, Url
from crawler.politeness.retry import hop
from crawler.repair.origins import fetched_at, from_robots, wall
from crawler.repair.salvage import Reading
from crawler.seeds import seed_request
from crawler.url import fingerprint, host, host_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from crawler.frontier.base import Frontier
    from crawler.renames import OutputFiles
    from crawler.repair.origins import Origins
    from crawler.scope import Scope
    from crawler.spool import Spool

UNTOLD = ("noindex", "sitemap")
"""Reasons of URLs whose line does not tell what they led to."""

_UNCOMMITTED_URLS = 20_000

_Record = PageRecord | OutcomeRecord
_Dated = tuple[float, _Record]


class Found:
    """The way into a new store, for what has no line of its own.

    Args:
        frontier: Has all URLs that do have one.
        scope: Of the crawl.
        origins: Knows all redirects.
        is_lost: Whether a URL has to be fetched again though it has a line.
    """

    def __init__(self, frontier: Frontier, scope: Scope, origins: Origins, is_lost: Callable[[str], bool]) -> None:
        self._frontier = frontier
        self._scope = scope
        self._origins = origins
        self._is_lost = is_lost
        self._looked_at = Seen()  # fingerprints of links
        self._bad: set[int] = set()  # of which these are of no URL; damage, so there are few

    async def seeds(self, spool: Spool) -> None:
        """Admit the seed list, as far as its file is good."""
        position, end = 0, await asyncio.to_thread(spool.good)
        while position < end:
            seeds, position = await asyncio.to_thread(spool.batch, position, end)
            self._frontier.add([seed_request(seed) for seed in seeds if seed.url is not None])
            await self._room()

    async def from_records(self, files: OutputFiles, tells: Callable[[PageRecord], bool]) -> None:
        """Admit what pages link to and redirects lead to, and what does not tell what it led to."""
        pages = _dated_pages(Reading(files.paths[PAGES], PageRecord))
        redirects = _dated_outcomes(Reading(files.paths[OUTCOMES], OutcomeRecord))
        async for record in _by_time(pages, redirects):
            if not self._origins.is_good(record):
                continue
            if self._is_lost(record.url):
                self._frontier.add([self._origins.request(record)])
            elif isinstance(record, OutcomeRecord):
                self._follow(record)
            elif tells(record):
                self._discover(record)
            else:
                self._frontier.add([self._origins.request(record)])
            await self._room()

    def _follow(self, record: OutcomeRecord) -> None:
        target = self._origins.target(record)
        if target:
            self._frontier.add([hop(self._origins.request(record), target)])
        elif record.reason == "noindex" or (record.reason == "sitemap" and from_robots(record)):
            self._frontier.add([self._origins.request(record)])  # other sitemaps are seeds, or found by fetching those

    def _discover(self, record: PageRecord) -> None:
        parent = self._origins.request(record)
        scope = self._scope.for_page(parent.scope_host, parent.depth + 1)
        links = []
        for found, url in self._good([link.url for link in record.links or ()], self._frontier.key):
            if scope.refusal(url, host(url)) is None:
                links.append(Link(url=url, host_key=host_key(url), fingerprint=found))
        self._frontier.discover(parent, links)

    def _good(self, urls: Sequence[str], key: int) -> list[tuple[int, Url]]:
        """Those that a crawl can have written, with their fingerprints. Most were looked at before, on other pages."""
        fingerprints = [fingerprint(Url(url), key) for url in urls]
        for place in self._looked_at.add_all(fingerprints):
            if not self._origins.is_canonical(urls[place]):
                self._bad.add(fingerprints[place])
        pairs = zip(fingerprints, map(Url, urls), strict=True)
        return [pair for pair in pairs if pair[0] not in self._bad] if self._bad else list(pairs)

    async def _room(self) -> None:
        if self._frontier.uncommitted >= _UNCOMMITTED_URLS:
            await self._frontier.commit(Checkpoint())


async def _dated_pages(reading: Reading[PageRecord]) -> AsyncIterator[_Dated]:
    async for record in reading.records():
        yield fetched_at(record), record


async def _dated_outcomes(reading: Reading[OutcomeRecord]) -> AsyncIterator[_Dated]:
    async for record in reading.records():
        yield wall(record.at), record


async def _by_time(
    one: AsyncIterator[_Dated], other: AsyncIterator[_Dated]
) -> AsyncIterator[PageRecord | OutcomeRecord]:
    """The records of two files together; each is nearly in order."""
    first, second = await anext(one, None), await anext(other, None)
    while first or second:
        if first and (second is None or first[0] <= second[0]):
            yield first[1]
            first = await anext(one, None)
        elif second:
            yield second[1]
            second = await anext(other, None)
