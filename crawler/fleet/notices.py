"""What is whoever looks on at a worker told of what keeps it from its work?"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


TOLD_AFTER_S = 1.0
"""What is over sooner is in the log alone: a connection that was closed, a failover."""


class Notices:
    """What there is to tell is told once, when it begins and when it is over; logged, and to `say`."""

    def __init__(self) -> None:
        #: told a sentence
        self.say: Callable[[str], object] = lambda _: None
        #: why Redis is waited for; empty if it is not
        self.waits_for = ""
        self._later: asyncio.TimerHandle | None = None
        self._is_told = False
        self._paused_by = ""
        self._stands_by = False

    def trouble(self, why: str | None) -> None:
        """Redis cannot be relied on, or can again (None)."""
        self.waits_for = why or ""
        if why is not None:
            log.warning("waits for Redis", extra={"why": why})
            if not self._is_told and self._later is None:
                self._later = asyncio.get_running_loop().call_later(TOLD_AFTER_S, self._tell)
            return
        log.info("Redis is back")
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._is_told:
            self._is_told = False
            self.say("Redis is back: the crawl goes on.")

    def _tell(self) -> None:
        self._later, self._is_told = None, True
        self.say(f"Waiting: {self.waits_for}. Nothing is lost meanwhile.")

    def paused(self, by: str) -> None:
        """Somebody has paused the whole crawl; nobody has any more (empty)."""
        if by == self._paused_by:
            return
        self._paused_by = by
        log.info("the crawl is paused" if by else "the crawl goes on", extra={"why": by})
        self.say(f"The whole crawl is paused ({by})." if by else "The crawl goes on.")

    def stands_by(self, workers: int) -> None:
        """So many others have all that there is to be had, and this one waits for its turn; or 0."""
        if bool(workers) == self._stands_by:
            return
        self._stands_by = bool(workers)
        if workers:
            why = f"limits.per_address.concurrency is all with {counted(workers, 'other worker')}"
            log.warning("stands by", extra={"why": why})
            self.say(f"This worker stands by: {why}. It takes over when there is a part for it.")
        else:
            log.info("no longer stands by")
            self.say("This worker has its part of the hosts now.")
