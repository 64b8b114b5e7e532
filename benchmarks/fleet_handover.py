"""Who may ask which hosts, and from when on, after workers were lost or have joined? Part of the simulation `fleet`.

Virtual time, 0 when it happens. The rules are those of `crawler.fleet`, with its plan: a worker counts as dead when it
has not renewed for a lease; the leader is told then, or, if it is dead too, whoever leads after its own lease;
partitions go where the plan says, once they are free; one that is taken from a worker that is alive is free when what
is in flight there has ended and is stored. What Redis, network and machines add is in `Timing`.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.fleet.plan import planned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from crawler.fleet.models import Plan

RENEWALS = 3  #: a lease is renewed so many times in its time


@dataclass(frozen=True)
class Timing:
    """How long things take."""

    lease_s: float = 30.0
    message_s: float = 0.01  #: from one worker to another by way of Redis, and a script's reply
    load_us: float = 13.0  #: for each known URL of a partition that is taken over, stored six at a time; 2.4 at 500
    latency_s: float = 0.3  #: median of an answer; lognormal
    spread: float = 0.8  #: of its logarithm
    checkpoint_s: float = 1.0


@dataclass(frozen=True)
class Duty:
    """A partition comes to a worker, or leaves it."""

    at_s: float
    worker: int
    partition: int
    gains: bool
    is_clean: bool = True  #: the owner before gave it back


class Handover:
    """What follows from a change of the crew.

    Args:
        plan: The one that held until now.
        weights: Of partitions: active hosts.
        known: Of partitions: URLs known, which a new owner loads.
        crew: Those who are there in the end.
    """

    def __init__(
        self,
        plan: Plan,
        weights: Mapping[int, float],
        known: Sequence[float],
        timing: Timing,
        drawn: np.random.Generator,
    ) -> None:
        self.plan = plan
        self._weights = weights
        self._known = known
        self._timing = timing
        self._drawn = drawn
        self._crew = set(plan.workers)
        self._silent: set[int] = set()  # dead, and not known to be
        self._holder = list(plan.owners)  # of each partition, 0 once it is free
        self._clean = [True] * len(plan.owners)
        self._leaving: set[int] = set()  # partitions that are being given back
        self._busy_until: dict[int, float] = {}  # worker -> when it has loaded what it took
        self._events: list[tuple[float, int, str, int]] = []
        self._leads_from = 0.0
        self.duties: list[Duty] = []
        self.planned_at: list[float] = []
        #: worker -> when it last renewed, before 0
        self.renewed: dict[int, float] = {
            worker: -drawn.random() * timing.lease_s / RENEWALS for worker in plan.workers
        }

    def lose(self, workers: Sequence[int]) -> None:
        """These fall silent at 0. Whoever joined first leads."""
        self._silent |= set(workers)
        for worker in workers:
            self._at(self.renewed[worker] + self._timing.lease_s, "gone", worker)
        if (leader := min(self._crew)) in self._silent:
            self._leads_from = self.renewed[leader] + self._timing.lease_s

    def join(self, workers: Sequence[int]) -> None:
        """These come within a second."""
        for worker in workers:
            self._at(self._drawn.random(), "joined", worker)

    def run(self) -> list[Duty]:
        """Everything that follows, in order of time."""
        while self._events:
            at, _, what, number = heapq.heappop(self._events)
            match what:
                case "gone":
                    self._crew.discard(number)
                    self._free([p for p, holder in enumerate(self._holder) if holder == number], is_clean=False)
                    self._at(max(at, self._leads_from) + self._timing.message_s, "plan", 0)
                case "joined":
                    self._crew.add(number)
                    self._at(at + self._timing.message_s, "plan", 0)
                case "freed":
                    self._free([number], is_clean=True)
                    self._take(at, [number])
                case "plan":
                    self._replan(at)
        return sorted(self.duties, key=lambda duty: duty.at_s)

    def _at(self, at_s: float, what: str, number: int) -> None:
        heapq.heappush(self._events, (at_s, len(self._events) + len(self.duties), what, number))

    def _free(self, partitions: Sequence[int], *, is_clean: bool) -> None:
        for partition in partitions:
            self._holder[partition] = 0
            self._clean[partition] = is_clean
            self._leaving.discard(partition)

    def _replan(self, at: float) -> None:
        self.plan = planned(self.plan, self._crew, self._weights)
        self.planned_at.append(at)
        told = at + self._timing.message_s
        for partition, owner in enumerate(self.plan.owners):
            holder = self._holder[partition]
            if holder and holder != owner and holder not in self._silent and partition not in self._leaving:
                self._leaving.add(partition)
                self.duties.append(Duty(told, holder, partition, gains=False))
                self._at(told + self._ending_s(), "freed", partition)
        self._take(told, [partition for partition, holder in enumerate(self._holder) if not holder])

    def _take(self, at: float, free: Sequence[int]) -> None:
        """Free partitions are acquired by those that should have them, and loaded one after the other."""
        for partition in free:
            owner = self.plan.owners[partition]
            if not owner or owner in self._silent:
                continue
            begun = max(at + self._timing.message_s, self._busy_until.get(owner, 0.0))
            done = begun + self._known[partition] * self._timing.load_us / 1e6
            self._busy_until[owner] = done
            self._holder[partition] = owner
            self.duties.append(Duty(done, owner, partition, gains=True, is_clean=self._clean[partition]))

    def _ending_s(self) -> float:
        """Until what is in flight has ended and is stored: the longest of a few answers, and a checkpoint."""
        answers = self._timing.latency_s * self._drawn.lognormal(0.0, self._timing.spread, 3)
        return float(answers.max()) + self._timing.checkpoint_s * float(self._drawn.random())
