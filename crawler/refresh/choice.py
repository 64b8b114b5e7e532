"""What does a refresh wait for, and what does it go by, before it admits pages? Sitemaps, then what is chosen.

The seeding's view of `selection` and `lastmod`, which know nothing of the crawl around them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from crawler.directory import CrawlDirectory
from crawler.extract.lastmod import LASTMODS
from crawler.models import Kind
from crawler.refresh.index import INDEX
from crawler.refresh.lastmod import Lastmods, Sitemaps
from crawler.refresh.selection import Selection, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.checkpoint import Keeper
    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.export.base import Sink
    from crawler.frontier.base import Frontier
    from crawler.generations import Generation
    from crawler.refresh.base import BaseUrl

log = logging.getLogger(__name__)


class Choice:
    """What of the generation before is visited. A `seeding.Selection`.

    Args:
        generation: That is made.
        config: In force.
        directory: Of the generation that is made.
        frontier: Its own, open.
        clock: Tells the time.
        carries: Whether anything may be passed over at all.
    """

    def __init__(
        self,
        generation: Generation,
        config: CrawlConfig,
        directory: CrawlDirectory,
        frontier: Frontier,
        clock: Clock,
        *,
        carries: bool,
    ) -> None:
        budget, refresh = config.budget, config.refresh
        self._terms = Terms(
            due=float(refresh.due) if generation.due else None,
            pages=budget.pages if generation.due else None,
            pages_per_host=budget.pages_per_host if generation.due else None,
            lastmod=refresh.lastmod if carries else "ignore",
        )
        self._base = CrawlDirectory(generation.base).store
        self._memory = directory.path / INDEX
        self._frontier = frontier
        self._clock = clock
        self._selection = Selection(self._memory, self._terms)
        self._sitemaps = Sitemaps(directory.store, clock) if self._terms.heed_sitemaps else None

    @property
    def keepers(self) -> Mapping[str, Keeper]:
        """What hears of commits."""
        return {LASTMODS: self._sitemaps} if self._sitemaps is not None else {}

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """What hears of sitemaps; not open."""
        return {} if self._terms.lastmod == "ignore" else {LASTMODS: Lastmods(self._memory)}

    async def settled(self) -> None:
        """Return once sitemaps have had their say, as far as that counts, and what is visited is decided."""
        if self._sitemaps is not None:
            await self._sitemaps.settled()
        if self._terms.passes_over:
            decide = self._selection.decide
            counts = await asyncio.to_thread(decide, self._base, self._frontier.key, self._clock.wall())
            why = f"{counts.visited:,} pages are; not due: {counts.not_due + counts.beyond:,}, no newer by their "
            log.info("what is visited is chosen", extra={"why": f"{why}sitemap: {counts.lastmod:,}"})

    def reads_anew(self, kind: Kind) -> bool:
        """Whether URLs of a kind are read in full, changed or not: a 304 would not tell the lastmods of a sitemap."""
        return kind is Kind.SITEMAP and self._terms.lastmod != "ignore"

    def skip(self, url: BaseUrl) -> str | None:
        """Why a URL is not visited; None if it is."""
        return self._selection.skip(url.id)
