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
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from crawler.build import open_crawl
from crawler.config import CrawlConfig
from crawler.config.file import load
from crawler.config.rules import problems
from crawler.dataset.where import where_of
from crawler.directory import CrawlDirectory, claim
from crawler.errors import ConfigError, CrawlerError
from crawler.extract.record import PageRecord
from crawler.plan import Plan
from crawler.reopen import load_stored
from crawler.report import wants_report, write_or_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from crawler.checkpoint import Committed
    from crawler.running import Result, Running

_decoder = msgspec.json.Decoder(PageRecord)


class Crawl:
    """A crawl as an asynchronous context manager, and as the iterator of its pages.

    Args:
        config: A `CrawlConfig`, or the path of a YAML file; if None, of a crawl that is gone on with its own, else all
            defaults.
        seeds: An item of the SEED grammar (URL, host, sitemap:URL, file) or several, in place of the configuration's.
        directory: Where the crawl's files go; ``data/<name>`` by default.
        fresh: Move a crawl that already lies there aside, instead of refusing.
        resume: Go on with a crawl that lies there, instead of refusing; only pages of this run are handed out.
        retry_failed: Resume, and try again what failed: all of it, or what such a text as ``"reason=timeout"`` says.
        repair: Resume a crawl whose files are damaged; what they lack is fetched again.

    Raises:
        ConfigError: A bad configuration; on entering also: no seeds, or a directory that holds a crawl or is in use.
    """

    def __init__(
        self,
        config: CrawlConfig | str | os.PathLike[str] | None = None,
        *,
        seeds: str | Iterable[str] = (),
        directory: str | os.PathLike[str] | None = None,
        fresh: bool = False,
        resume: bool = False,
        retry_failed: bool | str = False,
        repair: bool = False,
    ) -> None:
        resume = resume or bool(retry_failed) or repair
        if fresh and resume:
            raise ConfigError("fresh begins anew; resume, retry_failed and repair go on: expected one of them")
        folder = None
        stored = None
        if config is None and resume and directory is not None:
            stored = load_stored(CrawlDirectory(Path(directory)))
        if stored:
            self.config = stored.config
        elif config is None or isinstance(config, CrawlConfig):
            self.config = config or CrawlConfig()
            for problem in problems(self.config):  # a YAML file's have been told when it was loaded
                raise ConfigError(f"{problem.key}: {problem.value}: {problem.expected}")
        elif not isinstance(config, str | os.PathLike):
            raise ConfigError(f"config: {config!r}: expected a CrawlConfig or the path of a YAML file")
        else:
            loaded = load(Path(config))
            self.config, folder = loaded.config, loaded.folder
        #: where the crawl's files are
        self.directory = Path(directory) if directory is not None else Path("data") / self.config.name
        self._plan = Plan(
            config=self.config,
            directory=CrawlDirectory(self.directory),
            seeds=(seeds,) if isinstance(seeds, str) else tuple(seeds),
            folder=folder,
            is_stored=stored is not None,
            resume=resume,
            retry=where_of("" if retry_failed is True else retry_failed) if retry_failed else None,
            repair=repair,
            committed=self._hand_over,
        )
        self._fresh = fresh
        self._batches: asyncio.Queue[Sequence[bytes]] = asyncio.Queue(1)
        self._batch: Iterator[bytes] = iter(())
        self._getting: asyncio.Future[Sequence[bytes]] | None = None
        self._opened = asyncio.Event()
        self._ended = asyncio.Event()
        self._abandoned = False  # pages are no longer handed out
        self._running: Running | None = None
        self._task: asyncio.Task[Result] | None = None

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise CrawlerError("this crawl has been entered before: make another")
        self._plan.check()
        if not self._plan.has_seeds():
            raise ConfigError("nothing to crawl: give seeds, or a configuration that has some")
        self._task = asyncio.create_task(self._crawl(), name="crawl")
        try:
            await self._opened.wait()
        except BaseException:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            raise
        if self._running is None:
            await self._task  # raises what kept it from opening
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await self.result()

    def __aiter__(self) -> Self:
        """Pages as they are committed, each once over all iterations, until the crawl has ended."""
        return self

    async def __anext__(self) -> PageRecord:
        """The next page.

        Raises:
            StopAsyncIteration: The crawl has ended, or `result` was called.
            CrawlerError: The crawl failed; pages committed before have been handed out.
        """
        while (line := next(self._batch, None)) is None:
            batch = await self._next_batch()
            if batch is None:
                await self.result()
                raise StopAsyncIteration
            self._batch = iter(batch)
        return _decoder.decode(line)

    def stop(self) -> None:
        """Start no more requests. What is in flight is finished and committed; iteration then ends by itself."""
        if self._running is not None and not self._ended.is_set():
            self._running.stop()

    async def result(self) -> Result:
        """Wait for the end, handing out no more pages (they are in the files); how it ended.

        Cancelling it ends the waiting, not the crawl.

        Raises:
            CrawlerError: The crawl failed.
        """
        if self._task is None:
            raise CrawlerError("the crawl has not been entered: use `async with`")
        self._abandoned = True
        if self._getting is not None:
            self._getting.cancel()
        while not self._batches.empty():
            self._batches.get_nowait()
        return await asyncio.shield(self._task)

    async def _next_batch(self) -> Sequence[bytes] | None:
        """The next committed batch; None if there will be none."""
        if self._task is None:
            raise CrawlerError("the crawl has not been entered: use `async with`")
        # kept until it brings a batch: one that came while the caller was cancelled is handed to the next
        getting = self._getting = self._getting or asyncio.ensure_future(self._batches.get())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((getting, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if not getting.done():
            getting.cancel()
        self._getting = None
        return getting.result() if getting.done() else None

    async def _crawl(self) -> Result:
        try:
            with claim(self._plan.directory, fresh=self._fresh, resume=self._plan.resume):
                async with open_crawl(self._plan) as self._running:
                    self._opened.set()
                    result = await self._running.run()
                if wants_report(self._plan.config, result.ending.stopped_by):
                    await asyncio.to_thread(write_or_log, self.directory, config=self._plan.written_config())
                return result
        finally:
            self._ended.set()
            self._opened.set()

    async def _hand_over(self, committed: Committed) -> None:
        if committed.pages and not self._abandoned:
            await self._batches.put(committed.pages)


def crawl(
    seeds: str | Iterable[str] = (),
    config: CrawlConfig | str | os.PathLike[str] | None = None,
    *,
    directory: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    resume: bool = False,
    retry_failed: bool | str = False,
    repair: bool = False,
) -> Result:
    """Crawl to the end, blocking; how it ended. Arguments and errors are those of `Crawl`.

    Where an event loop already runs (a notebook), the crawl gets a loop of its own in a thread. Ctrl-C lets what is
    in flight finish and commits it before KeyboardInterrupt goes on.
    """
    crawling = Crawl(
        config,
        seeds=seeds,
        directory=directory,
        fresh=fresh,
        resume=resume,
        retry_failed=retry_failed,
        repair=repair,
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
