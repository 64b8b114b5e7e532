"""How does one worker take its part in a crawl, from joining to the end?

Theory of operation. Six coroutines, each of which sleeps until something is said to it (`cue`), or a time has come:

    listen      events of others -> the coroutines concerned
    pulse       a heartbeat and the renewal of all leases, three times a lease; a heartbeat alone when others have to
                know something, and when another worker's, or the leader's, is overdue
    take        what the plan gives and nobody holds is leased, loaded, and crawled from then on
    give        what the plan gives to others is given back, once nothing of it is under way
    receive     inboxes are taken in: those of which it was heard, and all of them once a lease
    lead        as the leader: plans, and the end of the crawl (`leading`)

A plan is a wish, a lease is what counts: two workers never hold a partition, whatever they have heard of plans. Events
may be lost, heartbeats may not: each brings all there is to know, so that whatever was missed is made good within a
lease.

Where Redis is away, calls wait (`link`), leases lapse, and `holds` says so at once. When it is back, those that nobody
took are renewed, as if nothing had been; the others are lost, and forgotten.
"""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import TYPE_CHECKING

from crawler.errors import CrawlerError, first_error
from crawler.fleet.control import channel_of
from crawler.fleet.cue import Cue, ended
from crawler.fleet.hands import Hands
from crawler.fleet.hearing import ALL, listen
from crawler.fleet.heart import Heart
from crawler.fleet.leading import GATHER_S, Leader
from crawler.fleet.leases import Leases, wakeful

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawler.fleet.control import Control
    from crawler.fleet.holder import Holder
    from crawler.fleet.link import Link
    from crawler.fleet.members import Beat, Members
    from crawler.fleet.models import WorkerInfo
    from crawler.fleet.orders import Joined, Orders
    from crawler.fleet.store import PartitionStore

PULSES = 3
"""Heartbeats a lease: two may be lost."""

WEIGH_S = 60.0
"""While the same workers are there, partitions move at most so often: each move holds up its hosts for a moment."""

_HAIR_S = 0.005  # after the exact time, which Redis tells in milliseconds
_DRAINING_S = 0.25  # until it is looked again whether fewer requests are in flight at one address
_UNSURE_S = 0.5  # until it is looked again whether a crawl is over of which all have nothing left that they know of


