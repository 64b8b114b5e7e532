"""How does a crawl by many workers go on, hour by hour? Virtual time, URLs as counts.

A worker's schedule gives the host out that is longest due, and puts it behind all that were due before. So hosts that
always have something to request take turns: each is asked once in a delay, or, if its worker has more of them than it
can ask in a delay, in however long a round takes. That is what a step here computes, for all hosts at once; a test
compares it with the real schedule. Who holds what is the real plan, made anew after each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from crawler.fleet.plan import moves, nobodys, planned, shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from benchmarks.fleet_web import Web
    from crawler.fleet.models import Plan

SWEEP = 0.98  #: forget hosts that are done once they are more than the rest of this


@dataclass
class Curve:
    """How far a crawl was, and when."""

    at_s: list[float] = field(default_factory=lambda: [0.0])
    done: list[float] = field(default_factory=lambda: [0.0])

    def add(self, seconds: float, requests: float) -> None:
        """So much later, so much more."""
        self.at_s.append(self.at_s[-1] + seconds)
        self.done.append(self.done[-1] + requests)

    def reached_s(self, share: float) -> float:
        """When this share of all that was done was done."""
        return float(np.interp(share * self.done[-1], self.done, self.at_s))


@dataclass(frozen=True)
class Step:
    """What a number of seconds brought."""

    seconds: float
    done: float  #: requests, all until then
    made: NDArray[np.float64]  #: by each worker that may hold partitions
    uneven: float  #: hosts that the busiest held, as a multiple of the mean


class Flow:
    """Workers that crawl a web, each host from the start known with all of its URLs.

    Args:
        web: What is crawled. A host's robots.txt is one request more.
        rate_per_s: Requests a worker can make a second.
        delay_s: Between two requests to a host.
    """

    def __init__(self, web: Web, *, rate_per_s: float, delay_s: float) -> None:
        self.left = web.urls + 1.0
        self.host = np.arange(len(web.urls))
        self.partition = web.partition
        self.rate_per_s = rate_per_s
        self.delay_s = delay_s
        self.curve = Curve()
        #: worker -> requests it has made
        self.requests: NDArray[np.float64] = np.zeros(1)
        self.plan: Plan = nobodys(web.partitions)
        #: partitions that were moved from one worker to another
        self.moved = 0
        #: worker -> how many of these asked for a robots.txt: once for a host, by who has it first
        self.robots: NDArray[np.float64] = np.zeros(1)
        self.steps: list[Step] = []

    @property
    def active(self) -> int:
        """Hosts with something left."""
        return int(np.count_nonzero(self.left > 0))

    def weights(self) -> dict[int, float]:
        """Partition -> its hosts that have something left, as workers tell it with a heartbeat."""
        counts = np.bincount(self.partition[self.left > 0], minlength=len(self.plan.owners))
        return dict(enumerate(counts.astype(float).tolist()))

    def replan(self, workers: Sequence[int]) -> Plan:
        """Have the real plan say who holds what from now on; returns the plan before."""
        before = self.plan
        self.plan = planned(before, workers, self.weights())
        self.moved += len(moves(before, self.plan))
        if len(self.requests) <= max(workers):
            self.requests = np.pad(self.requests, (0, max(workers) + 1 - len(self.requests)))
        if not self.steps:
            self.robots = np.bincount(np.array(self.plan.owners)[self.partition], minlength=len(self.requests))
        return before

    def step(self, seconds: float, idle: Sequence[int] = ()) -> float:
        """Go on for some seconds, in which the workers `idle` do nothing; the number of requests made."""
        owners = np.array(self.plan.owners)[self.partition]
        may = np.isin(owners, idle, invert=True) if idle else np.ones(len(owners), bool)
        room = np.minimum(self.left, seconds / self.delay_s) * may
        could = np.full(len(self.requests), self.rate_per_s * seconds)
        got = np.zeros(len(self.left))
        for _ in range(4):  # what hosts do not use that end within the step, others may
            wanting = room > 0
            hosts = np.bincount(owners[wanting], minlength=len(could))
            turns = np.divide(could, hosts, out=np.zeros_like(could), where=hosts > 0)
            more = np.minimum(room, turns[owners])
            got += more
            room -= more
            could -= np.bincount(owners, more, minlength=len(could))
            if not (could[hosts > 0] > 0.01 * self.rate_per_s * seconds).any() or not (room > 0).any():
                break
        self.left -= got
        made = np.bincount(owners, got, minlength=len(could))
        self.requests += made
        self.curve.add(seconds, float(made.sum()))
        self._note(seconds, made)
        self._sweep()
        return float(made.sum())

    def run(self, workers: Sequence[int], step_s: float, until: float = 1.0) -> None:
        """Go on until this share of all URLs is done."""
        total = self.curve.done[-1] + float(self.left.sum())
        while self.active and self.curve.done[-1] < until * total:
            self.replan(workers)
            self.step(step_s)

    def worst_hour(self, until: float) -> tuple[float, float]:
        """The busiest worker's requests in an hour and its hosts, as multiples of the mean, until this share of all
        requests was made."""
        hour: list[Step] = []
        requests = hosts = 1.0
        for step in self.steps:
            if step.done > until * self.curve.done[-1]:
                break
            hosts = max(hosts, step.uneven)
            hour.append(step)
            if sum(one.seconds for one in hour) >= 3600:
                made = sum(one.made for one in hour)
                requests = max(requests, float(made.max() / made.mean()))
                hour = []
        return requests, hosts

    def _note(self, seconds: float, made: NDArray[np.float64]) -> None:
        at_work = np.array(self.plan.workers)
        loads = np.array(list(shares(self.plan, self.weights()).values()))
        uneven = float(loads.max() / loads.mean()) if loads.any() else 1.0
        self.steps.append(Step(seconds, self.curve.done[-1], made[at_work], uneven))

    def _sweep(self) -> None:
        self.left[self.left < 1e-6] = 0.0
        alive = self.left > 0
        if np.count_nonzero(alive) < SWEEP * len(alive):
            self.left, self.partition, self.host = self.left[alive], self.partition[alive], self.host[alive]


def ideal(web: Web, *, rate_per_s: float, delay_s: float, step_s: float) -> Curve:
    """One worker that can do as much as all: nothing is lost to division."""
    flow = Flow(web, rate_per_s=rate_per_s, delay_s=delay_s)
    flow.run([1], step_s)
    return flow.curve


def politest_s(web: Web, delay_s: float, share: float) -> float:
    """When this share is done, if each host is asked once a delay, and machines are no limit."""
    sizes = np.sort(web.urls + 1)
    turns, total = float(sizes[-1]), float(sizes.sum())
    low, high = 0.0, turns
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() < share * total else (low, middle)
    return high * delay_s


def busiest(requests: Mapping[int, float] | NDArray[np.float64], workers: Sequence[int]) -> float:
    """What the busiest worker has done, as a multiple of the mean."""
    did = np.array([requests[worker] for worker in workers])
    return float(did.max() / did.mean())
