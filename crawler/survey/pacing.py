"""When may a survey ask a host? One thing at a time, a delay apart, within the limits on addresses and on all hosts.

As `politeness.policy` paces a crawl, but for a handful of requests of which each waits for its own turn.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FetchError
from crawler.politeness.limits import LimitTable
from crawler.politeness.retry import retry_after_s
from crawler.politeness.schedule import GUARD_S
from crawler.reach import seed_of
from crawler.reasons import PRIVATE_ADDRESS
from crawler.survey.forecast import pause_of

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.fetch.base import Fetcher
    from crawler.models import HostKey, Request, Response
    from crawler.politeness.limits import Resolved
    from crawler.reach import Reach


class _Host:
    """A host that is asked."""

    __slots__ = ("addresses", "answer_s", "crawl_delay_s", "due", "limits", "lock", "started_at")

    def __init__(self, limits: Resolved) -> None:
        self.limits = limits
        self.crawl_delay_s = 0.0
        #: how long it took to answer, the longest time
        self.answer_s = 0.0
        self.started_at = float("-inf")
        #: when its next request may start
        self.due = float("-inf")
        self.lock = asyncio.Lock()
        #: None until they are looked up
        self.addresses: tuple[str, ...] | None = None


class Pacing:
    """Makes requests, each in its turn.

    Args:
        config: With the limits in force.
        fetcher: Makes them.
        clock: The time of the running loop.
        reach: Where what was found may lead; None: anywhere.
    """

    def __init__(self, config: CrawlConfig, fetcher: Fetcher, clock: Clock, reach: Reach | None = None) -> None:
        self._config = config
        self._fetcher = fetcher
        self._clock = clock
        self._reach = reach
        self._limits = LimitTable(config.limits)
        self._hosts: dict[HostKey, _Host] = {}
        self._slots = asyncio.Semaphore(config.limits.concurrency)
        at_once = config.limits.per_address.concurrency
        self._at: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(at_once))

    async def locate(self, key: HostKey) -> tuple[str, ...]:
        """The addresses of a host, as `Fetcher.locate`.

        Raises:
            FetchError: Its name does not resolve.
        """
        host = self._host(key)
        if host.addresses is None:
            async with self._slots:
                host.addresses = tuple(await self._fetcher.locate(key))
        return host.addresses

    async def attempt(self, request: Request) -> Response | FetchError:
        """Make one attempt, once it may be made."""
        host = self._host(request.host_key)
        try:
            addresses = await self.locate(request.host_key)
            request = await self._judged(request, addresses)
        except FetchError as error:
            return error
        async with host.lock:
            while (wait_s := host.due - self._clock.monotonic()) > 0:  # noqa: ASYNC110  (may be put off meanwhile)
                await asyncio.sleep(wait_s)
            async with self._slots, self._at[addresses[0] if addresses else request.host_key]:
                before = host.started_at
                answer = await self._fetch(host, request)
            if isinstance(answer, FetchError):
                if host.started_at == before:
                    self._started(host)  # it never went on the wire, but may have got as far as the server's door
            else:
                host.answer_s = max(host.answer_s, answer.elapsed_s)
                self._pace(host)
                rest_s = retry_after_s(answer, self._clock.wall()) or 0.0
                self.hold(request.host_key, self._clock.monotonic() + rest_s)
        return answer

    def slow_down(self, key: HostKey, crawl_delay_s: float) -> None:
        """Heed the pause that a host's robots.txt asks for, counted from its last start on."""
        host = self._host(key)
        host.crawl_delay_s = max(host.crawl_delay_s, crawl_delay_s)
        self._pace(host)

    def hold(self, key: HostKey, until: float) -> None:
        """Ask a host for nothing before a monotonic time."""
        host = self._host(key)
        host.due = max(host.due, until)

    def due(self, key: HostKey) -> float:
        """When the next request to a host may start, at the earliest: monotonic time."""
        return self._host(key).due

    async def _judged(self, request: Request, addresses: tuple[str, ...]) -> Request:
        """The request as it may be made: as in a crawl that begins (`politeness.inside`).

        Raises:
            FetchError: It must not be, or the name of its seed does not resolve.
        """
        if self._reach is None or not self._reach.shuts_out(request.host_key, addresses):
            return replace(request, inside=False)
        seed = seed_of(request)
        if seed is None or not self._reach.shuts_out(seed, await self.locate(seed)):
            raise FetchError(PRIVATE_ADDRESS, ", ".join(addresses) or request.host_key)
        return replace(request, inside=True)

    async def _fetch(self, host: _Host, request: Request) -> Response | FetchError:
        try:
            return await self._fetcher.fetch(request, partial(self._started, host))
        except FetchError as error:
            return error

    def _started(self, host: _Host) -> None:
        host.started_at = self._clock.monotonic()
        self._pace(host)

    def _pace(self, host: _Host) -> None:
        delay_s = pause_of(self._config, host.limits, host.crawl_delay_s, host.answer_s).delay_s
        if delay_s > 0:
            host.due = max(host.due, host.started_at + delay_s + GUARD_S)

    def _host(self, key: HostKey) -> _Host:
        if key not in self._hosts:
            self._hosts[key] = _Host(self._limits.resolve(key))
        return self._hosts[key]
