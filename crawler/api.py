"""How is a crawl run from Python?

    async with Crawl("crawl.yaml", seeds=["https://example.org/"]) as crawl:
        async for page in crawl:
            print(page.url, page.title)

    result = crawl(["https://example.org/"])  # blocking; in scripts, and in notebooks whose loop already runs

Pages are handed out once they are committed, in the order of `pages.jsonl`. A slow consumer slows the crawl: at
most the pages of three checkpoints wait for it. Leaving early (`break`, an exception) or `stop` lets what is in
flight finish and commits it. Everything is in `Crawl.directory`.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from crawler.build import Plan, open_crawl
from crawler.config import CrawlConfig
from crawler.config.file import load
from crawler.directory import CrawlDirectory, claim
from crawler.errors import ConfigError, CrawlerError
from crawler.extract.record import PageRecord

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from os import PathLike
    from types import TracebackType

    from crawler.build import Result, Running
    from crawler.checkpoint import Committed

_decoder = msgspec.json.Decoder(PageRecord)


class Crawl:
    """A crawl as an asynchronous context manager, and as the iterator of its pages.

    Args:
        config: A `CrawlConfig`, or the path of a YAML file; all defaults if None.
        seeds: Items of the SEED grammar (URLs, hosts, files), instead of the configuration's own.
        directory: Where the crawl's files go; ``data/<name>`` by default.
        fresh: Move a crawl that already lies there aside, instead of refusing.

    Raises:
        ConfigError: A bad configuration; on entering also: no seeds, or a directory that holds a crawl or is in use.
    """

    def __init__(
        self,
        config: CrawlConfig | str | PathLike[str] | None = None,
        *,
        seeds: Iterable[str] = (),
        directory: str | PathLike[str] | None = None,
        fresh: bool = False,
    ) -> None:
        folder = None
        if config is None or isinstance(config, CrawlConfig):
            self.config = config or CrawlConfig()
        else:
            loaded = load(Path(config))
            self.config, folder = loaded.config, loaded.folder
        #: where the crawl's files are
        self.directory = Path(directory) if directory is not None else Path("data") / self.config.name
        self._plan = Plan(
            config=self.config,
            directory=CrawlDirectory(self.directory),
            seeds=tuple(seeds),
            folder=folder,
            committed=self._hand_over,
        )
        self._fresh = fresh
        self._batches: asyncio.Queue[Sequence[bytes] | None] = asyncio.Queue(1)
        self._abandoned = False
        self._opened = asyncio.Event()
        self._running: Running | None = None
        self._task: asyncio.Task[Result] | None = None

    async def __aenter__(self) -> Self:
        if not self._plan.items():
            raise ConfigError("nothing to crawl: give seeds, or a configuration that has some")
        self._task = asyncio.create_task(self._crawl(), name="crawl")
        await self._opened.wait()
        if self._running is None:
            await self._task  # raises what kept it from opening
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await self.result()

    async def __aiter__(self) -> AsyncIterator[PageRecord]:
        """Pages as they are committed, until the crawl has ended.

        Raises:
            CrawlerError: The crawl failed; pages committed before have been handed out.
        """
        while (batch := await self._batches.get()) is not None:
            for line in batch:
                yield _decoder.decode(line)
        self._batches.put_nowait(None)  # for whoever iterates again
        await self.result()

    def stop(self) -> None:
        """Start no more requests. What is in flight is finished and committed; iteration then ends by itself."""
        if self._running is not None and self._task is not None and not self._task.done():
            self._running.stop()

    async def result(self) -> Result:
        """Wait for the end, handing out no more pages (they are in the files); how it ended.

        Raises:
            CrawlerError: The crawl failed.
        """
        if self._task is None:
            raise CrawlerError("the crawl has not been entered: use `async with`")
        self._abandoned = True
        while not self._batches.empty():
            self._batches.get_nowait()
        return await self._task

    async def _crawl(self) -> Result:
        try:
            with claim(self._plan.directory, fresh=self._fresh):
                async with open_crawl(self._plan) as self._running:
                    self._opened.set()
                    return await self._running.run()
        finally:
            self._opened.set()
            if not self._abandoned:
                await self._batches.put(None)

    async def _hand_over(self, committed: Committed) -> None:
        if committed.pages and not self._abandoned:
            await self._batches.put(committed.pages)


def crawl(
    seeds: Iterable[str] = (),
    config: CrawlConfig | str | PathLike[str] | None = None,
    *,
    directory: str | PathLike[str] | None = None,
    fresh: bool = False,
) -> Result:
    """Crawl to the end, blocking; how it ended. Arguments and errors are those of `Crawl`.

    Where an event loop already runs (a notebook), the crawl gets a loop of its own in a thread.
    """

    async def run() -> Result:
        async with Crawl(config, seeds=seeds, directory=directory, fresh=fresh) as crawling:
            return await crawling.result()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    outcome: list[Result | BaseException] = []

    def run_in_thread() -> None:
        try:
            outcome.append(asyncio.run(run()))
        except BaseException as error:  # noqa: BLE001  (handed over to the caller's thread)
            outcome.append(error)

    thread = threading.Thread(target=run_in_thread, name="crawl")
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
