"""What does it do to a crawl that workers are lost, or join? Part of the simulation `fleet`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fleet_asking import Asking
from benchmarks.fleet_handover import Duty, Handover, Timing
from crawler.fleet.plan import shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.fleet_flow import Flow
    from benchmarks.fleet_web import Web
    from crawler.models import HostKey


@dataclass(frozen=True)
class Loss:
    """Workers fell silent."""

    hosts: int  #: of theirs that had something left
    moved: int  #: partitions that were theirs
    shifted: int  #: partitions of others that the plan moved for balance
    loaded_s: tuple[float, float]  #: from then until the first and the last partition was with another worker
    asked_s: tuple[float, float, float]  #: until half, 99 % and all of the hosts were asked again
    round_s: float  #: in which a worker asks each of its hosts once
    repeated: float  #: requests made again, if the workers died at once
    repeated_cut_off: int  #: the same, if they were only cut off from Redis, and went on while their leases were good
    least_gap_s: float  #: between the last request of one cut off and the first of the new owner, to one host
    out_s: float  #: mean time in which nobody asked a host


@dataclass(frozen=True)
class Joined:
    """Workers came."""

    moved: int  #: partitions
    share: float  #: of the hosts that are theirs in the end, as a multiple of the mean
    first_s: float  #: until each had asked something
    shared_s: float  #: until each had 95 % of its hosts
    all_s: float  #: until all partitions were where they should be


class Crew:
    """A fleet at one moment of a flow, for `lose` and `join`."""

    def __init__(self, web: Web, flow: Flow, timing: Timing, seed: int = 1) -> None:
        self.flow = flow
        self.timing = timing
        self.drawn = np.random.default_rng(seed)
        self.weights = flow.weights()
        self.known = np.bincount(web.partition, web.urls, minlength=web.partitions).tolist()
        self.hosts: dict[int, list[HostKey]] = defaultdict(list)
        alive = flow.left > 0
        for host, partition in zip(flow.host[alive].tolist(), flow.partition[alive].tolist(), strict=True):
            self.hosts[partition].append(web.names[host])

    def handover(self) -> Handover:
        """What the plan of the flow comes to, once something changes."""
        return Handover(self.flow.plan, self.weights, self.known, self.timing, self.drawn)

    def asking(self, worker: int, renewed_s: float = 0.0) -> Asking:
        """One worker with what it holds by the plan of the flow."""
        asking = Asking(
            worker,
            self.hosts,
            partitions=len(self.flow.plan.owners),
            rate_per_s=self.flow.rate_per_s,
            delay_s=self.flow.delay_s,
            lease_s=self.timing.lease_s,
            renewed_s=renewed_s,
            drawn=self.drawn,
        )
        asking.begin([p for p, owner in enumerate(self.flow.plan.owners) if owner == worker])
        return asking

    def round_s(self) -> float:
        """In which a worker asks each of its hosts once, at the mean."""
        loads = shares(self.flow.plan, self.weights)
        return max(self.flow.delay_s, sum(loads.values()) / len(loads) / self.flow.rate_per_s)


def lose(crew: Crew, workers: Sequence[int]) -> Loss:
    """These fall silent at once, whoever leads among them if it is."""
    handover = crew.handover()
    handover.lose(workers)
    duties = handover.run()
    owners, timing = crew.flow.plan.owners, crew.timing
    lost = {partition for partition, owner in enumerate(owners) if owner in workers}
    came = {duty.partition: duty.at_s for duty in duties if duty.gains and duty.partition in lost}
    until_s = max(duty.at_s for duty in duties) + 2 * crew.round_s() + 2 * crew.flow.delay_s
    first: dict[HostKey, float] = {}
    for worker, own in _by_worker(duties).items():
        first |= crew.asking(worker, handover.renewed[worker]).run(own, until_s).first
    cut_off = [crew.asking(w, handover.renewed[w]).run((), timing.lease_s, renews=False) for w in workers]
    last = {key: at for asked in cut_off for key, at in asked.last.items()}
    theirs = {key for partition in lost for key in crew.hosts.get(partition, ())}
    again = np.array([first[key] for key in theirs])
    unstored_s = timing.latency_s + timing.checkpoint_s * crew.drawn.random(len(workers))
    return Loss(
        hosts=len(theirs),
        moved=len(came),
        shifted=sum(duty.gains for duty in duties) - len(came),
        loaded_s=(min(came.values()), max(came.values())),
        asked_s=tuple(float(np.quantile(again, share)) for share in (0.5, 0.99, 1.0)),
        round_s=crew.round_s(),
        repeated=float(unstored_s.sum() * min(crew.flow.rate_per_s, len(theirs) / len(workers) / crew.flow.delay_s)),
        repeated_cut_off=sum(asked.requests for asked in cut_off),
        least_gap_s=min(first[key] - last[key] for key in theirs),
        out_s=float(np.mean([came[partition] for partition in lost for _ in crew.hosts.get(partition, ())])),
    )


def join(crew: Crew, workers: Sequence[int]) -> Joined:
    """These come within a second."""
    handover = crew.handover()
    handover.join(workers)
    duties = handover.run()
    first = {worker: float("inf") for worker in workers}
    shared = dict.fromkeys(workers, 0.0)
    loads = shares(handover.plan, crew.weights)
    for worker, own in _by_worker(duties).items():
        if worker in first:
            until_s = own[-1].at_s + 2 * crew.flow.delay_s
            first[worker] = min(crew.asking(worker).run(own, until_s).first.values())
            shared[worker] = _reached(own, crew.weights, 0.95 * loads[worker])
    mean = sum(loads.values()) / len(loads)
    return Joined(
        moved=sum(duty.gains for duty in duties),
        share=min(loads[worker] for worker in workers) / mean,
        first_s=max(first.values()),
        shared_s=max(shared.values()),
        all_s=max(duty.at_s for duty in duties),
    )


def _by_worker(duties: Iterable[Duty]) -> dict[int, list[Duty]]:
    grouped: dict[int, list[Duty]] = defaultdict(list)
    for duty in duties:
        grouped[duty.worker].append(duty)
    return grouped


def _reached(duties: Sequence[Duty], weights: dict[int, float], wanted: float) -> float:
    """When the partitions gained so far weighed this much."""
    have = 0.0
    for duty in duties:
        have += weights[duty.partition] * (1 if duty.gains else -1)
        if have >= wanted:
            return duty.at_s
    return duties[-1].at_s
