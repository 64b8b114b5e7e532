"""How are output files brought in line with a store that is whole?

The store says which URLs have ended, and in which file each has its line. Lines that are good and that it agrees with
stay; URLs whose line is not there are fetched again; lines of links and of what was scraped follow their pages. All
that changes becomes true in one transaction of the store (`crawler.renames`), so that a repair that is interrupted has
either not begun or only to be finished.
"""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from msgspec.structs import replace

from crawler.counters import counters_with
from crawler.export.outcomes import OutcomeRecord
from crawler.extract.record import LinkLine, PageRecord, SitemapLine
from crawler.models import LINKS, OUTCOMES, PAGES, SITEMAPS, Checkpoint, Outcome, Url
from crawler.renames import RENAMES, complete_renames, renames_blob
from crawler.repair.ended import EndedTable
from crawler.repair.links import NewLinks, tells_links
from crawler.repair.salvage import Reading, Salvaged, salvage
from crawler.repair.scraped import Scraped
from crawler.rule_health import RULES
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

    from crawler.dataset.ledger import Ended
    from crawler.frontier.base import Frontier
    from crawler.models import Restored
    from crawler.renames import OutputFiles

_LEDGER_AT_ONCE = 2_000
T = TypeVar("T")

_NOTHING: dict[str, bytes] = {}


class Mended(NamedTuple):
    """What was done."""

    restored: Restored  #: as if the crawl had been opened afterwards
    told: Sequence[str]  #: in plain lines; none if nothing was wrong


async def mend(
    frontier: Frontier,
    restored: Restored,
    files: OutputFiles,
    ended: Callable[[], Iterator[Ended]],
    *,
    blobs: Mapping[str, bytes] = _NOTHING,
    readers: Sequence[str] = (),
    can_give: Callable[[str, str], bool] = lambda *_: True,
) -> Mended:
    """Make the files what the store says, and the store what they can hold.

    Args:
        frontier: Open, with no renames due.
        restored: What it knew when it was opened.
        files: Not open.
        ended: Every URL that has ended, from the store.
        blobs: What else has to be stored because it is no longer what the store says.
        readers: Names of blobs that say how far somebody has read pages.jsonl; forgotten if that becomes another.
        can_give: As for `Scraped`.

    Raises:
        CrawlerError: A file cannot be read.
        ExportError: A draft cannot be written.
        FrontierError: The store cannot be read or written.
    """
    if not restored.positions:  # nothing was ever committed
        return Mended(restored, ())
    lines = _Lines(
        frontier.key, files, ended(), Scraped(files, frontier.key, restored.positions, can_give), restored.positions
    )
    found = await lines.salvaged()
    changed = {name: done for name, done in found.items() if done.changed(restored.positions.get(name, 0))}
    if not (lines.table.lacking or changed or blobs):
        return Mended(restored, ())
    drafts = [name for name, done in changed.items() if done.drafted]
    reread = dict.fromkeys(readers if PAGES in changed else (), b"")
    health = {RULES: lines.scraped.health(found)} if lines.scraped.names else {}
    checkpoint = Checkpoint(
        positions={name: done.length for name, done in changed.items()},
        counters=counters_with(restored.counters, lines.pages, lines.ends + _kept(lines, ended())),
        blobs={RENAMES: renames_blob(files, drafts), **health, **reread, **blobs},
    )
    lacking: Counter[str] = Counter()
    await frontier.requeue(_lacking(lines, ended(), lacking), checkpoint)
    restored = replace(
        restored,
        positions=restored.positions | checkpoint.positions,
        counters=checkpoint.counters,
        blobs={name: blob for name, blob in (restored.blobs | checkpoint.blobs).items() if blob},
    )
    told = [f"{files.paths[name].name} {done}" for name, done in changed.items()]
    if lacking:
        told.append("fetched again: " + " and ".join(f"{count:,} {what}" for what, count in sorted(lacking.items())))
    return Mended(await complete_renames(frontier, restored, files), told)


def _kept(lines: _Lines, ended: Iterator[Ended]) -> Counter[tuple[Outcome, str | None]]:
    """Pages of a generation that have not changed and whose line stays: no line of outcomes.jsonl tells of them."""
    if not lines.table.unchanged_pages:
        return Counter()
    pages = (end for end in ended if end.has_page and end.outcome is Outcome.UNCHANGED)
    return Counter((end.outcome, end.reason) for end in pages if lines.has(end.url))


async def _lacking(lines: _Lines, ended: Iterator[Ended], counts: Counter[str]) -> AsyncIterator[Sequence[str]]:
    """The URLs of which no line stays, in batches; counts them."""
    while lines.table.lacking and (batch := list(islice(ended, _LEDGER_AT_ONCE))):
        lacking = [end for end in batch if not lines.has(end.url)]
        counts.update("pages" if end.has_page else "URLs that ended otherwise" for end in lacking)
        yield [end.url for end in lacking]


