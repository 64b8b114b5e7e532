"""How does an engine's crawl come to have some partitions of a shared crawl, and not others, while it runs?

It stands between `fleet.member`, which leases partitions, and the parts of the crawl. What is gained, the frontier
loads, and the engine is told to look. What is to be given back is left by politeness first, so that nothing more of it
starts: what is on the wire comes to its end, all is stored, and only then does the frontier forget it. What was lost is
forgotten at once, and nothing of it is stored.

Whatever pauses the crawl has its own reason, so that none takes away another's: Redis that cannot be relied on, and
whoever pauses the whole crawl. A person who pauses this worker has theirs.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawler.fleet.cue import goes_on
from crawler.fleet.hearing import ALL
from crawler.fleet.notices import Notices
from crawler.fleet.partitions import partition_of
from crawler.fleet.portions import Portions
from crawler.politeness.budget import BYTES, PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from crawler.config import Pace
    from crawler.config.manners import BudgetConfig
    from crawler.engine import Engine
    from crawler.fleet.member import Member
    from crawler.fleet.models import Lease, WorkerInfo
    from crawler.fleet.orders import Orders
    from crawler.frontier.redis import RedisFrontier
    from crawler.models import HostKey
    from crawler.parts import Parts

PATIENCE_S = 2.0
"""For so long what is in flight is waited for, before something is given back without that."""

PER_HOST = "budget.pages_per_host"

_LOOK_S = 0.05  # until it is looked again whether something is in flight; only while something is given back
_ORDERED, _TROUBLED = "orders", "redis"


class Holding:
    """What a worker's crawl does for its `Member` (`fleet.holder.Holder`). `member` is set before anything else.

    Args:
        partitions: How many the crawl has.
        tick: Has the engine look whether the frontier gained something.
        budget: What all workers together may use.
        notices: Tells people what keeps it from its work.
        told_time: Told by how much Redis' wall clock is ahead of this machine's.
    """

    def __init__(
        self,
        *,
        parts: Parts,
        frontier: RedisFrontier,
        engine: Engine,
        partitions: int,
        tick: Callable[[], None],
        budget: BudgetConfig | None = None,
        notices: Notices | None = None,
        told_time: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._policy = parts.policy
        self._committer = parts.committer
        self._frontier = frontier
        self._engine = engine
        self._partitions = partitions
        self._tick = tick
        self._told_time = told_time
        self._notices = notices or Notices()
        self._leaving: set[int] = set()
        self._limits: Mapping[str, Pace] = {}
        self._units = 0
        self._was_away, self._has_delivered = asyncio.Event(), asyncio.Event()
        self._delivered: set[int] = set()
        self._member: Member | None = None
        self._ahead_s = 0.0
        #: those that are drawn in portions, and what there is of each
        self.budgets: dict[str, int] = {PER_HOST: 0}
        shared = {PAGES: budget.pages, BYTES: budget.bytes} if budget is not None else {}
        most = {name: int(there) for name, there in shared.items() if there is not None}
        self.budgets |= most
        self._portions: Portions | None = None
        if most:
            parts.policy.budget.portion(most)
            self._portions = Portions(
                parts.policy.budget, lambda *told: self.member.draw(*told), most,  # noqa: PLW0108 - there is none yet
                workers=lambda: self.member.workers, in_flight=lambda: self._policy.in_flight, changed=self._look_again,
            )  # fmt: skip

    @property
    def member(self) -> Member:
        """Whose this is."""
        if self._member is None:
            raise RuntimeError("its member was not told")
        return self._member

    @member.setter
    def member(self, member: Member) -> None:
        self._member = member
        tenure = self._policy.tenure
        tenure.cleared, tenure.asked_at = self._is_cleared, member.asked_at
        tenure.put_back = self._frontier.put_back
        self._frontier.on_lost = member.lost
        self._frontier.on_stored = self._stored
        member.hears[ALL] = self._was_away.set  # Redis may have been away between two calls
        if self._portions is not None:
            member.hears["budget"] = self._portions.heard

    async def run(self) -> None:
        """What goes on beside the crawl, until it is cancelled.

        Raises:
            FrontierError: Redis was given up on.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._check())
            group.create_task(self._post())
            if self._portions is not None:
                group.create_task(self._portions.run())

    async def gained(self, leases: Sequence[Lease]) -> None:
        """See `Holder.gained`."""
        self._leaving.difference_update(lease.partition for lease in leases)
        await self._frontier.gain(leases)
        self._look_again()

    async def give_back(self, partitions: Collection[int]) -> set[int]:
        """See `Holder.give_back`."""
        if self._committer.is_over:  # what was given up is pending, as it always was
            self._frontier.lost(partitions)
            return set(partitions)
        new = set(partitions) - self._leaving
        if new:
            self._leaving |= new
            self._frontier.hide(new)
            self._frontier.put_back(self._policy.dismiss(lambda key: self._partition(key) in new))
        quiet = await self._quiet(set(partitions))
        if not quiet:
            return set()
        await self._committer.settled()  # what has ended, and what is known of its hosts
        await self._frontier.check(was_away=False)
        gone = await self._frontier.give_back(quiet, wait_s=PATIENCE_S)
        self._leaving -= gone
        return gone

    def lost(self, partitions: Collection[int]) -> None:
        """See `Holder.lost`."""
        lost = set(partitions)
        self._policy.dismiss(lambda key: self._partition(key) in lost, lost=True)
        self._frontier.lost(lost)
        self._leaving -= lost

    async def receive(self, partitions: Collection[int]) -> None:
        """See `Holder.receive`."""
        await self._frontier.receive(partitions)
        self._look_again()

    @property
    def is_idle(self) -> bool:
        """See `Holder.is_idle`."""
        return not self._policy.in_flight and not self._committer.waiting and self._frontier.is_idle

    @property
    def spent(self) -> str:
        """See `Holder.spent`."""
        if self._portions is not None and (name := self._portions.spent):
            return name
        committer, frontier = self._committer, self._frontier
        is_still = not (committer.waiting or committer.snoozing or frontier.uncommitted) and frontier.next_due is None
        return (self._policy.all_set_aside or "") if is_still else ""

    @property
    def units_in_use(self) -> int:
        """See `Holder.units_in_use`."""
        return self._policy.steering.most_at_address

    def info(self, info: WorkerInfo) -> WorkerInfo:
        """See `Holder.info`."""
        from msgspec.structs import replace  # noqa: PLC0415

        snapshot = self._engine.snapshot()
        return replace(
            info,
            pages=snapshot.pages,
            wire_bytes=snapshot.wire_bytes,
            attempts=snapshot.attempts,
            in_flight=snapshot.in_flight,
            pages_per_s=snapshot.pages_per_s,
            pending=self._frontier.counts().pending,
            memory_bytes=_memory_bytes(),
            slow_hosts=tuple((one.host_key, "waits", one.wait_s, one.why) for one in self._policy.views.slowest()),
            clock_off_s=-self._ahead_s,
        )

    def weights(self) -> Mapping[int, float]:
        """See `Holder.weights`."""
        return self._frontier.weights()

    def heed(self, orders: Orders, units: int) -> None:
        """See `Holder.heed`."""
        control = self._engine.control
        if bool(orders.paused_by) != (_ORDERED in control.paused_for):
            (control.pause if orders.paused_by else control.unpause)(_ORDERED)
        self._notices.paused(orders.paused_by)
        self._notices.stands_by(self.member.workers if self.member.stands_by else 0)
        if orders.limits != self._limits:
            self._limits = orders.limits
            self._policy.relimit(orders.limits)
        if units != self._units:  # none: others may have them from now on, though something here is given back yet
            self._units = units
            self._policy.allow_at_address(units)
        self._tick()

    def told_time(self, ahead_s: float) -> None:
        """See `Holder.told_time`."""
        self._ahead_s = ahead_s
        self._frontier.told_time(ahead_s)
        self._told_time(ahead_s)

    def trouble(self, why: str | None) -> None:
        """See `Holder.trouble`."""
        if why is not None:
            self._engine.control.pause(_TROUBLED)
        else:
            self._was_away.set()
            self._engine.control.unpause(_TROUBLED)

    def _is_cleared(self, key: HostKey) -> bool:
        return self.member.holds(key) and not (self._leaving and self._partition(key) in self._leaving)

    def _partition(self, key: HostKey) -> int:
        return partition_of(key, self._partitions)

    async def _quiet(self, partitions: set[int]) -> set[int]:
        """Those of which nothing is in flight, as soon as there are any; none after `PATIENCE_S`."""
        for _ in range(round(PATIENCE_S / _LOOK_S)):
            if quiet := partitions - self._busy():
                return quiet
            await asyncio.sleep(_LOOK_S)
        return set()

    def _busy(self) -> set[int]:
        """Partitions with hosts that were dismissed, and of which something is in flight yet."""
        busy: set[int] = set()

        def note(key: HostKey) -> bool:
            busy.add(self._partition(key))
            return False

        self._policy.has_left(note)
        return busy

    async def _check(self) -> None:
        """See what Redis has lost, whenever it was away."""
        while goes_on():
            await self._was_away.wait()
            self._was_away.clear()
            await self._frontier.check()
            self._look_again()

    async def _post(self) -> None:
        """Tell others that they have something in their inboxes."""
        while goes_on():
            await self._has_delivered.wait()
            self._has_delivered.clear()
            delivered, self._delivered = self._delivered, set()
            await self.member.posted(delivered)

    def _look_again(self) -> None:
        self._tick()
        self._tell()

    def _stored(self, delivered: set[int]) -> None:
        """A checkpoint is stored: it may have been the last."""
        if delivered:
            self._delivered |= delivered
            self._has_delivered.set()
        self._tell()

    def _tell(self) -> None:
        if self._portions is not None and self.is_idle:
            self._portions.give_back()
        self.member.nudge()


def _memory_bytes() -> int:
    """What this process takes, its parsers left out; 0 where that is not to be had."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - no file of ours
            return int(file.read().split()[1]) * 4096
    except (OSError, IndexError, ValueError):
        return 0
