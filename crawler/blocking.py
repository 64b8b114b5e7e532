"""How is a crawl run from code that knows no asyncio?

result = crawl(["https://example.org/"])  # in scripts, and in notebooks whose loop already runs
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.api import Crawl

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from crawler.config import CrawlConfig
    from crawler.events import Listener
    from crawler.export.base import Sink
    from crawler.export.outcomes import OutcomeRecord
    from crawler.extract.record import PageRecord
    from crawler.fetch.base import Fetcher
    from crawler.running import Result


def crawl(
    seeds: str | Iterable[str] = (),
    config: CrawlConfig | str | os.PathLike[str] | None = None,
    *,
    directory: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    resume: bool = False,
    retry_failed: bool | str = False,
    refresh: bool = False,
    due: bool = False,
    repair: bool = False,
    on_page: Listener[PageRecord] | None = None,
    on_failure: Listener[OutcomeRecord] | None = None,
    sinks: Mapping[str, Sink | tuple[str, Sink]] | None = None,
    fetcher: Fetcher | Callable[[], Fetcher] | None = None,
    serve: str | None = None,
) -> Result:
    """Crawl to the end, blocking; how it ended. Arguments and errors are those of `Crawl`.

    Where an event loop already runs (a notebook), the crawl gets a loop of its own in a thread, in which `on_page`,
    `on_failure`, sinks and fetcher are called too. Ctrl-C lets what is in flight finish and commits it before
    KeyboardInterrupt goes on.
    """
    crawling = Crawl(
        config,
        seeds=seeds,
        directory=directory,
        fresh=fresh,
        resume=resume,
        retry_failed=retry_failed,
        refresh=refresh,
        due=due,
        repair=repair,
        on_page=on_page,
        on_failure=on_failure,
        sinks=sinks,
        fetcher=fetcher,
        serve=serve,
    )
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> Result:
        loops.append(asyncio.get_running_loop())
        async with crawling:
            return await crawling.result()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    with ThreadPoolExecutor(1, thread_name_prefix="crawl") as executor:
        crawl_in_thread = executor.submit(asyncio.run, run())
        try:
            return crawl_in_thread.result()
        except BaseException:
            if loops and not crawl_in_thread.done():
                with suppress(RuntimeError):  # the loop has closed meanwhile: nothing is left to stop
                    loops[0].call_soon_threadsafe(crawling.stop)
            raise
