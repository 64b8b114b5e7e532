"""What a user writes against the Python API, checked by mypy and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from crawler import (
    Crawl,
    CrawlConfig,
    Fetcher,
    HostViews,
    OutcomeRecord,
    PageRecord,
    Request,
    Response,
    Result,
    Sink,
    Snapshot,
    crawl,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Lines:
    async def open(self, position: int | None) -> None: ...

    async def append(self, lines: Sequence[bytes]) -> None: ...

    async def sync(self, *, fsync: bool) -> int:
        return int(fsync)

    async def aclose(self) -> None: ...


class Nowhere:
    async def fetch(self, request: Request, started: Callable[[], None]) -> Response:
        started()
        return Response(url=request.url, status=404)

    async def locate(self, host_key: str) -> Sequence[str]:
        return (host_key,)

    async def aclose(self) -> None: ...


def on_page(page: PageRecord) -> None:
    assert_type(page.title, str | None)


async def on_failure(failure: OutcomeRecord) -> int:
    return failure.attempts


sink: Sink = Lines()
fetcher: Fetcher = Nowhere()


async def main() -> None:
    async with Crawl(
        "crawl.yaml",
        on_page=on_page,
        on_failure=on_failure,
        sinks={"lines": sink, "dead": ("outcomes", sink)},
        fetcher=Nowhere,
    ) as crawling:
        async for page in crawling:
            assert_type(page, PageRecord)
        crawling.pause()
        crawling.unpause()
        assert_type(crawling.set_concurrency(5), int)
        assert_type(crawling.snapshot(), Snapshot)
        assert_type(crawling.hosts(), HostViews)
        crawling.stop()
        assert_type(await crawling.result(), Result)


assert_type(crawl(["https://example.org/"], CrawlConfig(), on_page=print, fetcher=fetcher), Result)
urls: set[str] = set()
crawl(["https://example.org/"], on_page=lambda page: page.url in urls, on_failure=lambda failure: urls.add(failure.url))
