"""How are pages parsed in threads?

For interpreters without a global lock, and for systems that cannot start processes. Threads share the
lock wherever it exists, and nothing contains a page that hangs, crashes or eats memory: a thread that
hangs keeps even the interpreter from exiting.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from crawler.errors import ParseError
from crawler.parse.entry import EXTRACTOR, NOT_RUNNING, PageFunction, attempt, load, worker_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import ParseConfig
    from crawler.extract.settings import Settings
    from crawler.models import Page, ParseFailure
    from crawler.parse.base import Job


class ThreadParser:
    """A `Parser` over a thread pool; one hop to a thread for each batch.

    ``parse.deadline`` and ``parse.memory`` have no effect.
    """

    server_pid = None  # see `Parser.server_pid`

    def __init__(self, settings: Settings, config: ParseConfig, *, entry: str = EXTRACTOR) -> None:
        self._settings = settings
        self._entry = entry
        self._workers = worker_count(config)
        self._executor: ThreadPoolExecutor | None = None
        self._page: PageFunction | None = None

    @property
    def lanes(self) -> int:
        """See `Parser.lanes`: one batch in work and one at hand for each thread."""
        return 2 * self._workers

    async def start(self) -> None:
        """See `Parser.start`."""
        self._page = load(self._entry, self._settings)
        self._executor = ThreadPoolExecutor(self._workers, thread_name_prefix="parser")

    async def parse(self, jobs: Sequence[Job]) -> list[Page | ParseFailure]:
        """See `Parser.parse`. A cancelled batch still runs to its end, unseen."""
        if self._executor is None:
            raise ParseError(NOT_RUNNING)
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._work, jobs)

    def _work(self, jobs: Sequence[Job]) -> list[Page | ParseFailure]:
        results = []
        for job in jobs:
            page = self._page
            if page is None:  # closed meanwhile; a thread can only be asked to stop, between two pages
                raise ParseError(NOT_RUNNING)
            results.append(attempt(page, job.request, job.response))
        return results

    def confirm(self, result: Page | ParseFailure) -> None:
        """See `Parser.confirm`. Pages keep all their links, which have a short way here."""

    async def aclose(self) -> None:
        """See `Parser.aclose`. Pages being worked on end unseen; batches that wait fail."""
        self._page = None
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False)
