"""How is a crawl run from Python?

    async with Crawl("crawl.yaml", seeds=["https://example.org/"]) as crawl:
        async for page in crawl:
            print(page.url, page.title)

Without asyncio: `crawler.blocking`. Pages are handed out once they are committed, in the order of
`pages.jsonl`. A slow consumer slows the crawl: at most the pages of three checkpoints wait for it. Leaving early
(`break`, an exception) or `stop` lets what is in flight finish and commits it. Everything is in `Crawl.directory`.
docs/embedding.md has an example of each thing.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import msgspec

from crawler.asked import asked_for, check_together
from crawler.build import open_crawl
from crawler.config.fleet import is_shared
from crawler.dashboard import open_board, shown
from crawler.dataset.where import where_of
from crawler.directory import CrawlDirectory
from crawler.enrolling import own_plan
from crawler.errors import ConfigError, CrawlerError
from crawler.events import Listeners
from crawler.extract.record import PageRecord
from crawler.given import given_fetcher, given_sinks
from crawler.plan import Plan
from crawler.refresh.claimed import claimed
from crawler.refresh.ending import ended_so
from crawler.report import wants_report, write_or_log

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from crawler.checkpoint import Committed
    from crawler.config import CrawlConfig
    from crawler.events import Listener
    from crawler.export.base import Sink
    from crawler.export.outcomes import OutcomeRecord
    from crawler.fetch.base import Fetcher
    from crawler.running import Result, Running
    from crawler.stats import Snapshot
    from crawler.views import HostViews

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
        refresh: Crawl a finished crawl again, as its next generation, or go on with that: what has not changed since is
            taken over. `directory` is that of the crawl, and the generation's only once it is whole; until then it is
            made in `making`. Only pages that were fetched are handed out, and heard of by `on_page`.
        due: With `refresh`, visit only pages that are likely to have changed by now.
        repair: Resume a crawl whose files are damaged; what they lack is fetched again. Not with `sinks`, as nobody
            knows what these lack.
        on_page: Called with each page once it is committed, in the loop of the crawl; awaited if it is asynchronous.
            It is called at most once for a page, over all runs: not at all where the crawl dies right after a commit.
            An exception in it stops the crawl as `stop` does, and is raised by `result` and by the iteration.
        on_failure: The same for each URL that ended as ``failed``; anew for one that is tried again, and fails again.
        sinks: By a name of their own: they get the lines of ``pages``, or of what they are given with as a pair, such
            as ``("outcomes", sink)`` or ``("links", sink)``. They are part of each checkpoint, and cut at a resume.
        fetcher: Makes the requests in place of HTTP; or a function that makes one in the loop of the crawl. It is
            closed with the crawl.
        serve: Show the crawl on a page there while it runs, as ``--serve`` does: ``8600``, ``127.0.0.1:0``. Where that
            came to be is in `dashboard`.

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
        refresh: bool = False,
        due: bool = False,
        repair: bool = False,
        on_page: Listener[PageRecord] | None = None,
        on_failure: Listener[OutcomeRecord] | None = None,
        sinks: Mapping[str, Sink | tuple[str, Sink]] | None = None,
        fetcher: Fetcher | Callable[[], Fetcher] | None = None,
        serve: str | None = None,
    ) -> None:
        resume = resume or bool(retry_failed) or repair or refresh
        check_together(fresh=fresh, resume=resume, due=due, refresh=refresh, repair=repair, sinks=bool(sinks))
        asked = asked_for(
            config, directory, resume=resume, refresh=refresh, due=due, repair=repair, retry=bool(retry_failed)
        )
        self.config = asked.config
        #: where the crawl's files are; of a crawl that workers share, this one's, once entered
        self.directory = asked.directory
        #: where a refresh makes the next generation; None for a crawl of its own, and once that is in force
        self.making = asked.making
        self._plan = Plan(
            config=self.config,
            directory=CrawlDirectory(self.making or self.directory),
            generation=asked.generation,
            seeds=(seeds,) if isinstance(seeds, str) else tuple(seeds),
            folder=asked.folder,
            is_stored=asked.is_stored,
            resume=resume,
            retry=where_of("" if retry_failed is True else retry_failed) if retry_failed else None,
            repair=repair,
            committed=self._hand_over,
            sinks=given_sinks(sinks or {}, self.config),
            fetcher=None if fetcher is None else given_fetcher(fetcher),
        )
        self._listeners = Listeners(on_page, on_failure, self.stop)
        self._fresh = fresh
        self._serve = serve
        #: where a browser finds the dashboard, once entered; None if there is none
        self.dashboard: str | None = None
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

    def pause(self) -> None:
        """Start no more requests until `unpause`; see `crawler.control.Control.pause`. Stopping ends a pause."""
        self._entered().control.pause()

    def unpause(self) -> None:
        """Go on."""
        self._entered().control.unpause()

    def set_concurrency(self, concurrency: int) -> int:
        """Have at most so many requests in flight from now on, all hosts together; how many it came to, as open files
        may not allow so many."""
        return self._entered().control.set_concurrency(concurrency)

    def snapshot(self) -> Snapshot:
        """The counts at this moment. Costs some microseconds, and a millisecond where thousands of hosts wait."""
        return self._entered().snapshot()

    def hosts(self, limit: int = 10) -> HostViews:
        """At most `limit` of the busiest hosts and of those that wait longest, and what all in memory do."""
        return self._entered().hosts(limit)

    def _entered(self) -> Running:
        """The crawl, once it is open.

        Raises:
            CrawlerError: It has not been entered.
        """
        if self._running is None:
            raise CrawlerError("the crawl has not been entered: use `async with`")
        return self._running

    def _awaited(self) -> asyncio.Task[Result]:
        """The crawl, to be waited for.

        Raises:
            CrawlerError: It has not been entered, or waits for the caller.
        """
        if self._task is None:
            raise CrawlerError("the crawl has not been entered: use `async with`")
        if self._listeners.called_here:
            raise CrawlerError("the crawl waits for on_page and on_failure, so they cannot wait for it: call stop()")
        return self._task

    async def result(self) -> Result:
        """Wait for the end, handing out no more pages (they are in the files); how it ended.

        Cancelling it ends the waiting, not the crawl.

        Raises:
            CrawlerError: The crawl failed.
            Exception: What `on_page` or `on_failure` has raised.
        """
        task = self._awaited()
        self._abandoned = True
        if self._getting is not None:
            self._getting.cancel()
        while not self._batches.empty():
            self._batches.get_nowait()
        return await asyncio.shield(task)

    async def _next_batch(self) -> Sequence[bytes] | None:
        """The next committed batch; None if there will be none."""
        self._awaited()
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
            with ExitStack() as stack:
                board = open_board(self._serve, stack)
                if is_shared(self.config.frontier):
                    self._plan, self._fresh = await own_plan(self._plan, fresh=self._fresh), False
                    self.directory = self._plan.directory.path
                plan = board.seeing(self._plan) if board else self._plan
                stack.enter_context(claimed(plan, fresh=self._fresh))
                async with open_crawl(plan) as self._running, shown(board, self._running):
                    self.dashboard = board.urls[0] if board else None
                    self._opened.set()
                    result = await self._running.run()
                await asyncio.to_thread(self._conclude, result)
            if self._listeners.error is not None:
                raise self._listeners.error
            return result
        finally:
            self._ended.set()
            self._opened.set()

    def _conclude(self, result: Result) -> None:
        """Leave a report, and put a generation in force that is whole."""
        plan, stopped_by = self._plan, result.ending.stopped_by
        ended, _ = ended_so(plan, stopped_by)
        if plan.enrolment is None and wants_report(plan.config, stopped_by) and (ended is None or ended.is_whole):
            write_or_log(plan.directory.path, config=plan.written_config())
        if ended is not None and ended.is_whole:
            from crawler.refresh.publish import published  # noqa: PLC0415 - only a refresh pays for it

            self.directory, self.making = published(plan, ended).path, None

    async def _hand_over(self, committed: Committed) -> None:
        await self._listeners.hear(committed)
        if (pages := committed.news) and not self._abandoned:
            await self._batches.put(pages)
