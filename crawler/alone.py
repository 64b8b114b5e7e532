"""Which request may go on while a URL is suspected of having killed the process?

Suspects (`in_flight`) are taken alone: requests that come up meanwhile are held before they start, those in hand come
to their end, and what has ended is committed, so that one more death costs nothing else. Then the suspect is fetched
and parsed, and committed, before the others go on. Suspects that wait at the same time are taken one after the other.

One that may be about to cause the last death that is borne is left for when there is nothing else to do. So that death
costs nothing at all, and whoever kills the process from outside, again and again, hardly ever hits the same URL.

Requests are held after the schedule has handed them out: it takes them for unstarted, and the pause of their host
counts from the actual start. Nothing is held longer than requests take; where all suspects wait for their hosts, the
crawl goes on as usual.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from crawler.errors import FetchError
from crawler.in_flight import MOST_DEATHS
from crawler.models import Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from crawler.checkpoint import Committer
    from crawler.in_flight import InFlight
    from crawler.models import Request, Response

    Fetch = Callable[[Request, Callable[[], None]], Awaitable[Response]]
    Attempt = Callable[[Request, Fetch | None], Awaitable[bool]]

log = logging.getLogger(__name__)


class Alone:
    """Takes requests while there are suspects.

    Args:
        in_flight: Knows them, and what is in hand.
        committer: Stores what has ended.
        put_off: Gives a request back for now, unless there is nothing else to do; whether it did.
    """

    def __init__(self, in_flight: InFlight, committer: Committer, put_off: Callable[[Request], bool]) -> None:
        self._in_flight = in_flight
        self._committer = committer
        self._put_off = put_off
        self._turn = asyncio.Lock()
        self._due = 0  # suspects that wait or are taken
        self._go = asyncio.Event()  # none is due
        self._go.set()
        self._emptied = asyncio.Event()  # nothing is in hand

    async def take(self, request: Request, attempt: Attempt) -> None:
        """Have an attempt made at a request when its turn has come.

        Args:
            request: Just handed out, and in nobody's hand yet.
            attempt: Makes it, by a fetcher's `fetch` or by what is given in its stead, unless the request may not start
                any more. Tells whether that comes to an end, rather than to another attempt; returns before the end if
                the answer has to be parsed.
        """
        deaths = self._in_flight.deaths(request)
        if not deaths:
            while not self._go.is_set():
                await self._go.wait()
            await attempt(request, None)
        elif deaths >= MOST_DEATHS:
            if await attempt(request, _refuse):
                told = {"url": request.url, "why": _times(deaths)}
                log.warning("not asked for again: the crawl died of it", extra=told)
                await self._clear(request)
        elif deaths < MOST_DEATHS - 1 or request.kind is Kind.ROBOTS or not self._put_off(request):
            await self._take_alone(request, attempt, deaths)

    async def _take_alone(self, request: Request, attempt: Attempt, deaths: int) -> None:
        self._due += 1
        self._go.clear()
        self._in_flight.heard = self._heard
        try:
            async with self._turn:
                await self._nothing_in_hand()
                await self._committer.flush()
                told = {"url": request.url, "why": f"in hand when the crawl died, {_times(deaths)}"}
                log.info("taken alone", extra=told)
                if await attempt(request, None):
                    await self._nothing_in_hand()  # its own end
                    await self._clear(request)
        finally:
            self._due -= 1
            if not self._due:
                self._in_flight.heard = None
                self._go.set()

    async def _nothing_in_hand(self) -> None:
        while len(self._in_flight):
            self._emptied.clear()
            await self._emptied.wait()

    def _heard(self, _: Request) -> None:
        if not len(self._in_flight):
            self._emptied.set()

    async def _clear(self, request: Request) -> None:
        try:
            await self._committer.flush()
        finally:  # cancelled at the end of a run, whose last checkpoint holds its end, too
            self._in_flight.clear(request)


async def _refuse(_request: Request, _started: Callable[[], None]) -> Response:
    raise FetchError("crashed_crawler", _times(MOST_DEATHS))


def _times(deaths: int) -> str:
    return "once" if deaths == 1 else f"{deaths} times"
