"""What do hosts say to being crawled? Asks for their robots.txt and sitemaps, and for nothing else.

As politely as a crawl, but in a hurry: of what fails it tries again only what may be mended within seconds, and leaves
sitemaps of a host alone after the first `MAX_SITEMAPS`, and once `PATIENCE_S` are over.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from functools import partial
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.errors import CrawlerError, FetchError, first_error
from crawler.models import MAX_EXAMPLES, Kind, Page, Request, Response, Robots
from crawler.parse.base import Job
from crawler.politeness import retry
from crawler.politeness import robots as robots_txt
from crawler.politeness.retry import Deliver, Redirect, Snooze
from crawler.politeness.robots import MAX_HOPS, Verdict
from crawler.survey.facts import HostFacts, RobotsFacts, SitemapFacts
from crawler.survey.pacing import Pacing
from crawler.url import origin, path_and_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.fetch.base import Fetcher
    from crawler.models import HostKey, Link, ParseFailure
    from crawler.parse.base import Parser
    from crawler.reach import Reach

MAX_SITEMAPS = 20
PATIENCE_S = 20.0
MAX_SAMPLE = 250
"""Of the URLs of one sitemap, roughly, that are kept."""
MAX_ATTEMPTS = 2
MAX_WAIT_S = 3.0
"""Longer is not waited for a second attempt."""


class _File(NamedTuple):
    """The robots.txt of an origin."""

    facts: RobotsFacts
    verdict: Verdict

    def refusal(self, request: Request) -> str | None:
        return self.verdict.refusal(path_and_query(request.url))


class Survey:
    """Asks hosts. Made in the loop that it is used in; fetcher and parser are its maker's to close."""

    def __init__(
        self, config: CrawlConfig, fetcher: Fetcher, parser: Parser, clock: Clock, reach: Reach | None = None
    ) -> None:
        self._config = config
        self._parser = parser
        self._clock = clock
        self._pacing = Pacing(config, fetcher, clock, reach)
        self._files: dict[str, _File] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ask(self, seeds: Mapping[HostKey, Sequence[Request]], tell: Callable[[HostFacts], None]) -> None:
        """Ask all hosts, as many at once as the limits allow.

        Args:
            seeds: What a crawl would begin with, by host, all of it in scope.
            tell: Told of each host, in this order, once it and those before it have been asked.

        Raises:
            CrawlerError: The parser pool failed, or this machine can open no more connections.
            OSError: Of `tell`.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for task in [group.create_task(self.host(key, requests)) for key, requests in seeds.items()]:
                    tell(await task)
        except* (CrawlerError, OSError) as errors:
            raise first_error(errors) from errors

    async def host(self, key: HostKey, seeds: Sequence[Request]) -> HostFacts:
        """Ask one host, as `ask`."""
        until = self._clock.monotonic() + PATIENCE_S
        try:
            addresses = await self._pacing.locate(key)
        except FetchError as error:
            return HostFacts(host_key=key, seeds=tuple(seeds), unresolved=str(error))
        origins = {origin(seed.url): seed for seed in seeds}
        files = {asked: await self._file(seed) for asked, seed in origins.items()}
        allowed = tuple(seed for seed in seeds if files[origin(seed.url)].refusal(seed) is None)
        first = [seed for seed in allowed if seed.kind is Kind.SITEMAP]
        for asked, seed in origins.items():
            first += robots_txt.sitemap_requests(files[asked].facts.robots, seed, self._config.urls)
        return HostFacts(
            host_key=key,
            seeds=tuple(seeds),
            allowed=allowed,
            addresses=addresses,
            robots=tuple(file.facts for file in files.values()),
            sitemaps=await self._sitemaps(first, until),
        )

    async def robots(self, request: Request) -> RobotsFacts:
        """What the robots.txt that decides on a request says."""
        return (await self._file(request)).facts

    async def _file(self, request: Request) -> _File:
        """The robots.txt that decides on a request, asked for once."""
        asked = origin(request.url)
        async with self._asking[asked]:
            if asked not in self._files:
                facts = await self._robots(request)
                self._pacing.slow_down(request.host_key, facts.robots.crawl_delay_s or 0.0)
                self._files[asked] = _File(facts, Verdict(facts.robots, facts.closed, inf))
            return self._files[asked]

    async def _robots(self, page: Request) -> RobotsFacts:
        asked, request = origin(page.url), robots_txt.request_for(page)
        if not self._config.robots.obey:
            return RobotsFacts(origin=asked, missing="robots.obey: false")
        while True:
            answer = await self._pacing.attempt(request)
            elapsed_s = answer.elapsed_s if isinstance(answer, Response) else 0.0
            facts = partial(RobotsFacts, origin=asked, elapsed_s=elapsed_s)
            now, wall = self._clock.monotonic(), self._clock.wall()
            step = robots_txt.after(request, answer, now=now, wall=wall, rules=self._config.urls)
            match step:
                case Redirect(request=target):
                    request = target
                case Snooze(request=again, until=until) if self._waits_for(again, until):
                    request = again
                case Deliver(response=response):
                    result = await self.parsed(request, response)
                    if isinstance(result, Page):
                        return facts(robots=result.robots or Robots())
                    return facts(closed=result.reason)
                case robots_txt.Settled(closed=None):
                    return facts(missing=_reason(answer))
                case _:
                    return facts(closed=_reason(answer))

    async def _sitemaps(self, first: Iterable[Request], until: float) -> SitemapFacts:
        """Read a host's sitemaps: the first ones, and those that these name."""
        count = _SitemapCount()
        for request in first:
            count.add(request)
        while (sitemap := count.next()) is not None:
            result = await self._sitemap(sitemap, until)
            if result is None:
                break
            if isinstance(result, Page):
                count.take(sitemap, result)
            else:
                count.fail(sitemap.url, result)
        return count.facts()

    async def _sitemap(self, request: Request, until: float) -> Page | str | None:
        """A sitemap; a reason why it cannot be read; or None if its turn comes too late."""
        answer = await self.answer(request, until)
        if answer is None or isinstance(answer, str):
            return answer
        result = await self.parsed(*answer)
        if isinstance(result, Page) and result.reason == "sitemap":
            return result
        return result.reason or "bad_sitemap"

    async def answer(self, request: Request, until: float) -> tuple[Request, Response] | str | None:
        """What is at the end of a request's redirects, each of them allowed by its robots.txt, and the last request.

        Args:
            request: Of a page or a sitemap.
            until: Monotonic time; what may only be asked for later is not.

        Returns:
            A reason where there is no answer of use; None if its turn comes too late.
        """
        while len(request.redirected_from) <= MAX_HOPS:
            refusal = (await self._file(request)).refusal(request)
            if refusal is not None:
                return refusal
            if max(self._pacing.due(request.host_key), self._clock.monotonic()) > until:
                return None
            answer = await self._pacing.attempt(request)
            now, wall = self._clock.monotonic(), self._clock.wall()
            step = retry.after(request, answer, now=now, wall=wall, rules=self._config.urls)
            match step:
                case Redirect(request=target):
                    request = target
                case Snooze(request=again, until=later) if self._waits_for(again, later):
                    request = again
                case Deliver(response=response):
                    return request, response
                case _:
                    return _reason(answer)
        return "redirect_loop"

    async def parsed(self, request: Request, response: Response) -> Page | ParseFailure:
        """What the parser pool makes of an answer."""
        [result] = await self._parser.parse([Job(request=request, response=response)])
        return result

    def _waits_for(self, again: Request, until: float) -> bool:
        """Whether another attempt is worth waiting for; either way, its host is left alone until then."""
        self._pacing.hold(again.host_key, until)
        return again.attempt <= MAX_ATTEMPTS and until - self._clock.monotonic() <= MAX_WAIT_S


