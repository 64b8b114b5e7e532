"""How does one worker take its part in a crawl, from joining to the end?

Theory of operation. Six coroutines, each of which sleeps until something is said to it (`cue`), or a time has come:

    listen      events of others -> the coroutines concerned
    pulse       a heartbeat and the renewal of all leases, three times a lease; a heartbeat alone when others have to
                know something, and when another worker's, or the leader's, is overdue
    take        what the plan gives and nobody holds is leased, loaded, and crawled from then on
    give        what the plan gives to others is given back, once nothing of it is under way
    receive     inboxes are taken in: those of which it was heard, and all of them with each pulse
    lead        as the leader: plans, and the end of the crawl (`leading`)

A plan is a wish, a lease is what counts: two workers never hold a partition, whatever they have heard of plans. Events
may be lost, heartbeats may not: each brings all there is to know, so that whatever was missed is made good within a
third of a lease.

Where Redis is away, calls wait (`link`), leases lapse, and `holds` says so at once. When it is back, those that nobody
took are renewed, as if nothing had been; the others are lost, and forgotten.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import CrawlerError, FrontierError, first_error
from crawler.fleet.control import RUNNING, channel_of
from crawler.fleet.cue import Cue, ended
from crawler.fleet.hands import Hands
from crawler.fleet.hearing import ALL, listen
from crawler.fleet.leading import GATHER_S, Leader
from crawler.fleet.leases import Leases, wakeful
from crawler.fleet.members import Flags, Units
from crawler.fleet.models import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from crawler.fleet.control import Control, Joined
    from crawler.fleet.holder import Holder
    from crawler.fleet.link import Link
    from crawler.fleet.members import Beat, Members, There
    from crawler.fleet.models import WorkerInfo
    from crawler.fleet.store import PartitionStore

log = logging.getLogger(__name__)

PULSES = 3
"""Heartbeats a lease: two may be lost."""

_HAIR_S = 0.005  # after the exact time, which Redis tells in milliseconds
_DRAINING_S = 0.25  # until it is looked again whether fewer requests are in flight at one address


class Member:
    """One worker's part in a crawl. `run` it beside the crawl; `leave` when that is over, whatever ended it.

    Args:
        joined: What crawl.
        info: What is known of this worker from the start: its id (`Members.new_id`) among it.
        lease_s: How long a lease lasts.
        at_address: How many requests to one address may be in flight, of all workers together.
        now: A clock that goes on while the machine is suspended.
    """

    def __init__(
        self,
        link: Link,
        *,
        control: Control,
        members: Members,
        store: PartitionStore,
        holder: Holder,
        joined: Joined,
        info: WorkerInfo,
        lease_s: float,
        at_address: int,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        now: Callable[[], float] = wakeful,
    ) -> None:
        self._link = link
        self._control = control
        self._members = members
        self._holder = holder
        self._info = info
        self._lease_s = lease_s
        self._at_address = at_address
        self._monotonic = monotonic
        self._wall = wall
        self._leases = Leases(joined.partitions, lease_s, now=now, monotonic=monotonic)
        self._leases.lapsed = self._has_lapsed
        self._hands = Hands(
            info.id, store=store, holder=holder, leases=self._leases, lease_s=lease_s, monotonic=monotonic,
            released=lambda: control.tell("released"), alive=lambda worker: worker in self._there,
        )  # fmt: skip
        self._leader = Leader(
            info.id, control=control, members=members, store=store, partitions=joined.partitions, monotonic=monotonic,
            weigh_s=lease_s,
        )  # fmt: skip
        #: what all are told
        self.orders = joined.orders
        #: set once the crawl is over, or this run of it: `orders` say how
        self.over = asyncio.Event()
        #: called when an event of this name is heard, besides what is done here
        self.hears: dict[str, Callable[[], None]] = {}
        self._run = joined.orders.run
        self._plan = Plan()
        self._beat: Beat | None = None
        self._told = Flags()
        self._renew_at = monotonic()
        self._units = 0
        self._troubles: dict[str, str] = {}
        self._is_leaving = False
        self._gone = asyncio.Event()
        self._pulse, self._lead = Cue(monotonic), Cue(monotonic)
        self.holds = self._leases.holds
        self.asked_at = self._leases.asked_at
        self.lost = self._hands.lost

    async def run(self) -> None:
        """Take part, until all is given back after `leave`. Cancelled, it lets everything lapse as a crash does.

        Raises:
            FrontierError: The crawl is gone from Redis.
        """
        self._pulse()
        keys, hands = self._control.keys, self._hands
        channels = (keys.events, channel_of(keys, self._info.id))
        loops = [
            self._holder.run(),
            self._pulse_on(),
            self._lead_on(),
            hands.take_on(),
            hands.give_on(),
            hands.receive_on(),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(loop) for loop in (*loops, listen(self._link, channels, self._heard))]
                try:
                    await hands.empty.wait()
                finally:
                    await ended(tasks)
            await self._members.leave(self._info.id)
        except* CrawlerError as errors:
            raise first_error(errors) from errors
        finally:
            self._gone.set()

    async def leave(self) -> None:
        """Give everything back and be gone: the others go on. `run` must be running, or have been."""
        self._is_leaving = True
        self._hands.leave()
        self._pulse()
        await self._gone.wait()

    def nudge(self) -> None:
        """It may be that others have to know what this worker does now: that it is idle, or has spent its part."""
        if self._flags() != self._told:
            self._pulse()

    async def posted(self, partitions: Iterable[int]) -> None:
        """Tell their workers that there is something in these inboxes."""
        owners = self._plan.owners
        of: dict[int, list[str]] = {}
        for partition in partitions if owners else ():
            of.setdefault(owners[partition], []).append(str(partition))
        for owner, theirs in of.items():
            if owner:
                await self._control.tell(f"in {' '.join(theirs)}", owner)

    def trouble(self, why: str | None, kind: str = "link") -> None:
        """Redis is not to be relied on, or is again (None)."""
        before = next(iter(self._troubles.values()), None)
        if why is None:
            self._troubles.pop(kind, None)
        else:
            self._troubles[kind] = why
        if (after := next(iter(self._troubles.values()), None)) != before:
            self._holder.trouble(after)

    async def draw(self, name: str, total: int, most: int) -> tuple[int, int]:
        """See `Control.draw`."""
        return await self._control.draw(name, self._info.id, total, most)

    @property
    def workers(self) -> int:
        """How many there are, as far as is known."""
        return len(self._plan.workers)

    @property
    def held(self) -> frozenset[int]:
        """The partitions that are crawled here."""
        return frozenset(self._hands.loaded)

    @property
    def _there(self) -> Mapping[int, There]:
        return self._beat.there if self._beat is not None else {}

    @property
    def _leads(self) -> bool:
        return self._beat is not None and self._beat.leader == self._info.id

    @property
    def _share(self) -> int:
        """How many requests to one address are to be this worker's part."""
        workers = self._plan.workers
        if self._info.id not in workers or self._is_leaving:
            return 0
        each, more = divmod(self._at_address, len(workers))
        return each + (workers.index(self._info.id) < more)

    def _flags(self) -> Flags:
        holder = self._holder
        is_idle = holder.is_idle and self._hands.is_settled
        return Flags(is_idle=is_idle, is_leaving=self._is_leaving, spent=holder.spent)

    def _heard(self, event: str) -> None:
        name, _, rest = event.partition(" ")
        match name:
            case "in":
                self._hands.post(map(int, rest.split()))
            case "released":
                self._hands.take()
            case "members":
                if self._leads:
                    self._pulse.at(self._monotonic() + GATHER_S)
            case "units":
                if self._units < self._share:
                    self._pulse()
            case "plan" | "orders" | "leader":
                self._pulse()
            case _ if name == ALL:
                self._renew_at = self._monotonic()
                self._pulse()
        if (more := self.hears.get(name)) is not None:
            more()

    def _has_lapsed(self) -> None:
        """A lease is over that was not lost: it may be good again once it is renewed."""
        if "lease" not in self._troubles:
            self.trouble("its leases have lapsed", "lease")
            self._renew_at = self._monotonic()
            self._pulse()

    async def _pulse_on(self) -> None:
        while True:
            await self._pulse.wait()
            await self._send()
            now = self._monotonic()
            if now >= self._renew_at:
                self._renew_at = now + self._lease_s / PULSES
                await self._hands.renew()
                if self._leases.are_good:
                    self.trouble(None, "lease")
                else:
                    self._renew_at = now
                self._hands.take()
                self._hands.post()
            self._pulse.at(self._renew_at)

    async def _send(self) -> None:
        """Send a heartbeat, and act on what it brings."""
        share, sent_at = self._share, self._wall()
        self._allow(min(self._units, share))
        self._told = self._flags()
        beat = await self._members.beat(
            self._described(),
            self._told,
            self._lease_s,
            units=Units(wanted=share, in_use=self._holder.units_in_use, most=self._at_address),
            plan=self._plan.version,
            weights=self._holder.weights(),
        )
        if beat is None:
            raise FrontierError(
                f"the crawl {self._control.keys.prefix} is gone from Redis: was it forgotten, or its data lost?"
            )
        self._beat = beat
        self._holder.told_time(beat.now - (sent_at + self._wall()) / 2)
        if beat.version != self.orders.version:
            self.orders = await self._control.orders()
        if beat.plan is not None:
            self._planned(beat.plan)
        self._allow(min(beat.units, self._share))
        if self.orders.state != RUNNING or self.orders.run != self._run:
            self.over.set()
        self._watch(beat)

    def _watch(self, beat: Beat) -> None:
        """Look again when somebody may have died."""
        now = self._monotonic()
        if self._leads:
            others = (there.for_s for worker, there in beat.there.items() if worker != self._info.id)
            if (first := min(others, default=None)) is not None:
                self._pulse.at(now + first + _HAIR_S)
            self._lead()
        else:
            self._pulse.at(now + beat.leader_for_s + _HAIR_S)
        if beat.units > self._share:
            self._pulse.at(now + _DRAINING_S)

    def _planned(self, plan: Plan) -> None:
        self._plan = plan
        self._hands.want(frozenset(one for one, owner in enumerate(plan.owners) if owner == self._info.id))

    def _allow(self, units: int) -> None:
        self._units = units
        self._holder.heed(self.orders, units)
        waits = self._hands.wanted and not units
        self.trouble("it waits for its part of the requests that one address may have" if waits else None, "units")

    def _described(self) -> WorkerInfo:
        state = next(iter(self._troubles.values()), None)
        if state is None:
            state = "leaving" if self._is_leaving else "paused" if self.orders.paused_by else ""
        state = state or ("idle" if self._told.is_idle else "running")
        ahead = self._beat.now if self._beat else 0.0
        info = replace(self._info, at=ahead, held=len(self._hands.loaded), state=state)
        return self._holder.info(info)

    async def _lead_on(self) -> None:
        while True:
            await self._lead.wait()
            beat = self._beat
            if beat is None or not self._leads or self.over.is_set():
                continue
            plan = await self._leader.plan(self._plan, beat, self._at_address)
            if plan.version != self._plan.version:
                self._planned(plan)
                self._pulse()
            if await self._leader.end(beat, self.orders, self._holder.budgets):
                self._pulse()
