"""What does a worker tell with a heartbeat, and what does it learn by it?

It tells how it fares, and what others act on: whether it is idle, leaves, has spent its part of a budget. It learns who
else is there and who leads, the plan, what all are told, and how many requests to one address are its part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.fleet.members import Flags, Units
from crawler.fleet.models import Plan
from crawler.fleet.orders import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crawler.fleet.control import Control
    from crawler.fleet.hands import Hands
    from crawler.fleet.holder import Holder
    from crawler.fleet.members import Beat, Members, There
    from crawler.fleet.models import WorkerInfo
    from crawler.fleet.orders import Joined

_QUICK_S = 1.0
"""A reply that took longer does not tell what time it is at the server."""

_NO_UNITS = "it waits for its part of the requests that one address may have"


class Heart:
    """A part of `Member`, to be used through it; arguments are explained there."""

    def __init__(
        self,
        *,
        control: Control,
        members: Members,
        holder: Holder,
        hands: Hands,
        joined: Joined,
        info: WorkerInfo,
        lease_s: float,
        at_address: int,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._control = control
        self._members = members
        self._holder = holder
        self._hands = hands
        self._info = info
        self._lease_s = lease_s
        self._at_address = at_address
        self._monotonic = monotonic
        self._wall = wall
        self._run = joined.orders.run
        self._troubles: dict[str, str] = {}
        #: what all are told
        self.orders = joined.orders
        self.plan = Plan()
        #: what the last heartbeat brought
        self.beat: Beat | None = None
        #: what it told
        self.told = Flags()
        #: requests to one address that may be in flight here
        self.units = 0
        self.is_leaving = False

    @property
    def there(self) -> Mapping[int, There]:
        """Who is there, as far as is known."""
        return self.beat.there if self.beat is not None else {}

    @property
    def leads(self) -> bool:
        """Whether this worker does."""
        return self.beat is not None and self.beat.leader == self._info.id

    @property
    def is_over(self) -> bool:
        """Whether the crawl is, or the run of it that this worker joined."""
        return self.orders.state != RUNNING or self.orders.run != self._run

    @property
    def share(self) -> int:
        """How many requests to one address are to be this worker's part."""
        workers = self.plan.workers
        if self._info.id not in workers or self.is_leaving:
            return 0
        each, more = divmod(self._at_address, len(workers))
        return each + (workers.index(self._info.id) < more)

    @property
    def stands_by(self) -> bool:
        """Whether others have all requests to one address, so that the plan has nothing for this worker."""
        workers = self.plan.workers
        return len(workers) >= self._at_address and self._info.id not in workers and not self.is_leaving

    @property
    def flags(self) -> Flags:
        """What others would act on now."""
        is_idle = self._holder.is_idle and self._hands.is_settled
        return Flags(is_idle=is_idle, is_leaving=self.is_leaving, spent=self._holder.spent)

    async def send(self) -> Beat:
        """Send a heartbeat, and heed what it brings.

        Raises:
            FrontierError: The crawl is gone from Redis.
        """
        self._allow(min(self.units, self.share))
        self.told = self.flags
        sent_at = self._monotonic()
        beat = await self._members.beat(
            self._described(),
            self.told,
            self._lease_s,
            units=Units(wanted=self.share, in_use=self._holder.units_in_use, most=self._at_address),
            plan=self.plan.version,
            weights=self._holder.weights(),
        )
        if beat is None:
            raise FrontierError(
                f"the crawl {self._control.keys.prefix} is gone from Redis: was it forgotten, or its data lost?"
            )
        self.beat = beat
        took_s = self._monotonic() - sent_at
        if took_s < _QUICK_S:
            self._holder.told_time(beat.now + took_s / 2 - self._wall())
        if beat.version != self.orders.version:
            self.orders = await self._control.orders()
        if beat.plan is not None:
            self.planned(beat.plan)
        self._allow(min(beat.units, self.share))
        return beat

    def planned(self, plan: Plan) -> None:
        """Go by this plan."""
        self.plan = plan
        if not plan.owners:
            return  # the server has lost it: what is held stays so until there is another
        self._hands.want(frozenset(one for one, owner in enumerate(plan.owners) if owner == self._info.id))

    def trouble(self, why: str | None, kind: str) -> None:
        """There is a trouble of one kind, in which nothing is to be started; or no more (None)."""
        before = self._trouble
        if why is None:
            self._troubles.pop(kind, None)
        else:
            self._troubles[kind] = why
        if (after := self._trouble) != before:
            self._holder.trouble(after)

    @property
    def _trouble(self) -> str | None:
        return next(iter(self._troubles.values()), None)

    def _allow(self, units: int) -> None:
        self.units = units
        self._holder.heed(self.orders, units)
        self.trouble(_NO_UNITS if self._hands.wanted and not units else None, "units")

    def _described(self) -> WorkerInfo:
        state = "idle" if self.told.is_idle else "running"
        if self._trouble is not None:
            state = self._trouble
        elif self.is_leaving:
            state = "leaving"
        elif self.orders.paused_by:
            state = "paused"
        elif self.stands_by:
            state = "stands by"
        at = self.beat.now if self.beat is not None else 0.0
        return self._holder.info(replace(self._info, at=at, held=len(self._hands.loaded), state=state))