class _Lines:
    """The lines that stay, of all files."""

    def __init__(
        self,
        key: int,
        files: OutputFiles,
        ended: Iterator[Ended],
        scraped: Scraped,
        committed: Mapping[str, int],
    ) -> None:
        self._key = key
        self._committed = committed
        self._files = files
        self._new_links: NewLinks | None = None  # where links.jsonl has to be written anew
        self._sitemaps_again = False  # where sitemaps.jsonl has to be
        self.scraped = scraped
        self.table = EndedTable((self._fingerprint(end.url), end.outcome, end.has_page) for end in ended)
        #: how many page records stay
        self.pages = 0
        #: how many lines stay in outcomes.jsonl, by what they say
        self.ends: Counter[tuple[Outcome, str | None]] = Counter()

    def has(self, url: str) -> bool:
        """Whether a line of this URL stays."""
        return self.table.is_found(self._fingerprint(url))

    async def salvaged(self) -> dict[str, Salvaged]:
        """What is good in each file."""
        found: dict[str, Salvaged] = {}
        has_links, has_sitemaps = (name in self._committed and name in self._files.paths for name in (LINKS, SITEMAPS))
        if has_links and await self._is_damaged(LINKS, LinkLine, self._are_of_pages):
            self._new_links = NewLinks(self._files)
            await self._new_links.begin()
        self._sitemaps_again = has_sitemaps and await self._is_damaged(SITEMAPS, SitemapLine)
        try:
            await self.scraped.look(self.table.__contains__)
            found[PAGES] = await self._salvaged(PAGES, PageRecord, self._page_lines)
            found[OUTCOMES] = await self._salvaged(OUTCOMES, OutcomeRecord, self._outcome_lines)
            if self._new_links:
                found[LINKS] = await self._new_links.finish()
            elif has_links:
                found[LINKS] = await self._salvaged(LINKS, LinkLine, self._link_lines)
            if has_sitemaps:
                found[SITEMAPS] = await self._salvaged(SITEMAPS, SitemapLine, self._sitemap_lines)
            found |= await self.scraped.salvaged(self._have)
        except BaseException:
            if self._new_links:
                await self._new_links.discard()
            raise
        return found

    async def _have(self, urls: Sequence[str]) -> list[bool]:
        return [self.has(url) for url in urls]

    async def _salvaged(
        self, name: str, kind: type[T], judge: Callable[[Sequence[T | None]], Awaitable[Sequence[bool]]]
    ) -> Salvaged:
        return await salvage(self._files, name, kind, judge, self._committed.get(name, 0))

    async def _page_lines(self, records: Sequence[PageRecord | None]) -> list[bool]:
        whole = [self.scraped.page_stays(record) for record in records]
        pairs = zip(records, whole, strict=True)
        stays = [record is not None and is_whole and self._page_stays(record) for record, is_whole in pairs]
        self.pages += sum(stays)
        if self._new_links:
            await self._new_links.add(record for record, yes in zip(records, stays, strict=True) if record and yes)
        return stays

    def _page_stays(self, record: PageRecord) -> bool:
        if self._new_links and not tells_links(record):
            return False
        return self.table.find_page(self._fingerprint(record.url))

    def _outcome_stays(self, record: OutcomeRecord) -> bool:
        if self._sitemaps_again and (record.reason == "sitemap" or record.outcome is Outcome.UNCHANGED):
            return False
        return self.table.find(self._fingerprint(record.url), record.outcome, page=False)

    async def _outcome_lines(self, records: Sequence[OutcomeRecord | None]) -> list[bool]:
        whole = [self.scraped.outcome_stays(record) for record in records]
        pairs = zip(records, whole, strict=True)
        stays = [record is not None and is_whole and self._outcome_stays(record) for record, is_whole in pairs]
        kept = [record for record, yes in zip(records, stays, strict=True) if record and yes]
        self.ends.update((record.outcome, record.reason) for record in kept)
        return stays

    async def _link_lines(self, records: Sequence[LinkLine | None]) -> list[bool]:
        return [record is not None and self.has(record.source) for record in records]

    async def _sitemap_lines(self, records: Sequence[SitemapLine | None]) -> list[bool]:
        return [record is not None and self.has(record.sitemap) for record in records]

    async def _is_damaged(
        self, name: str, kind: type[T], belong: Callable[[Sequence[T]], bool] = lambda _: True
    ) -> bool:
        """Whether a file is short, or has lines that are none, or do not `belong` there."""
        committed = self._committed[name]
        reading = Reading(self._files.paths[name], kind, committed)
        async with aclosing(reading.blocks()) as blocks:
            async for _, records in blocks:
                whole = [record for record in records if record is not None]
                if len(whole) < len(records) or not belong(whole):
                    return True
        return reading.missing or reading.cut[0] != committed

    def _are_of_pages(self, lines: Sequence[LinkLine]) -> bool:
        """Whether these are links of pages that the store knows."""
        return all(self.table.has_page(self._fingerprint(source)) for source in {line.source for line in lines})

    def _fingerprint(self, url: str) -> int:
        return fingerprint(Url(url), self._key)
