"""When is each host asked again, after its partition changed hands? Part of the simulation `fleet`.

Request by request, by the real schedule and the real leases, a worker at a time: virtual time, 0 when workers were lost
or joined. A host that a worker took over from one that did not give it back is not asked before a delay has passed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.fleet_handover import RENEWALS
from crawler.fleet.leases import Leases
from crawler.fleet.models import Lease
from crawler.politeness.schedule import Schedule
from crawler.politeness.scheduled import Scheduled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from benchmarks.fleet_handover import Duty
    from crawler.models import HostKey


@dataclass
class Asked:
    """What one worker did."""

    #: hosts it gained -> when it asked them first
    first: dict[HostKey, float] = field(default_factory=dict)
    #: hosts it had from the start -> when it asked them last
    last: dict[HostKey, float] = field(default_factory=dict)
    requests: int = 0


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Asking:
    """One worker, from 0 on.

    Args:
        hosts: Partition -> the hosts that have something left. All those of a worker always have.
        renewed_s: When it last renewed its leases, before 0.
    """

    def __init__(
        self,
        worker: int,
        hosts: Mapping[int, Sequence[HostKey]],
        *,
        partitions: int,
        rate_per_s: float,
        delay_s: float,
        lease_s: float,
        renewed_s: float,
        drawn: np.random.Generator,
    ) -> None:
        self._hosts = hosts
        self._pause_s = 1 / rate_per_s
        self._delay_s = delay_s
        self._lease_s = lease_s
        self._drawn = drawn
        self._clock = Hand()
        self._schedule: Schedule[Scheduled] = Schedule()
        self._leases = Leases(partitions, lease_s, now=self._clock, monotonic=self._clock)
        self._renewed_s = renewed_s
        self._known: dict[int, list[Scheduled]] = {}
        self._fences = worker * 1_000
        self.asked = Asked()

    def begin(self, partitions: Sequence[int]) -> None:
        """It has held these for long: its hosts are at a random place of their round."""
        self._clock.now = self._renewed_s
        self._grant(partitions, is_clean=True)
        self._clock.now = 0.0
        keys = [(partition, key) for partition in partitions for key in self._hosts.get(partition, ())]
        round_s = max(self._delay_s, len(keys) * self._pause_s)
        ages = self._drawn.random(len(keys)) * round_s
        for (partition, key), age in zip(keys, ages.tolist(), strict=True):
            self._offer(partition, key, self._delay_s - age)
            self.asked.last[key] = -age

    def run(self, duties: Sequence[Duty], until_s: float, *, renews: bool = True) -> Asked:
        """Ask until then; partitions come and go meanwhile. Without `renews` it is cut off from Redis."""
        waiting = list(reversed(duties))
        while self._clock.now < until_s:
            now = self._clock.now
            while waiting and waiting[-1].at_s <= now:
                self._take_over(waiting.pop())
            if renews and now >= self._renewed_s + self._lease_s / RENEWALS:
                self._renewed_s = now
                self._leases.renewed(list(self._leases.fences), self._leases.now())
            self._ask_one(until_s, waiting[-1].at_s if waiting else until_s)
        return self.asked

    def _ask_one(self, until_s: float, change_s: float) -> None:
        now = self._clock.now
        host = self._schedule.pop(now)
        if host is None:
            due = self._schedule.next_at()
            self._clock.now = max(now + 1e-6, min(until_s, change_s, until_s if due is None else due))
            return
        if not self._leases.holds(host.key):
            return  # and it is not offered again
        self._schedule.claim(host, now)
        self._schedule.offer(host, now)
        self._schedule.started(host, now)
        self._schedule.released(host, now, started=True)
        if host.key in self.asked.last:
            self.asked.last[host.key] = now
        else:
            self.asked.first.setdefault(host.key, now)
        self.asked.requests += 1
        self._clock.now = now + self._pause_s

    def _take_over(self, duty: Duty) -> None:
        if duty.gains:
            self._grant([duty.partition], is_clean=duty.is_clean)
            for key in self._hosts.get(duty.partition, ()):
                asked_at = max(self._leases.asked_at(key), duty.at_s - self._delay_s)
                self._offer(duty.partition, key, asked_at + self._delay_s)
        else:
            for host in self._known.pop(duty.partition, ()):
                self._schedule.rest(host, self._clock.now)
            self._leases.dropped([duty.partition])

    def _grant(self, partitions: Sequence[int], *, is_clean: bool) -> None:
        self._fences += 1
        leases = [Lease(partition=partition, fence=self._fences, is_clean=is_clean) for partition in partitions]
        self._leases.granted(leases, self._leases.now())

    def _offer(self, partition: int, key: HostKey, due: float) -> None:
        host = Scheduled(key, delay_s=self._delay_s, concurrency=1, due=due)
        self._known.setdefault(partition, []).append(host)
        self._schedule.offer(host, self._clock.now)
