"""What does a worker's crawl have to do for `member`, which leases its partitions?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from crawler.fleet.models import Lease, WorkerInfo
    from crawler.fleet.orders import Orders


class Holder(Protocol):
    """Who crawls what is leased.

    `gained`, `give_back` and `receive` are called one at a time, and never with partitions that are not held.
    """

    async def run(self) -> None:
        """What goes on beside, until it is cancelled."""
        ...

    async def gained(self, leases: Sequence[Lease]) -> None:
        """Load these partitions and crawl their hosts."""
        ...

    async def give_back(self, partitions: Collection[int]) -> set[int]:
        """Start nothing more there, and have all stored that has happened.

        Returns:
            Those of which nothing is under way any more: memory of them is gone. It is called again with the others;
            it waits for them a few seconds at the most.
        """
        ...

    def lost(self, partitions: Collection[int]) -> None:
        """Forget these, as they are: they are others' now."""
        ...

    async def receive(self, partitions: Collection[int]) -> None:
        """Others may have found URLs of these: take them in."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to do in what is held, and all that was done is stored."""
        ...

    @property
    def spent(self) -> str:
        """The budget whose part is spent while no more of it was to be had: ``budget.pages``. Empty if there is none,
        while more is being asked for, and while anything is in flight."""
        ...

    @property
    def budgets(self) -> Mapping[str, int]:
        """Those that `spent` may name, and what there is of each in the whole crawl; 0 where nothing is drawn of it."""
        ...

    @property
    def units_in_use(self) -> int:
        """Requests in flight at the address that has the most."""
        ...

    def info(self, info: WorkerInfo) -> WorkerInfo:
        """`info` with what only the crawl knows filled in."""
        ...

    def weights(self) -> Mapping[int, float]:
        """Of the partitions held, how many hosts are active."""
        ...

    def heed(self, orders: Orders, units: int) -> None:
        """What all are told now, and how many requests to one address may be in flight here (0: none)."""
        ...

    def told_time(self, ahead_s: float) -> None:
        """By how much Redis' wall clock is ahead of this machine's."""
        ...

    def trouble(self, why: str | None) -> None:
        """Start nothing more, as Redis is not to be relied on, or a lease; None: go on."""
        ...
