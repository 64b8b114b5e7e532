"""Who should hold which partition?

Pure: the plan before, the workers there are and what each partition weighs give the plan after. A plan is a wish, and
only leases count; so it may be wrong for a while, or computed twice, and nothing is harmed.

Theory of operation. What a worker can fetch is limited by how many hosts it may ask, each at its own pace, so a
partition weighs as many hosts as are active in it. Two things are balanced, one after the other:

1. *Weight*, of the partitions that have any: until the busiest worker has at most 1.05 times the mean, and the least
   busy at least 0.95. A partition that is heavier than the mean alone is its worker's only one with any weight, and
   the mean is that of the other workers.
2. *Number*, with the partitions that weigh nothing: hosts not found yet are as likely in one as in another.

A move costs: what is in flight has to end, and the new owner loads what is known of the partition. So those that are
held stay where they are, but for what balance takes. What nobody holds any more goes to those who have least. Unless
somebody has joined, nothing else moves until a worker has more than 1.2 times its share, or less than half.
"""

from __future__ import annotations

from heapq import heapify, heapreplace
from typing import TYPE_CHECKING

from crawler.fleet.models import Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

BUSIEST = 1.05
LEAST_BUSY = 0.95
TOO_BUSY = 1.2
TOO_IDLE = 0.5

_SCATTER = 2_654_435_761  # Knuth's multiplier: partitions in an order that has nothing to do with what they weigh


def nobodys(partitions: int) -> Plan:
    """The plan before the first: no partition is to be held."""
    return Plan(owners=(0,) * partitions)


def planned(before: Plan, workers: Collection[int], weights: Mapping[int, float], *, most: int | None = None) -> Plan:
    """Who should hold what from now on.

    Args:
        before: The plan that holds, of as many partitions as the crawl has.
        workers: Those that are there and do not leave. Ids grow in order of joining.
        weights: Of partitions, active hosts; what is not in it, or not over 0, weighs nothing.
        most: How many may hold partitions: the oldest. The others stand by.

    Returns:
        `before` itself if nothing is to change, else one whose version is one higher. Its `workers` are those that may
        hold partitions, in order. The same arguments give the same plan.
    """
    at_work = tuple(sorted(set(workers))[:most])
    if not at_work:
        owners = [0] * len(before.owners)
    else:
        owners = _balanced(before.owners, at_work, weights, have_joined=not set(at_work) <= set(before.workers))
    if at_work == before.workers and tuple(owners) == before.owners:
        return before
    return Plan(version=before.version + 1, workers=at_work, owners=tuple(owners))


def moves(before: Plan, after: Plan) -> list[int]:
    """The partitions that had a worker and are to have another, or none."""
    pairs = enumerate(zip(before.owners, after.owners, strict=True))
    return [partition for partition, (old, new) in pairs if old and old != new]


def shares(plan: Plan, weights: Mapping[int, float]) -> dict[int, float]:
    """What the partitions of each worker of a plan weigh together."""
    loads = dict.fromkeys(plan.workers, 0.0)
    for partition, owner in enumerate(plan.owners):
        if owner:
            loads[owner] += max(0.0, weights.get(partition, 0.0))
    return loads


def _balanced(
    owners: Sequence[int], workers: Sequence[int], weights: Mapping[int, float], *, have_joined: bool
) -> list[int]:
    """An owner for each partition: the one it had, if that is one of `workers` and balance allows."""
    heavy = {partition: weight for partition in range(len(owners)) if (weight := weights.get(partition, 0.0)) > 0}
    light = dict.fromkeys((partition for partition in range(len(owners)) if partition not in heavy), 1.0)
    balance = _Balance(workers, heavy, owners)
    if have_joined:
        balance.level()
    else:
        balance.level(high=TOO_BUSY, low=TOO_IDLE)
    number = _Balance(workers, light, owners, _counts(balance.held))
    if have_joined:
        number.level()
    after = list(owners)
    for one in (balance, number):
        for worker, partitions in one.held.items():
            for partition in partitions:
                after[partition] = worker
    return after


