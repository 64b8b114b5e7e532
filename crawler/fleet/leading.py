"""What does the one worker do that leads: who should hold what, and is the crawl over?

It plans when workers come or go, at once, and now and then as partitions turn out heavier than others.

The crawl is over when nothing is open and nothing is on its way. Workers that have nothing left to do say so; that is
only a hint to look. What proves it are two looks at all partitions, one after the other: in both, each has as many ends
as URLs, an empty inbox and nothing put off; and in the second, each is at the same commit as in the first. Then there
was a moment between the two at which all that was true of all of them at once: a URL may come to be only from a page
that is still open, from an inbox, or from seeds, all of which were in before the first look. So nothing can follow.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from crawler.fleet.plan import nobodys, planned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from crawler.fleet.control import Control
    from crawler.fleet.members import Beat, Members
    from crawler.fleet.models import Plan
    from crawler.fleet.orders import Orders
    from crawler.fleet.store import Tally

log = logging.getLogger(__name__)

GATHER_S = 0.1
"""Workers that come together are planned for together."""


class Looks(Protocol):
    """Whoever can look at partitions."""

    async def tallies(self, partitions: Iterable[int]) -> Sequence[Tally]:
        """What there is in each of them."""
        ...


class Leader:
    """A worker's part as the one that leads, should it be that.

    Args:
        worker: Its id.
        partitions: How many the crawl has.
        monotonic: The clock of all times.
        weigh_s: How often a plan is looked at again while the same workers are there.
    """

    def __init__(
        self,
        worker: int,
        *,
        control: Control,
        members: Members,
        store: Looks,
        partitions: int,
        monotonic: Callable[[], float],
        weigh_s: float,
    ) -> None:
        self._worker = worker
        self._control = control
        self._members = members
        self._store = store
        self._partitions = partitions
        self._monotonic = monotonic
        self._weigh_s = weigh_s
        self._weigh_at = -1.0
        self._weights: dict[int, float] = {}

    async def plan(self, before: Plan, beat: Beat, most: int) -> Plan:
        """Publish who should hold what, if that has to change; the plan that holds, as far as is known.

        Args:
            most: How many may hold anything: as many as there are requests at once for one address.
        """
        workers = sorted(worker for worker, there in beat.there.items() if not there.flags.is_leaving)
        now = self._monotonic()
        if tuple(workers[:most]) == before.workers and now < self._weigh_at:
            return before
        self._weigh_at = now + self._weigh_s
        told = await self._members.weights(beat.there)
        held = {one for one, owner in enumerate(before.owners) if owner in beat.there}
        self._weights = {one: weight for one, weight in self._weights.items() if one not in held} | told
        plan = planned(before if before.owners else nobodys(self._partitions), workers, self._weights, most=most)
        if plan.version == before.version:
            return before
        # by the server's clock: one that it has lost again must not be taken for the next
        plan = replace(plan, version=max(plan.version, round(beat.now * 1000)))
        if not await self._members.publish(self._worker, before, plan):
            return before
        log.info("partitions are planned for", extra={"why": f"{len(plan.workers)} workers"})
        return plan

    async def end(self, beat: Beat, orders: Orders, budgets: Mapping[str, int]) -> bool:
        """End the crawl if it is over; whether this was done.

        Args:
            budgets: Those that may be spent, and what there is of each.
        """
        if not beat.is_idle:
            return False
        if spent := {there.flags.spent for there in beat.there.values() if there.flags.spent}:
            return await self._end_spent(sorted(spent.intersection(budgets)), orders, budgets)
        if not orders.is_seeded or not await self._holds_twice(_is_closed):
            return False
        return await self._control.finish(orders.run)

    async def _end_spent(self, names: Sequence[str], orders: Orders, budgets: Mapping[str, int]) -> bool:
        """End it by the first of these budgets that is spent. Of one that nobody draws from, workers know no more than
        that they have: then nothing may be on its way to any of them."""
        for name in names:
            is_sure = budgets[name] or (orders.is_seeded and await self._holds_twice(_is_quiet))
            if is_sure and await self._control.spend(orders.run, name, budgets[name]):
                return True
        return False

    async def _holds_twice(self, holds: Callable[[Tally], bool]) -> bool:
        """Whether there was a moment at which this held of every partition."""
        commits: list[int] | None = None
        for _ in range(2):
            tallies = await self._store.tallies(range(self._partitions))
            if not all(map(holds, tallies)):
                return False
            before, commits = commits, [tally.commit for tally in sorted(tallies, key=lambda tally: tally.partition)]
        return before == commits


def _is_quiet(tally: Tally) -> bool:
    return not tally.inbox and not tally.snoozed


def _is_closed(tally: Tally) -> bool:
    return _is_quiet(tally) and tally.urls == sum(tally.ended.values())
