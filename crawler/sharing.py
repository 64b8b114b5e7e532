"""What does a worker have besides the parts of any crawl, and how does its crawl run to the end?

A connection to Redis, a frontier there, and a `Member`, which leases partitions for it. The engine runs until the crawl
is over for all (nothing is left, somebody stopped it, a budget is spent), or this worker is told to end and gives back.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler import __version__
from crawler.errors import ConfigError, CrawlerError, first_error
from crawler.export.journal import JOURNAL, Journal
from crawler.export.jsonl import sink_for
from crawler.export.packing import suffix
from crawler.fleet.control import Control
from crawler.fleet.errands import EVENT, Errands
from crawler.fleet.keys import Keys
from crawler.fleet.link import Link
from crawler.fleet.member import Member
from crawler.fleet.members import Members
from crawler.fleet.models import FORMAT, WorkerInfo
from crawler.fleet.notices import Notices
from crawler.fleet.orders import DONE
from crawler.fleet.partitions import partition_of
from crawler.fleet.status import Totals, totals_of
from crawler.fleet.store import PartitionStore
from crawler.frontier.redis import RedisFrontier
from crawler.holding import Holding
from crawler.models import STOPPED, Outcome, Restored
from crawler.parts import Ending
from crawler.politeness.retry import MAX_RETRY_AFTER_S
from crawler.shared_seeds import SharedSeeds, name_of
from crawler.stores import OpenedStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from crawler.batch import Batch, Told
    from crawler.checkpoint import Committer
    from crawler.clock import Clock
    from crawler.engine import Engine
    from crawler.export.base import Sink
    from crawler.fleet.enrolment import Enrolment
    from crawler.models import Request, RobotsFile
    from crawler.parts import Parts
    from crawler.plan import Plan
    from crawler.seedlist import SeedList
    from crawler.stats import Snapshot

log = logging.getLogger(__name__)


class Shared:
    """A worker's part in its crawl. Made by `open_shared`; `equip` it, then `run` it."""

    def __init__(
        self, plan: Plan, enrolment: Enrolment, link: Link, control: Control, *, clock: Clock, ahead_s: float
    ) -> None:
        self._plan, self._enrolment, self._link, self._control, self._clock = plan, enrolment, link, control, clock
        self._store = PartitionStore(link, enrolment.keys)
        self._ahead_s = ahead_s
        config, joined = plan.config, enrolment.joined
        self.frontier = RedisFrontier(
            self._store,
            clock,
            worker=enrolment.id,
            lease_s=config.fleet.lease_s,
            key=joined.key,
            partitions=joined.partitions,
            ahead_s=ahead_s,
            deepest_first=config.order == "depth",
            longest_snooze_s=max(MAX_RETRY_AFTER_S, config.breaker.rest_s),
        )
        #: told of each end, as the ledger counts them
        self.journal = _Counting(
            sink_for(plan.directory.records(JOURNAL, suffix(config.export.compress)), config.export.compress)
        )
        #: what keeps it from its work; its `say` is for who shows the crawl
        self.notices = Notices()
        #: of the whole crawl, once it is over here
        self.totals = Totals()
        self._seeds: SharedSeeds | None = None
        self._member: Member | None = None
        self._errands: Errands | None = None
        self._committer: Committer | None = None

    def opened(self) -> OpenedStore:
        """The frontier, as `crawler.stores` hands out any: a new worker has nothing from before."""
        news = (*self._enrolment.news, *self._link.warnings)
        return OpenedStore(self.frontier, Restored(), self._plan.effective_config(), news)

    def seeds(self, own: SeedList) -> SharedSeeds:
        """What the engine begins with, made of the worker's own list."""
        items = self._plan.seed_items()
        self._seeds = SharedSeeds(
            own,
            name_of(items),
            self._control,
            self._enrolment.id,
            lease_s=self._plan.config.fleet.lease_s,
            settled=self._settled,
            reads=bool(items) and self._enrolment.reads_seeds,
        )
        return self._seeds

    def equip(self, parts: Parts, engine: Engine) -> None:
        """Have the parts of the crawl do what a worker's have to."""
        enrolment, config = self._enrolment, self._plan.config
        self._committer = parts.committer
        engine.ran_dry = parts.committer.hasten  # others may wait for what it found, and all for it to be idle
        budget = parts.policy.budget
        if budget.ends_at is not None:  # counted from the crawl's beginning, not from this worker's
            budget.ends_at -= max(0.0, self._clock.wall() + self._ahead_s - enrolment.joined.orders.started_at)
        info = WorkerInfo(
            id=enrolment.id,
            name=enrolment.name,
            version=__version__,
            directory=str(self._plan.directory.path.absolute()),
            started_at=enrolment.started_at,
        )
        holding = Holding(
            parts=parts,
            frontier=self.frontier,
            engine=engine,
            tick=self._tick,
            partitions=enrolment.joined.partitions,
            budget=config.budget,
            notices=self.notices,
        )
        self._member = member = Member(
            self._link,
            control=self._control,
            members=Members(self._link, enrolment.keys, enrolment.joined.id),
            store=self._store,
            holder=holding,
            joined=enrolment.joined,
            info=info,
            lease_s=config.fleet.lease_s,
            at_address=config.limits.per_address.concurrency,
            monotonic=self._clock.monotonic,
            wall=self._clock.wall,
        )
        holding.member = member
        self._errands = self._running(parts, member)
        if self._seeds is not None:
            member.hears["orders"] = self._seeds.heed

    async def run(self, engine: Engine) -> Ending:
        """Crawl until the crawl is over, or `engine` is told to stop; then everything is given back.

        Raises:
            CrawlerError: As of `Engine.run`; or Redis, or the crawl in it, is gone.
        """
        member, seeds = self._member, self._seeds
        if member is None or seeds is None:
            raise CrawlerError("this worker was not equipped")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(member.run())
                beside = [group.create_task(seeds.run()), group.create_task(self._watch(member, seeds, engine))]
                if self._errands is not None:
                    beside.append(group.create_task(self._errands.run()))
                ending = await engine.run()
                for task in beside:
                    task.cancel()
                seeds.end()
                await seeds.leave()
                if ending.stopped_by and ending.stopped_by != STOPPED:
                    await self._control.stop(ending.stopped_by)  # a budget of the crawl that no worker draws from
                self.totals = totals_of(await self._store.tallies(range(self._enrolment.joined.partitions)))
                await member.leave()
        except* CrawlerError as errors:
            raise first_error(errors) from errors
        return self._ended(ending, member)

    def _running(self, parts: Parts, member: Member) -> Errands:
        """What others are asked to ask for, and ask us."""
        steering, tenure = parts.policy.steering, parts.policy.tenure
        partitions = self._enrolment.joined.partitions

        def answered(request: Request, file: RobotsFile) -> None:
            parts.ledger.found(steering.answered(request, file))
            self._tick()

        def ask(origin: str, request: Request) -> bool:
            may = steering.run_errand(origin, request)
            self._tick()
            return may

        errands = Errands(
            self._link,
            self._enrolment.keys,
            self._enrolment.id,
            partition_of=lambda key: partition_of(key, partitions),
            tell=self._control.tell,
            ask=ask,
            answered=answered,
        )
        tenure.abroad, tenure.brought = errands.send, errands.bring
        member.hears[EVENT] = errands.heard
        return errands

    def trouble(self, why: str | None) -> None:
        """Redis cannot be relied on, or can again."""
        self.notices.trouble(why)
        if self._member is not None:
            self._member.trouble(why)

    def own(self, snapshot: Snapshot) -> Snapshot:
        """What this worker did: every URL whose end it wrote, whoever holds its partition now."""
        ends = self.journal.ended
        outcomes = {outcome: ends[outcome] for outcome in Outcome}
        return replace(snapshot, admitted=ends.total(), queued=0, waiting=0, outcomes=outcomes)

    def told(self, say: Callable[[str], object]) -> None:
        """Have what keeps this worker from its work told to `say`, a sentence at a time."""
        self.notices.say = say

    @property
    def waits_for(self) -> str:
        """Why Redis is waited for; empty if it is not."""
        return self.notices.waits_for

    def give_up(self) -> None:
        """Wait for Redis no longer."""
        self._link.stop()

    async def _watch(self, member: Member, seeds: SharedSeeds, engine: Engine) -> None:
        """End the engine's run once the crawl is over."""
        await member.over.wait()
        orders = member.orders
        log.info("the crawl is over", extra={"why": orders.why or orders.state})
        if orders.state == DONE:
            seeds.end()
        else:
            engine.stop()

    def _ended(self, ending: Ending, member: Member) -> Ending:
        """How the whole crawl ended, if it is over: a worker that leaves it was just stopped."""
        if not member.over.is_set():
            return ending
        orders = member.orders
        if orders.state == DONE:
            return Ending(complete=True)
        return Ending(complete=False, stopped_by=orders.why if orders.why.startswith("budget.") else STOPPED)

    def _tick(self) -> None:
        if self._seeds is not None:
            self._seeds.tick()

    async def _settled(self) -> None:
        if self._committer is not None:
            await self._committer.settled()


