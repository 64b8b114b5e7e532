"""How does a URL travel from the frontier to a file, with everything bounded on the way?

Theory of operation. Seven kinds of coroutine under one task group share two queues and one batch, all bounded:

    seed        seed list -> frontier
    feed        policy.turn, frontier.wake, frontier.take -> [requests to start]
    look_up     fetcher.locate -> policy
    fetch       [requests to start] -> fetcher -> policy.after -> [answers to parse], or an end
    parse       [answers to parse] -> parser pool -> links to the frontier, an end and its records to the batch
    checkpoint  the batch -> sinks, fsync, one frontier.commit
    watch       waits for the end, a stop or a spent budget, then cancels the others

A finished request and its links enter the batch and the frontier in one turn of the loop (`ledger`), and a
checkpoint swaps the whole batch in one step (`checkpoint`): so a commit holds a prefix of all results, and no child
is stored before its parent's result can be. The back edge (links to the frontier) writes to
storage and never waits for a queue. Nothing polls: `feed` sleeps until something changed or a host is due, and starts
nothing while as many answers wait to be parsed as may be held (`gate`), or while it was told to pause (`control`);
requests not yet begun go back to their hosts then. From right before it is fetched until its end is in the batch, one
is noted as in hand where that outlives the process (`in_flight`); those of an earlier death are taken alone (`alone`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.alone import Alone
from crawler.control import Control, Crew
from crawler.errands import LOOKUPS
from crawler.errors import CrawlerError, FetchError, WithheldError, first_error
from crawler.gate import Gate
from crawler.handover import Batches, Line, Signal, most_answers
from crawler.models import STOPPED, Kind, Page
from crawler.parse.base import Job
from crawler.parts import Ending
from crawler.politeness.policy import Deliver, Snooze

if TYPE_CHECKING:
    from crawler.alone import Fetch
    from crawler.models import ParseFailure, Request, Response
    from crawler.parts import Parts, Settings
    from crawler.stats import Snapshot
    from crawler.views import HostViews

log = logging.getLogger(__name__)

PUT_OFF_S = 1.0  #: until one that was left for a quiet moment looks whether that has come
MANY_IN_FLIGHT, GATHER_S = 256, 0.005  #: with so many, a moment gathers enough to be handed over together


class Engine:
    """One run of one crawl."""

    def __init__(self, parts: Parts, settings: Settings) -> None:
        self._seeds = parts.seeds
        self._frontier = parts.frontier
        self._policy = parts.policy
        self._errands = parts.errands
        self._fetcher = parts.fetcher
        self._parser = parts.parser
        self._ledger = parts.ledger
        self._committer = parts.committer
        self._in_flight = parts.in_flight
        self._alone = Alone(parts.in_flight, parts.committer, self._put_off)
        self._stats, self._clock, self._settings = parts.stats, parts.clock, settings
        #: called when nothing is left that is known of, while more may come
        self.ran_dry = lambda: None
        self._gate = Gate(settings.body_bytes, most_answers(parts.parser.lanes))
        self._starts: Line[Request] = Line()
        self._answers = Batches()
        self._changed = Signal(parts.clock, settings.beat_s)  # something feed may act on
        self.control = Control(settings.concurrency, settings.most or settings.concurrency, self._heed)
        self._widen = parts.widen
        self._crew: Crew | None = None  # while it runs
        self._over, self._aborted = asyncio.Event(), asyncio.Event()  # one way or another; without patience
        self._busy = 0
        self._seeded = self._stopping = False
        self._set_aside = ""  # the budget that leaves only hosts which have spent it

    async def run(self) -> Ending:
        """Crawl until nothing is left, the budget is spent or `stop` is called; everything is committed on return.

        Raises:
            CrawlerError: The store, an output file or the parser pool failed. What was committed stays.
        """
        log.info("crawl begins", extra={"why": f"{self._ledger.open:,} URLs are left from before"})
        workers: list[asyncio.Task[None]] = []
        try:
            async with asyncio.TaskGroup() as group:
                workers += [group.create_task(self._seed()), group.create_task(self._feed())]
                workers += [group.create_task(self._errands.look_up(self._changed.set)) for _ in range(LOOKUPS)]
                self._crew = Crew(group, self._fetch, self._widen, self.control.concurrency)
                workers += [group.create_task(self._parse()) for _ in range(self._parser.lanes)]
                group.create_task(self._committer.run(self._changed.set))
                await self._watch()
                for worker in (*workers, *self._crew.dismiss()):
                    worker.cancel()
                self._committer.close()
        except* CrawlerError as errors:
            raise first_error(errors) from errors
        finally:
            self._crew = None
        complete = self._seeded and self._ledger.open == 0
        if complete:
            self._in_flight.clear_all()
        stopped_by = None if complete else (self._set_aside or self._policy.stopped_by or STOPPED)
        log.info("crawl ends", extra={"why": stopped_by or "nothing is left"})
        return Ending(complete=complete, stopped_by=stopped_by)

    def stop(self) -> None:
        """End soon: start nothing more, let what is in flight finish for `Settings.grace_s`, commit."""
        self._stopping = True
        self.control.unpause()
        self._over.set()

    def abort(self) -> None:
        """End now: give up what is in flight, commit what has ended."""
        self._aborted.set()
        self.stop()

    def snapshot(self) -> Snapshot:
        """The counts as they stand."""
        counts, policy, left = self._frontier.counts(), self._policy, self._ledger.open
        now = self._stats.snapshot(counts, policy.in_flight, left, policy.views.slowest(), policy.tally.counts())
        return replace(
            now, concurrency=self.control.concurrency, paused=self.control.paused, parsing=self._gate.answers,
            uncommitted=self._committer.waiting,
        )  # fmt: skip

    def hosts(self, limit: int) -> HostViews:
        """At most `limit` of the busiest and of the slowest hosts, and what all of them do."""
        return self._policy.views.hosts(limit)

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called and requests are still awaited."""
        return self._stopping and self._busy > 0

    async def _watch(self) -> None:
        await self._over.wait()
        if self._stopping and self._busy:
            log.info("stopping", extra={"why": f"{self._busy:,} requests are in flight"})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.grace_s):
                    await self._aborted.wait()

    async def _seed(self) -> None:
        async for requests in self._seeds:
            self._ledger.found(requests)
            self._changed.set()
            await self._committer.room()
        self._frontier.expect_nothing()
        self._policy.budget.all_known()
        self._seeded = True
        self._settle()
        self._changed.set()  # a budget may be spent

    async def _feed(self) -> None:
        while not self._stopping:
            await self._gate.passed()
            self._changed.clear()
            if self.control.paused:
                if self._errands.book(self._policy.refusals()):
                    self._settle()
                if self._is_spent():
                    return
                await self._changed.wait_until(None if self._busy else self._policy.budget.ends_at)
                continue
            woken, due_at = await self._frontier.wake()
            for host_key in woken:
                self._policy.wake(host_key)
            if not self._gate.is_open or self.control.paused:
                continue  # answers came in meanwhile: more than `Gate` says would be in hand; or it was told to pause
            turn = self._policy.turn(self.control.concurrency - self._policy.in_flight)
            self._busy += len(turn.start)
            for request in turn.start:
                self._starts.put(request)
            if self._errands.book(turn):
                self._settle()
                await self._committer.room()
            await self._errands.run(turn)
            if self._is_spent(due_at):
                return
            if turn.wants or turn.unknown or turn.refused:
                await asyncio.sleep(0)  # there may be more at once, but everybody else's turn comes first
            else:
                times = (at for at in (turn.next_at, due_at) if at is not None)
                await self._changed.wait_until(min(times, default=None))

    def _heed(self) -> None:
        """Do as `control` was told."""
        if self._crew is not None:
            self._crew.grow(self.control.concurrency)
        self._changed.set()

    def _is_spent(self, due_at: float | None = inf) -> bool:
        """Whether a budget ends the crawl: nothing more may be started, and what was has ended. `due_at`: when a
        snoozed URL is to be tried again; None if none is."""
        if self._busy:
            return False
        if self._seeded and due_at is None and not (self._committer.snoozing or self._changed.is_set()):
            self._set_aside = self._policy.all_set_aside or ""
        if self._set_aside or self._policy.stopped_by:
            self._over.set()
        return self._over.is_set()

    async def _fetch(self) -> None:
        while True:
            request = await self._starts.take()
            await (self._alone.take(request, self._attempt) if self._in_flight.suspects else self._attempt(request))

    async def _attempt(self, request: Request, fetch: Fetch | None = None) -> bool:
        """Make one attempt, unless it may not start any more; whether it comes to its end with that."""
        if self._stopping or self.control.paused or not self._policy.may_start(request):
            if self.control.paused:
                self._policy.withdraw(request, keep=True)
            return self._given_back()
        self._in_flight.begin(request)
        answer: Response | FetchError
        try:
            answer = await (fetch or self._fetcher.fetch)(request, partial(self._policy.started, request))
            self._stats.attempt(answer)
        except WithheldError:  # while it was connecting, its host has asked for a rest
            self._in_flight.end(request)
            return self._given_back()
        except FetchError as error:
            answer = error
        decision = self._policy.after(request, answer)
        self._changed.set()
        if isinstance(decision, Deliver):
            self._gate.hold(len(decision.response.body))
            self._answers.put(Job(request=request, response=decision.response))
            return True
        self._ledger.attempted(request, answer, decision)
        self._in_flight.end(request)
        self._release()
        self._hasten()
        await self._committer.room()
        return not isinstance(decision, Snooze)

    def _put_off(self, request: Request) -> bool:
        """Leave a request that was to be started for a moment when nothing else is under way; False if that is now."""
        if self._busy == 1:
            return False
        self._policy.withdraw(request)
        self._ledger.put_off(request, self._clock.monotonic() + PUT_OFF_S)
        return not self._given_back()

    async def _parse(self) -> None:
        while True:
            await self._answers.some()
            if self._policy.in_flight >= MANY_IN_FLIGHT and len(self._answers) == 1:
                await asyncio.sleep(GATHER_S)  # answers come in one by one, from many hosts
            jobs, size = self._answers.take()
            for job, result in zip(jobs, await self._parser.parse(jobs), strict=True):
                self._parsed(job, result)
            self._gate.let_go(size, len(jobs))
            self._release(len(jobs))
            self._changed.set()
            await self._committer.room()

    def _parsed(self, job: Job, result: Page | ParseFailure) -> None:
        request = job.request
        if request.kind is Kind.ROBOTS:
            self._ledger.found(self._policy.robots_parsed(request, *self._ledger.robots(request, result)))
            self._hasten()
        else:
            self._ledger.parsed(job, self._policy.after_parse(request, job.response, result), result)
            self._parser.confirm(result)
        self._in_flight.end(request)

    def _hasten(self) -> None:
        """Have stored at once what a host asked for."""
        if self._policy.pressing:
            self._committer.hasten()

    def _settle(self) -> None:
        """Notice that nothing is left. Called when work ends, so that the end is signalled and never polled."""
        if self._ledger.open == 0:
            (self._over.set if self._seeded else self.ran_dry)()

    def _given_back(self) -> bool:
        """A request is not made now, the policy has it again, or the frontier: no attempt, which is False."""
        self._release()
        self._changed.set()
        return False

    def _release(self, requests: int = 1) -> None:
        """So many requests have left the stretch between start and batch."""
        self._busy -= requests
        if self._busy == 0:
            if self._stopping:
                self._aborted.set()
            self._settle()