class _SitemapCount:
    """The sitemaps of one host: which are still to be read, and what was found in the others."""

    def __init__(self) -> None:
        self._queue: deque[Request] = deque()
        self._queued: set[str] = set()
        self._known = 0
        self._read = 0
        self._failures: list[tuple[str, str]] = []
        self._urls = 0
        self._refused = 0
        self._sample: list[str] = []

    def add(self, request: Request) -> None:
        """There is a sitemap; it is queued if it may still be read."""
        if request.url in self._queued:
            return
        self._known += 1
        if len(self._queued) < MAX_SITEMAPS:
            self._queued.add(request.url)
            self._queue.append(request)

    def next(self) -> Request | None:
        """The next one to read; None if there is none."""
        return self._queue.popleft() if self._queue else None

    def take(self, request: Request, page: Page) -> None:
        """One was read."""
        self._read += 1
        self._refused += sum(refusal.count for refusal in page.refusals)
        self._sample += (link.url for link in _spread(page.links) if link.kind is Kind.PAGE)
        for link in page.links:
            if link.kind is Kind.SITEMAP:
                self.add(_child(request, link))
            else:
                self._urls += 1

    def fail(self, url: str, reason: str) -> None:
        """One cannot be read."""
        self._failures.append((url, reason))

    def facts(self) -> SitemapFacts:
        """What has been found."""
        return SitemapFacts(
            known=self._known,
            read=self._read,
            failed=len(self._failures),
            failures=tuple(self._failures[:MAX_EXAMPLES]),
            urls=self._urls,
            refused=self._refused,
            sample=tuple(self._sample),
        )


def _spread(links: Sequence[Link]) -> Sequence[Link]:
    """Up to twice `MAX_SAMPLE` of them, from beginning to end."""
    return links[:: max(1, len(links) // MAX_SAMPLE)]


def _child(index: Request, link: Link) -> Request:
    """The request for a sitemap that an index names."""
    return msgspec.structs.replace(
        index,
        url=link.url,
        host_key=link.host_key,
        via=index.url,
        attempt=1,
        redirected_from=(),
        context=link.context,
    )


def _reason(answer: Response | FetchError) -> str:
    """Why an answer is of no use: ``http_503``, ``timeout: no answer within 30s``."""
    return f"http_{answer.status}" if isinstance(answer, Response) else str(answer)