class _Counting(Journal):
    """A journal that counts."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        #: how many URLs' ends it tells of, by outcome
        self.ended: Counter[Outcome] = Counter()

    async def write(self, batch: Batch, told: Told, *, fsync: bool) -> None:
        """See `Journal.write`."""
        await super().write(batch, told, fsync=fsync)
        self.ended.update(end.outcome for end in batch.finished)


async def open_shared(plan: Plan, enrolment: Enrolment, clock: Clock, stack: AsyncExitStack) -> Shared:
    """Connect a worker to its crawl; what is opened is closed with `stack`.

    Raises:
        ConfigError: The Redis cannot be used, or the crawl was begun anew meanwhile.
        FrontierError: It cannot be reached.
    """
    told: list[Callable[[str | None], None]] = []

    def trouble(why: str | None) -> None:
        for tell in told:
            tell(why)

    link = await Link.open(enrolment.target, trouble)
    stack.push_async_callback(link.aclose)
    control = Control(link, Keys(enrolment.target.prefix))
    joined = await control.look(FORMAT)
    if joined is None or joined.id != enrolment.joined.id:
        raise ConfigError(f"{enrolment.target.shown}: this crawl was begun anew meanwhile, or forgotten")
    shared = Shared(plan, enrolment, link, control, clock=clock, ahead_s=await link.server_time() - clock.wall())
    told.append(shared.trouble)
    await shared.journal.open(None)
    stack.push_async_callback(shared.journal.aclose)
    return shared