class Member:
    """One worker's part in a crawl. `run` it beside the crawl; `leave` when that is over, whatever ended it.

    Args:
        joined: What crawl.
        info: What is known of this worker from the start: its id (`Members.new_id`) among it.
        lease_s: How long a lease lasts.
        at_address: How many requests to one address may be in flight, of all workers together.
        weigh_s: How often, as the leader, it plans anew as weights have shifted; None for the usual.
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
        weigh_s: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        now: Callable[[], float] = wakeful,
    ) -> None:
        self._link = link
        self._control = control
        self._members = members
        self._holder = holder
        self._id = info.id
        self._lease_s = lease_s
        self._at_address = at_address
        self._monotonic = monotonic
        self._leases = Leases(joined.partitions, lease_s, now=now, monotonic=monotonic)
        self._leases.lapsed = self._has_lapsed
        self._hands = Hands(
            info.id, store=store, holder=holder, leases=self._leases, lease_s=lease_s, monotonic=monotonic,
            released=lambda: control.tell("released"), alive=lambda worker: worker in self._heart.there,
        )  # fmt: skip
        self._heart = Heart(
            control=control, members=members, holder=holder, hands=self._hands, joined=joined, info=info,
            lease_s=lease_s, at_address=at_address, monotonic=monotonic, wall=wall,
        )  # fmt: skip
        self._leader = Leader(
            info.id, control=control, members=members, store=store, partitions=joined.partitions, monotonic=monotonic,
            weigh_s=max(lease_s, WEIGH_S) if weigh_s is None else weigh_s,
        )  # fmt: skip
        #: set once the crawl is over, or this run of it: `orders` say how
        self.over = asyncio.Event()
        #: called when an event of this name is heard, besides what is done here
        self.hears: dict[str, Callable[[], None]] = {}
        self._renew_at = self._look_at = monotonic()
        self._has_lapses = self._has_heard = False
        self._sure_at = -inf  # before that, others may not have handed over again yet what Redis has lost
        self._gone = asyncio.Event()
        self._pulse, self._lead = Cue(monotonic), Cue(monotonic)
        #: whether a request may be sent to a host now
        self.holds = self._leases.holds
        #: the monotonic time at which a worker that died may last have asked a host; else minus infinity
        self.asked_at = self._leases.asked_at
        #: to be told of partitions of which Redis took nothing any more
        self.lost = self._hands.lost

    async def run(self) -> None:
        """Take part, until all is given back after `leave`. Cancelled, it lets everything lapse as a crash does.

        Raises:
            FrontierError: The crawl is gone from Redis.
        """
        self._pulse()
        events, hands = self._control.keys.events, self._hands
        channels = (events, channel_of(self._control.keys, self._id))
        loops = [self._holder.run(), hands.take_on(), hands.give_on(), hands.receive_on(), self._pulse_on()]
        loops += [self._lead_on(), listen(self._link, channels, self._heard)]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(loop) for loop in loops]
                try:
                    await hands.empty.wait()
                finally:
                    await ended(tasks)
            await self._members.leave(self._id)
        except* CrawlerError as errors:
            raise first_error(errors) from errors
        finally:
            self._gone.set()

    async def leave(self) -> None:
        """Give everything back and be gone: the others go on. `run` must be running, or have been."""
        self._heart.is_leaving = True
        self._hands.leave()
        self._pulse()
        await self._gone.wait()

    @property
    def orders(self) -> Orders:
        """What all are told."""
        return self._heart.orders

    @property
    def workers(self) -> int:
        """How many there are to hold partitions, as far as is known."""
        return len(self._heart.plan.workers)

    @property
    def stands_by(self) -> bool:
        """Whether the others leave nothing for this one, as of requests to one address there are too few."""
        return self._heart.stands_by

    @property
    def held(self) -> frozenset[int]:
        """The partitions that are crawled here."""
        return frozenset(self._hands.loaded)

    def nudge(self) -> None:
        """It may be that others have to know what this worker does now: that it is idle, or has spent its part."""
        if self._heart.flags != self._heart.told:
            self._pulse()

    def trouble(self, why: str | None) -> None:
        """Redis is not to be relied on, or is again (None)."""
        self._heart.trouble(why, "link")
        self._lost_touch()

    async def posted(self, partitions: Iterable[int]) -> None:
        """Tell their workers that there is something in these inboxes."""
        owners = self._heart.plan.owners
        of: dict[int, list[str]] = {}
        for partition in partitions if owners else ():
            of.setdefault(owners[partition], []).append(str(partition))
        for owner, theirs in of.items():
            if owner:
                await self._control.tell(f"in {' '.join(theirs)}", owner)

    async def draw(self, name: str, total: int, most: int) -> tuple[int, int]:
        """See `Control.draw`."""
        return await self._control.draw(name, self._id, total, most)

    def _heard(self, event: str) -> None:
        name, _, rest = event.partition(" ")
        match name:
            case "in":
                self._hands.post(map(int, rest.split()))
            case "released":
                self._hands.take()
            case "members":
                if self._heart.leads:
                    self._pulse.at(self._monotonic() + GATHER_S)
            case "units":
                if self._heart.units < self._heart.share:
                    self._pulse()
            case "plan" | "orders" | "leader":
                self._pulse()
            case _ if name == ALL:
                if self._has_heard:
                    self._lost_touch()
                self._has_heard = True
                self._renew_at = self._look_at = self._monotonic()
                self._pulse()
        for hears, more in self.hears.items():
            if name in (hears, ALL):  # whatever was told while there was no connection
                more()

    def _lost_touch(self) -> None:
        """Redis was away, from here at least, and may have lost its last second."""
        self._sure_at = self._monotonic() + self._lease_s

    def _has_lapsed(self) -> None:
        """A lease is over that was not lost: it may be good again once it is renewed."""
        if not self._has_lapses:
            self._has_lapses = True
            self._heart.trouble("its leases have lapsed", "lease")
            self._renew_at = self._monotonic()
            self._pulse()

    async def _pulse_on(self) -> None:
        while True:
            await self._pulse.wait()
            beat = await self._heart.send()
            if self._heart.is_over:
                self.over.set()
            if (now := self._monotonic()) >= self._renew_at:
                await self._renew(now)
            self._pulse.at(self._renew_at)
            self._watch(beat)

    async def _renew(self, now: float) -> None:
        """Renew all leases, and look after what may have been missed."""
        self._renew_at = now + self._lease_s / PULSES
        await self._hands.renew()
        if self._leases.are_good:
            self._has_lapses = False
            self._heart.trouble(None, "lease")
        else:
            self._renew_at = now
        self._hands.take()
        if now >= self._look_at:
            self._look_at = now + self._lease_s
            self._hands.post()

    def _watch(self, beat: Beat) -> None:
        """Look again when somebody may have died."""
        now = self._monotonic()
        if self._heart.leads:
            others = (there.for_s for worker, there in beat.there.items() if worker != self._id)
            if (first := min(others, default=None)) is not None:
                self._pulse.at(now + first + _HAIR_S)
            self._lead()
        else:
            self._pulse.at(now + beat.leader_for_s + _HAIR_S)
        if beat.units > self._heart.share:
            self._pulse.at(now + _DRAINING_S)

    async def _lead_on(self) -> None:
        while True:
            await self._lead.wait()
            beat = self._heart.beat
            if beat is None or not self._heart.leads or self.over.is_set():
                continue
            plan = await self._leader.plan(self._heart.plan, beat, self._at_address)
            if plan.version != self._heart.plan.version:
                self._heart.planned(plan)
                self._pulse()
            if beat.is_idle and self._monotonic() < self._sure_at:
                self._lead.at(self._sure_at)
            elif await self._leader.end(beat, self.orders, self._holder.budgets):
                self._pulse()
            elif beat.is_idle:
                self._lead.at(self._monotonic() + _UNSURE_S)
