"""How does a URL travel from the frontier to a file, with everything bounded on the way?

Theory of operation. Six coroutines under one task group share two bounded queues and one batch:

    seed        seed list -> frontier
    feed        policy.turn + frontier.take -> [start queue]
    fetch       [start queue] -> fetcher -> policy.after -> [parse queue], or an end
    parse       [parse queue] -> parser pool -> links to the frontier, an end and its records to the batch
    checkpoint  the batch -> sinks, fsync, one frontier.commit
    watch       waits for the end, a stop or a spent budget, then cancels the others

A finished request and its links enter the batch and the frontier in one turn of the loop, without an await
between them, and a checkpoint swaps the whole batch in one step: so a commit holds a prefix of all results,
and no child is stored before its parent's result can be. The back edge (links to the frontier) writes to
storage and never waits for a queue. Nothing polls: `feed` sleeps until something changed or a host is due.

What to fetch next, when, what to make of an answer and what a record holds is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import CrawlerError, FetchError, first_error
from crawler.models import Finished, HostState, Kind, Outcome, ParseFailure, Refusal, Snoozed
from crawler.parse.base import Job
from crawler.politeness.policy import Deliver, Finish, Redirect, Snooze

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from crawler.checkpoint import Committer
    from crawler.clock import Clock
    from crawler.fetch.base import Fetcher
    from crawler.frontier.base import Frontier
    from crawler.models import Page, Request, Response
    from crawler.parse.base import Parser
    from crawler.politeness.policy import Decision, Policy
    from crawler.scope import Scope
    from crawler.stats import Snapshot, Stats

log = logging.getLogger(__name__)

#: A batch for the parser pool: big enough to spread the cost of a hand-over, small enough to share the lanes.
BATCH_PAGES = 16
BATCH_BYTES = 1 << 20


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What of the configuration the engine itself heeds."""

    concurrency: int
    memory_bytes: int  #: bodies fetched and not yet parsed; no fetch starts above it
    grace_s: float = 10.0  #: how long a stop waits for what is in flight


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run ended."""

    #: nothing is left to fetch
    complete: bool
    #: ``budget.pages`` or ``stop``; None if complete
    stopped_by: str | None = None


class Engine:
    """One run of one crawl. Owns its coroutines, but none of the parts, which its builder opens and closes."""

    def __init__(
        self,
        *,
        seeds: AsyncIterator[Sequence[Request]],
        frontier: Frontier,
        policy: Policy,
        fetcher: Fetcher,
        parser: Parser,
        scope: Scope,
        committer: Committer,
        stats: Stats,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._seeds = seeds
        self._frontier = frontier
        self._policy = policy
        self._fetcher = fetcher
        self._parser = parser
        self._scope = scope
        self._committer = committer
        self._stats = stats
        self._clock = clock
        self._settings = settings
        self._starts: asyncio.Queue[Request] = asyncio.Queue(settings.concurrency)
        self._answers: asyncio.Queue[Job] = asyncio.Queue(4 * BATCH_PAGES * parser.lanes)
        self._changed = asyncio.Event()  # something feed may act on
        self._quiet = asyncio.Event()  # nothing is between start and batch
        self._over = asyncio.Event()  # ended, one way or another
        self._room = asyncio.Event()  # bodies held are below the limit
        self._room.set()
        self._held_bytes = 0
        self._busy = 0
        self._finished = 0
        self._seeded = False
        self._stopping = False
        self._hosts_cursor = 0

    async def run(self) -> Ending:
        """Crawl until nothing is left, the budget is spent or `stop` is called; everything is committed on return.

        Raises:
            CrawlerError: The store, an output file or the parser pool failed. What was committed stays.
        """
        counts = self._frontier.counts()
        self._finished = counts.admitted - counts.pending
        log.info("crawl begins: %d URLs admitted before, %d of them pending", counts.admitted, counts.pending)
        workers: list[asyncio.Task[None]] = []
        try:
            async with asyncio.TaskGroup() as group:
                workers += [group.create_task(self._seed()), group.create_task(self._feed())]
                workers += [group.create_task(self._fetch()) for _ in range(self._settings.concurrency)]
                workers += [group.create_task(self._parse()) for _ in range(self._parser.lanes)]
                group.create_task(self._committer.run(self._changed.set))
                await self._watch()
                for worker in workers:
                    worker.cancel()
                self._committer.close()
        except* CrawlerError as errors:
            raise first_error(errors) from errors
        complete = self._seeded and self._open == 0
        stopped_by = None if complete else (self._policy.stopped_by or "stop")
        log.info("crawl ends: %s", stopped_by or "nothing is left")
        return Ending(complete=complete, stopped_by=stopped_by)

    def stop(self) -> None:
        """End soon: start nothing more, let what is in flight finish, commit. A second call does not wait for it."""
        if self._stopping:
            self._quiet.set()
        self._stopping = True
        self._changed.set()
        self._over.set()

    def snapshot(self) -> Snapshot:
        """The counts as they stand."""
        return self._stats.snapshot(self._frontier.counts(), self._policy.in_flight)

    @property
    def _open(self) -> int:
        """Admitted and without an end; unlike `pending`, ends that are not committed yet count as ended."""
        return self._frontier.counts().admitted - self._finished

    async def _watch(self) -> None:
        await self._over.wait()
        if self._stopping and self._busy:
            log.info("stopping: waiting for requests in flight", extra={"in_flight": self._busy})
            self._quiet.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.grace_s):
                    await self._quiet.wait()

    async def _seed(self) -> None:
        async for requests in self._seeds:
            for request, new in zip(requests, self._frontier.add(requests), strict=True):
                if new:
                    self._policy.wake(request.host_key)
            self._changed.set()
            await self._committer.room()
        self._seeded = True
        self._settle()

    async def _feed(self) -> None:
        while not self._stopping:
            self._changed.clear()
            turn = self._policy.turn(self._starts.maxsize - self._starts.qsize())
            for request in turn.start:
                self._busy += 1
                self._starts.put_nowait(request)
            for request, reason in turn.refused:
                self._end(request, Finish(outcome=Outcome.EXCLUDED, reason=reason))
            if turn.refused:
                self._settle()
                await self._committer.room()
            if turn.wants:
                self._policy.supply(turn.wants, await self._frontier.take(turn.wants))
            if turn.unknown:
                self._policy.adopt([await self._frontier.host(key) or HostState(host_key=key) for key in turn.unknown])
            if turn.refill:
                # whenever they are due: the policy lets them in and keeps their rest
                states, self._hosts_cursor = await self._frontier.hosts(inf, self._hosts_cursor, turn.refill)
                self._policy.adopt(states)
            if self._policy.stopped_by:
                self._over.set()
                return
            if not (turn.wants or turn.unknown):
                await self._change(turn.next_at)

    async def _change(self, until: float | None) -> None:
        """Wait for `_changed`, at most until a monotonic time."""
        if until is None:
            await self._changed.wait()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - self._clock.monotonic())):
                await self._changed.wait()

    async def _fetch(self) -> None:
        while True:
            request = await self._starts.get()
            await self._room.wait()
            if self._stopping:
                self._release()
                continue
            answer = await self._attempt(request)
            decision = self._policy.after(request, answer)
            self._changed.set()
            if isinstance(decision, Deliver) and not isinstance(answer, FetchError):
                self._hold(len(answer.body))
                await self._answers.put(Job(request=request, response=answer))
            else:
                self._settle_request(request, decision)
                self._release()
                await self._committer.room()

    async def _attempt(self, request: Request) -> Response | FetchError:
        try:
            response = await self._fetcher.fetch(request, partial(self._policy.started, request))
        except FetchError as error:
            return error
        self._stats.attempt(len(response.body))
        return response

    async def _parse(self) -> None:
        while True:
            jobs = await self._next_jobs()
            results = await self._parser.parse(jobs)
            for job, result in zip(jobs, results, strict=True):
                self._take_result(job, result)
                self._hold(-len(job.response.body))
                self._release()
            self._changed.set()
            await self._committer.room()

    async def _next_jobs(self) -> list[Job]:
        """Whatever waits, up to a batch."""
        jobs = [await self._answers.get()]
        size = len(jobs[0].response.body)
        while len(jobs) < BATCH_PAGES and size < BATCH_BYTES and not self._answers.empty():
            jobs.append(self._answers.get_nowait())
            size += len(jobs[-1].response.body)
        return jobs

    def _take_result(self, job: Job, result: Page | ParseFailure) -> None:
        request, response = job.request, job.response
        if request.kind is Kind.ROBOTS:
            self._policy.robots_parsed(request, None if isinstance(result, ParseFailure) else result.robots)
            return
        decision = self._policy.after_parse(request, response, result)
        if isinstance(result, ParseFailure):
            log.warning("parsing failed: %s", result.reason, extra={"url": request.url, "detail": result.detail})
            self._settle_request(request, decision)
            return
        self._settle_request(request, decision, result)
        for host_key in self._frontier.discover(request, result.links):
            self._policy.wake(host_key)
        self._stats.refused(result.refusals)

    def _settle_request(self, request: Request, decision: Decision, page: Page | None = None) -> None:
        """Carry out what politeness decided of an attempt that is over."""
        match decision:
            case Finish():
                self._end(request, decision, page)
            case Snooze(request=again, until=until):
                self._committer.snooze(Snoozed(request=again, until=until))
                self._stats.snoozed()
            case Redirect(request=target, status=status):
                self._end(
                    request,
                    Finish(outcome=Outcome.REDIRECTED, reason=self._enter(target), status=status, target=target.url),
                )
            case _:  # a robots.txt, handled by the policy
                pass

    def _enter(self, target: Request) -> str | None:
        """Admit a redirect's target like any URL; the reason if it is not."""
        rule = self._scope.refusal(target.url, target.scope_host, target.depth)
        if rule:
            self._stats.refused([Refusal(rule=rule, count=1, examples=(target.url,))])
            return "out_of_scope"
        if not self._frontier.add([target])[0]:
            return "known"
        self._policy.wake(target.host_key)
        return None

    def _end(self, request: Request, end: Finish, page: Page | None = None) -> None:
        records = page.records if page else ()
        finished = Finished(
            request=request,
            outcome=end.outcome,
            reason=end.reason,
            status=end.status,
            target=end.target,
            at=self._clock.wall(),
            has_page=bool(records),
        )
        self._committer.finish(finished, records)
        self._finished += 1
        self._stats.finished(finished)
        log.debug("%s %s %s", end.outcome, end.reason or end.status, request.url)
        if finished.has_page:
            self._policy.page_kept(True)

    def _settle(self) -> None:
        """Notice that nothing is left. Called when work ends, so that the end is signalled and never polled."""
        if self._seeded and self._open == 0:
            self._over.set()

    def _release(self) -> None:
        """One request has left the stretch between start and batch."""
        self._busy -= 1
        if self._busy == 0:
            self._quiet.set()
            self._settle()

    def _hold(self, size: int) -> None:
        """Count the bytes of bodies between fetch and parse; gate new fetches above the limit."""
        self._held_bytes += size
        if self._held_bytes < self._settings.memory_bytes:
            self._room.set()
        else:
            self._room.clear()
