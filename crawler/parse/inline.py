"""How are pages parsed in the event loop itself?

For tests, debugging and tiny crawls: no start-up cost, but parsing stops fetching, and nothing contains a
page that hangs, crashes or eats memory.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawler.errors import ParseError
from crawler.parse.entry import EXTRACTOR, NOT_RUNNING, PageFunction, attempt, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import ParseConfig
    from crawler.extract.settings import Settings
    from crawler.models import Page, ParseFailure
    from crawler.parse.base import Job


class InlineParser:
    """A `Parser` without workers. ``parse.workers``, ``deadline`` and ``memory`` have no effect."""

    lanes = 1

    server_pid = None  # see `Parser.server_pid`

    def __init__(self, settings: Settings, config: ParseConfig, *, entry: str = EXTRACTOR) -> None:
        del config
        self._settings = settings
        self._entry = entry
        self._page: PageFunction | None = None

    async def start(self) -> None:
        """See `Parser.start`."""
        self._page = load(self._entry, self._settings)

    async def parse(self, jobs: Sequence[Job]) -> list[Page | ParseFailure]:
        """See `Parser.parse`. Lets the loop run once after each page."""
        results = []
        for job in jobs:
            if self._page is None:
                raise ParseError(NOT_RUNNING)
            results.append(attempt(self._page, job.request, job.response))
            await asyncio.sleep(0)
        return results

    def confirm(self, result: Page | ParseFailure) -> None:
        """See `Parser.confirm`. Pages keep all their links, which have a short way here."""

    async def aclose(self) -> None:
        """See `Parser.aclose`."""
        self._page = None
