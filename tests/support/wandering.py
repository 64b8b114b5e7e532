"""How does the detector judge a site? Walks it breadth first, without sockets, as a crawl would."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from msgspec.structs import replace

from crawler.config import ScopeConfig, TrapsConfig
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Page, Request, Response, Url
from crawler.traps.detector import Traps
from crawler.url import host, path_and_query
from tests.support.clock import FakeClock


@dataclass
class Walk:
    """What a walk has come to."""

    traps: Traps
    fetched: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    put_off: int = 0
    #: found, and neither fetched nor refused when the walk was broken off
    left: int = 0


def walk(
    answer, seed: str, *, most: int = 5_000, config: TrapsConfig | None = None, traps: Traps | None = None
) -> Walk:
    """Crawl from `seed` until nothing is left or `most` pages were fetched.

    Args:
        answer: Host and path -> headers and body, or None for what is no page.
        seed: Where to begin.
        most: Pages.
        config: The thresholds.
        traps: In place of a new detector.
    """
    clock = FakeClock()
    walked = Walk(traps or Traps(config or TrapsConfig(), clock))
    extractor = Extractor(Settings(trap_depth=8, scope=ScopeConfig(stay_on="any")))
    first = Request(url=Url(seed), host_key=HostKey(host(Url(seed))), scope_host=host(Url(seed)))
    waiting, seen = deque([first]), {first.url}
    while waiting and len(walked.fetched) < most:
        request = waiting.popleft()
        told = walked.traps.before(request)
        if told == "trap":
            walked.refused.append(request.url)
            walked.traps.excluded(request)
            continue
        if isinstance(told, float):
            walked.put_off += 1
            clock.advance(0.05)
            waiting.append(request)
            continue
        request = told or request
        walked.fetched.append(request.url)
        clock.advance(0.001)
        page = _page(extractor, answer, request)
        if page is None:
            continue
        page = replace(page, links=tuple(link for link in page.links if link.url not in seen))  # as workers do
        for link in page.links:
            if link.url not in seen:
                seen.add(link.url)
                waiting.append(
                    Request(
                        url=link.url,
                        host_key=link.host_key,
                        scope_host=request.scope_host,
                        depth=request.depth + 1,
                        via=request.url,
                    )
                )
        if page.marks is not None:
            walked.traps.learn(request, page)
    walked.left = len(waiting)
    asyncio.run(walked.traps.sync(fsync=False))
    return walked


def _page(extractor: Extractor, answer, request: Request) -> Page | None:
    answered = answer(host(request.url), path_and_query(request.url))
    if answered is None:
        return None
    headers, body = answered
    page = extractor.page(request, Response(url=request.url, status=200, headers=headers, body=body))
    return page if isinstance(page, Page) else None
