"""How is a new store made of what the output files say?

With what any frontier can do: URLs that have a line are admitted and end at once, as the line says. Then comes what
they lead to and has no line: seeds, then links and targets of redirects, in the order in which they were found as far
as the times of their lines tell. The first line of a URL counts. What does not tell what it led to loses its line, and
is fetched again: a page whose record lacks its links, one that has no record as it asked not to be indexed, a sitemap.
So is what may have lost something that was scraped of it (`crawler.repair.scraped`), as far as a file shows: one that
ends early at the end of a line does not, nor does one of rejects that is gone.

A page of a later generation counts as fetched in it, though its record may be of an earlier one's.

Lost are the pace, the robots.txt and the failures of hosts, retries that were put off, totals other than those of
lines, and which links a page asked not to be followed: those are followed that were found so far.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from crawler.counters import counters_with
from crawler.errors import FrontierError
from crawler.export.outcomes import OutcomeRecord
from crawler.extract.record import PageRecord, SitemapLine
from crawler.models import LINKS, OUTCOMES, PAGES, SITEMAPS, Checkpoint, Finished, HostState, Outcome, Url
from crawler.renames import RENAMES, renames_blob
from crawler.repair.found import UNTOLD, Found
from crawler.repair.givers import Givers
from crawler.repair.links import NewLinks, tells_links
from crawler.repair.origins import Origins, fetched_at, wall
from crawler.repair.salvage import Reading, Salvaged, salvage
from crawler.repair.scraped import Scraped
from crawler.rule_health import RULES
from crawler.scope import Scope
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.config import CrawlConfig
    from crawler.frontier.base import Frontier
    from crawler.models import Request
    from crawler.renames import OutputFiles
    from crawler.spool import Spool


class Rebuilt(NamedTuple):
    """What the new store holds."""

    files: Mapping[str, Salvaged]
    again: int  #: what is fetched again because no record tells what it led to
    lost: int = 0  #: … because what was scraped of it may not be whole

    def told(self, files: OutputFiles) -> list[str]:
        """The same in plain lines."""
        pages, outcomes = self.files[PAGES], self.files[OUTCOMES]
        told = [f"rebuilt from {pages.kept:,} page records and {outcomes.kept:,} outcomes"]
        if not pages.kept:
            told.append(f"there is no page record in {files.paths[PAGES]}: all pages are fetched again")
        if self.again:
            told.append(f"{self.again:,} URLs are fetched again: no record tells what they led to")
        if self.lost:
            told.append(f"{self.lost:,} URLs are fetched again: what was scraped of them may not be whole")
        return told + [
            f"{files.paths[name].name} {done}"
            for name, done in self.files.items()
            if name not in (LINKS, SITEMAPS) and (done.damage or done.dropped)
        ]


async def rebuild(
    frontier: Frontier, files: OutputFiles, config: CrawlConfig, spool: Spool, blobs: Mapping[str, bytes]
) -> Rebuilt:
    """Fill a new store. Drafts of files are to take their place: it says so itself (`crawler.renames`).

    Args:
        frontier: Open and empty; closed by its owner.
        files: Not open, and not changed.
        config: Of the crawl.
        spool: Its seed list, as far as it is good.
        blobs: What else to store.

    Raises:
        CrawlerError: A file cannot be read.
        ExportError: A draft cannot be written.
        FrontierError: The store cannot be written.
    """
    return await _Rebuilding(frontier, files, config).run(spool, blobs)


class _Rebuilding:
    def __init__(self, frontier: Frontier, files: OutputFiles, config: CrawlConfig) -> None:
        self._frontier = frontier
        self._files = files
        self._max_depth = config.scope.max_depth
        self._ended = _Ended(frontier, counts_pages=config.budget.pages_per_host is not None)
        self._origins = Origins(config.urls, frontier.key)
        self._scraped = Scraped(files, frontier.key, can_give=Givers(config))
        self._found = Found(frontier, Scope(config.scope), self._origins, self._is_lost)
        self._new_links = NewLinks(files) if LINKS in files.paths else None
        self._ends: Counter[tuple[Outcome, str | None]] = Counter()
        self._again = 0

    async def run(self, spool: Spool, blobs: Mapping[str, bytes]) -> Rebuilt:
        async for record in Reading(self._files.paths[OUTCOMES], OutcomeRecord).records():
            if self._origins.is_good(record):
                self._origins.redirect(record)
                if record.reason in ("sitemap", "bad_sitemap"):
                    self._origins.sitemap(record)
        salvaged = await self._salvaged()
        await self._found.seeds(spool)
        await self._found.from_records(self._files, self._tells)
        drafts = [name for name, done in salvaged.items() if done.drafted]
        health = {RULES: self._scraped.health(salvaged)} if self._scraped.names else {}
        checkpoint = Checkpoint(
            positions={name: done.length for name, done in salvaged.items()},
            counters=counters_with({}, salvaged[PAGES].kept, self._ends),
            blobs={RENAMES: renames_blob(self._files, drafts), **health, **blobs},
        )
        await self._frontier.commit(checkpoint)
        return Rebuilt(salvaged, self._again, len(self._scraped.lost))

    async def _salvaged(self) -> dict[str, Salvaged]:
        """End what has a line, and say which lines stay."""
        await self._scraped.look()
        if self._new_links:
            await self._new_links.begin()
        try:
            found = {
                PAGES: await salvage(self._files, PAGES, PageRecord, self._page_lines),
                OUTCOMES: await salvage(self._files, OUTCOMES, OutcomeRecord, self._outcome_lines),
            }
            if self._new_links:
                found[LINKS] = await self._new_links.finish()
            if SITEMAPS in self._files.paths:
                found[SITEMAPS] = await salvage(self._files, SITEMAPS, SitemapLine, _none_stays)
            found |= await self._scraped.salvaged(self._have)
        except BaseException:
            if self._new_links:
                await self._new_links.discard()
            raise
        return found

    async def _have(self, urls: Sequence[str]) -> list[bool]:
        """Which of these have ended."""
        return [end is not None for end in await self._frontier.find(urls)]

    def _is_lost(self, url: str) -> bool:
        return fingerprint(Url(url), self._frontier.key) in self._scraped.lost

    async def _page_lines(self, records: Sequence[PageRecord | None]) -> list[bool]:
        ends = [self._page_end(record) if self._scraped.page_stays(record) else None for record in records]
        stays = await self._ended.book(ends)
        if self._new_links:
            await self._new_links.add(record for record, yes in zip(records, stays, strict=True) if record and yes)
        return stays

    def _page_end(self, record: PageRecord | None) -> Finished | None:
        if record is None or not self._origins.is_good(record):
            return None
        if not self._tells(record):
            self._again += 1
            return None
        request = self._origins.request(record)
        at = fetched_at(record)
        return Finished(request=request, outcome=Outcome.FETCHED, status=record.status, at=at, has_page=True)

    def _tells(self, record: PageRecord) -> bool:
        """Whether what the page leads to is known."""
        too_deep = self._max_depth is not None and record.depth >= self._max_depth
        return tells_links(record) or (too_deep and not self._new_links)

    async def _outcome_lines(self, records: Sequence[OutcomeRecord | None]) -> list[bool]:
        ends = [self._outcome_end(record) if self._scraped.outcome_stays(record) else None for record in records]
        stays = await self._ended.book(ends)
        kept = [record for record, yes in zip(records, stays, strict=True) if record and yes]
        self._ends.update((record.outcome, record.reason) for record in kept)
        return stays

    def _outcome_end(self, record: OutcomeRecord | None) -> Finished | None:
        if record is None or not self._origins.is_good(record):
            return None
        is_kept = record.outcome is Outcome.UNCHANGED  # perhaps a sitemap, whose lines do not stay
        if record.reason in UNTOLD or (is_kept and SITEMAPS in self._files.paths):
            self._again += 1
            return None
        unasked = record.outcome in (Outcome.EXCLUDED, Outcome.UNCHANGED) and record.status is None
        return Finished(
            request=self._origins.request(record, max(1, record.attempts + unasked)),
            outcome=record.outcome,
            reason=record.reason,
            status=record.status,
            target=record.target,
            at=wall(record.at),
        )


async def _none_stays(lines: Sequence[SitemapLine | None]) -> list[bool]:
    """All sitemaps are fetched again, and list their entries again."""
    return [False] * len(lines)


class _Ended:
    """Has URLs end, and counts the pages of each host where there is a budget for them."""

    def __init__(self, frontier: Frontier, *, counts_pages: bool) -> None:
        self._frontier = frontier
        self._counts_pages = counts_pages

    async def book(self, ends: Sequence[Finished | None]) -> list[bool]:
        """Which of these are the first end of their URL; those are committed."""
        asked = [replace(end.request, attempt=1) for end in ends if end]
        new = iter(self._frontier.add(asked))
        first = [bool(end and next(new)) for end in ends]
        by_url = {end.request.url: end for end, is_first in zip(ends, first, strict=True) if end and is_first}
        if by_url:
            hosts = Counter(end.request.host_key for end in by_url.values())
            taken = await self._frontier.take(list(hosts.items()))
            if {request.url for request in taken} != by_url.keys():
                raise FrontierError("the new store does not hand out what was put into it")
            finished = tuple(_ended_as(by_url[request.url], request) for request in taken)
            await self._frontier.commit(Checkpoint(finished=finished, hosts=await self._states(finished)))
        return first

    async def _states(self, finished: Sequence[Finished]) -> tuple[HostState, ...]:
        """What to store of hosts that have more pages now."""
        pages = Counter(end.request.host_key for end in finished if end.has_page and self._counts_pages)
        states = [await self._frontier.host(key) or HostState(host_key=key) for key in pages]
        return tuple(replace(state, pages=state.pages + pages[state.host_key]) for state in states)


def _ended_as(end: Finished, taken: Request) -> Finished:
    """`end`, of the request that the frontier knows."""
    return replace(end, request=replace(taken, attempt=end.request.attempt))
