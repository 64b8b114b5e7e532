"""What does a user's code hear of a crawl, and when?

Of each page, and of each URL that failed, once it is committed, in the order in which they were: at most once over all
runs of a crawl, as a crash right after a commit may come before the call. In a refresh, a page that is as it was is no
news, and nobody hears of it. Whoever must not miss one takes a sink
(`crawler.given`), whose own state is stored with each commit.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, TypeVar

import msgspec

from crawler.errors import ConfigError, CrawlerError
from crawler.export.outcomes import OutcomeRecord
from crawler.extract.record import PageRecord
from crawler.given import is_cancelled
from crawler.models import OUTCOMES, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.checkpoint import Committed

    Told = TypeVar("Told")
    Listener = Callable[[Told], object]
    """A function, or an asynchronous one; what comes of it is ignored."""

_AT_ONCE = 100

_pages = msgspec.json.Decoder(PageRecord)
_outcomes = msgspec.json.Decoder(OutcomeRecord)


class Listeners:
    """Functions that are called with what was committed, one call after the other.

    An exception in one of them stops the crawl, as `Crawl.stop` does; none of them is called again in that run.

    Args:
        on_page: Called with each page that has a record, and was fetched for it.
        on_failure: Called with each URL that ended as ``failed``.
        stop: Stops the crawl.

    Raises:
        ConfigError: One of them cannot be called.
    """

    def __init__(
        self,
        on_page: Listener[PageRecord] | None,
        on_failure: Listener[OutcomeRecord] | None,
        stop: Callable[[], None],
    ) -> None:
        for name, listener in (("on_page", on_page), ("on_failure", on_failure)):
            if listener is not None and not callable(listener):
                raise ConfigError(f"{name}: {listener!r}: expected a function")
        self._on_page = on_page
        self._on_failure = on_failure
        self._stop = stop
        #: what one of them has raised
        self.error: Exception | None = None
        self._teller: asyncio.Task[object] | None = None

    @property
    def called_here(self) -> bool:
        """Whether one of them is running, and asks this itself: the crawl waits for it."""
        return self._teller is not None and self._teller is asyncio.current_task()

    async def hear(self, committed: Committed) -> None:
        """Tell them of a commit; what they take, the crawl waits."""
        if self.error is not None:
            return
        self._teller = asyncio.current_task()
        try:
            await self._tell(committed)
        except asyncio.CancelledError as error:
            if is_cancelled(error):
                raise
            self.error = CrawlerError("what on_page or on_failure awaited was cancelled")
            self.error.__cause__ = error
            self._stop()
        except Exception as error:  # noqa: BLE001 - whatever it is, what is in flight is to be committed first
            self.error = error
            self._stop()
        finally:
            self._teller = None

    async def _tell(self, committed: Committed) -> None:
        if self._on_page is not None:
            for number, line in enumerate(committed.news, 1):
                await _call(self._on_page, _pages.decode(line))
                if not number % _AT_ONCE:
                    await asyncio.sleep(0)  # thousands in one turn would hold up requests that are due
        if self._on_failure is not None:
            for line in committed.lines.get(OUTCOMES, ()):
                outcome = _outcomes.decode(line)
                if outcome.outcome is Outcome.FAILED:
                    await _call(self._on_failure, outcome)


async def _call(listener: Listener[Told], told: Told) -> None:
    answer = listener(told)
    if inspect.isawaitable(answer):
        await answer