def _counts(held: Mapping[int, Collection[int]]) -> dict[int, float]:
    return {worker: float(len(partitions)) for worker, partitions in held.items()}


class _Balance:
    """Partitions with some weight, and who holds them. Those whose owner is gone have been given to others.

    Args:
        weights: Of each partition to be held, over 0.
        owners: Of every partition, its owner until now.
        ballast: What workers have to do beside these.
    """

    def __init__(
        self,
        workers: Sequence[int],
        weights: dict[int, float],
        owners: Sequence[int],
        ballast: Mapping[int, float] | None = None,
    ) -> None:
        self.weights = weights
        self.loads = {worker: (ballast or {}).get(worker, 0.0) for worker in workers}
        self.held: dict[int, list[int]] = {worker: [] for worker in workers}
        self._alone = ballast is None  # only then is a worker with one partition as light as it can be
        left = []
        for partition in sorted(weights, key=lambda partition: partition * _SCATTER % 2**32):
            owner = owners[partition]
            if owner in self.held:
                self._give(partition, owner)
            else:
                left.append(partition)
        self._give_out(left)
        self.share = self._share()

    def level(self, *, high: float = BUSIEST, low: float = LEAST_BUSY) -> None:
        """Move partitions from the busiest to the least busy until both are near the mean, or nothing helps. None is
        moved while nobody has more than `high`, or less than `low`, of its share.

        It ends: a move lowers the larger of two loads, and with it the sum of the squares of all."""
        loads = self.loads
        givers = {worker for worker in loads if self._can_give(worker)}
        while givers:
            busiest = max(givers, key=lambda worker: (loads[worker], worker))
            idlest = min(loads, key=lambda worker: (loads[worker], worker))
            if loads[busiest] <= high * self.share and loads[idlest] >= low * self.share:
                return
            partition = self._to_move(busiest, idlest)
            if partition is None:
                givers.discard(busiest)  # for good: the least busy only become busier
                continue
            high, low = BUSIEST, LEAST_BUSY
            self.held[busiest].remove(partition)
            loads[busiest] -= self.weights[partition]
            self._give(partition, idlest)
            if not self._can_give(busiest):
                givers.discard(busiest)
            if self._can_give(idlest):
                givers.add(idlest)

    def _to_move(self, busiest: int, idlest: int) -> int | None:
        """The partition whose move brings two workers nearer to the mean; None if there is none.

        The first that takes neither beyond it: not the heaviest, lest who joins gets nothing but heavy ones. Else the
        one that makes the two most alike."""
        over, under = self.loads[busiest] - self.share, self.share - self.loads[idlest]
        room, gap = min(over, under), self.loads[busiest] - self.loads[idlest]
        weights, held = self.weights, self.held[busiest]
        fitting = next((partition for partition in held if weights[partition] <= room), None)
        if fitting is not None:
            return fitting
        helping = [partition for partition in held if weights[partition] < gap * (1 - 1e-9)]
        return min(helping, key=lambda partition: (abs(weights[partition] - gap / 2), partition), default=None)

    def _can_give(self, worker: int) -> bool:
        return len(self.held[worker]) > self._alone

    def _give(self, partition: int, worker: int) -> None:
        self.held[worker].append(partition)
        self.loads[worker] += self.weights[partition]

    def _give_out(self, partitions: Iterable[int]) -> None:
        """Each to the worker that has least, heaviest first."""
        least = [(load, worker) for worker, load in self.loads.items()]
        heapify(least)
        for partition in sorted(partitions, key=self.weights.__getitem__, reverse=True):
            worker = least[0][1]
            self._give(partition, worker)
            heapreplace(least, (self.loads[worker], worker))

    def _share(self) -> float:
        """The mean of workers, without those whose only partition is heavier than the mean of the others."""
        total, workers = sum(self.loads.values()), len(self.loads)
        for weight in sorted(self.weights.values(), reverse=True):
            if workers == 1 or not self._alone or weight * workers <= total:
                break
            total -= weight
            workers -= 1
        return max(0.0, total / workers)
