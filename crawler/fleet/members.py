"""Which workers are there, which of them leads, and what is the plan?

A worker is there from its first heartbeat until it leaves, or has sent none for as long as a lease lasts, by Redis'
clock. One of them leads: it publishes plans, and finds out when the crawl is over. Its own heartbeats keep it that;
when they cease, whoever sends one next leads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.fleet import control_scripts
from crawler.fleet import member_scripts as scripts
from crawler.fleet.models import Plan, WorkerInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from crawler.fleet.keys import Keys
    from crawler.fleet.link import Link

_WEIGHTS = dict[int, float]


class Flags(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a worker says of itself that others act on."""

    is_idle: bool = False  #: nothing is left in what it holds, as far as it knows
    is_leaving: bool = False  #: it is to be given nothing more
    spent: str = ""  #: the budget of which it has spent its part, and got no more


class There(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that is there."""

    for_s: float  #: until it counts as dead, unless it sends a heartbeat
    flags: Flags


class Units(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of what all workers together may do at once (``limits.per_address``)."""

    wanted: int  #: what it is to have
    in_use: int  #: it cannot have fewer yet
    most: int  #: what there is


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """What a heartbeat brings back."""

    now: float  #: Redis' wall clock
    version: int  #: of the orders
    leader: int
    leader_for_s: float
    there: dict[int, There]  #: by id, the one that asks among them
    plan: Plan | None  #: where it is not the one that is known
    units: int  #: what this worker has

    @property
    def is_idle(self) -> bool:
        """Whether nobody has anything to do, as they last said, or may do what is left."""
        return all(there.flags.is_idle or there.flags.spent for there in self.there.values())


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """The workers, as who looks on sees them."""

    now: float
    leader: int
    there: dict[int, There]
    infos: dict[int, WorkerInfo]  #: of all there ever were
    plan: Plan


class Members:
    """The workers of one crawl.

    Args:
        keys: Of the crawl's epoch.
        crawl: Its id: what tells it from one of the same name that took its place.
    """

    def __init__(self, link: Link, keys: Keys, crawl: str = "") -> None:
        self._link = link
        self._keys = keys
        self._crawl = crawl
        self._names = [keys.control(name) for name in scripts.NAMES]

    async def new_id(self) -> int:
        """A number for a new worker: from 1, and never given again."""
        return int(await self._link.patiently(lambda: self._link.client.incr(self._keys.control("workers"))))

    async def beat(
        self,
        info: WorkerInfo,
        flags: Flags,
        ttl_s: float,
        *,
        units: Units,
        plan: int = 0,
        weights: Mapping[int, float] | None = None,
    ) -> Beat | None:
        """Send a heartbeat, and learn what has changed; None if the crawl is gone.

        Args:
            ttl_s: After so long without another, this worker counts as dead.
            plan: The version of the plan that is known.
            weights: Of the partitions held, active hosts; None: as they were.
        """
        packed = msgspec.msgpack.encode(weights) if weights is not None else b""
        told = (self._crawl, round(ttl_s * 1000), msgspec.msgpack.encode(info), msgspec.json.encode(flags))
        reply = await self._run(
            scripts.BEAT, info.id, *told, plan, packed, units.wanted, units.in_use, units.most
        )  # fmt: skip
        if reply is None:
            return None
        now, leader, leader_ms, version, members, marks, newer, had = reply
        return Beat(
            now=float(now) / 1000,
            version=int(version),
            leader=int(leader),
            leader_for_s=max(0, leader_ms) / 1000,
            there=_there(float(now), members, marks),
            plan=_plan(newer) if newer else None,
            units=int(had),
        )

    async def leave(self, worker: int) -> None:
        """Be gone from now on."""
        await self._run(scripts.LEAVE, worker)

    async def publish(self, worker: int, before: Plan, plan: Plan) -> bool:
        """Make `plan` the one that holds; False if `worker` leads no more, or `before` did not hold."""
        packed = msgspec.msgpack.encode(plan)
        return bool(await self._run(scripts.PUBLISH, worker, before.version, packed, plan.version))

    async def weights(self, workers: Iterable[int]) -> dict[int, float]:
        """What partitions weigh, as these workers last said of those they held."""
        name, wanted = self._keys.control("weights"), set(workers)
        all_of_them: Any = await self._link.patiently(lambda: self._link.client.hgetall(name))
        weights: dict[int, float] = {}
        for worker in sorted(all_of_them, key=int):
            if int(worker) in wanted:
                weights |= msgspec.msgpack.decode(all_of_them[worker], type=_WEIGHTS)
        return weights

    async def look(self) -> Sight:
        """Who is there, and what each last told of itself. Changes nothing."""
        now, members, marks, infos, leader, plan = await self._run(scripts.LOOK, 0)
        told = control_scripts.paired(infos)
        return Sight(
            now=float(now) / 1000,
            leader=int(leader),
            there=_there(float(now), members, marks),
            infos={int(worker): msgspec.msgpack.decode(info, type=WorkerInfo) for worker, info in told.items()},
            plan=msgspec.msgpack.decode(plan, type=Plan) if plan else Plan(),
        )

    async def _run(self, script: str, worker: int, *args: str | float | bytes) -> Any:  # noqa: ANN401
        return await control_scripts.run(self._link, script, self._names, self._keys.events, worker, *args)


def _plan(told: bytes) -> Plan:
    """One that is not the one known here; none at all where the server has lost it."""
    return Plan() if told == b"-" else msgspec.msgpack.decode(told, type=Plan)


def _there(now_ms: float, members: Sequence[bytes], marks: Sequence[bytes]) -> dict[int, There]:
    flags = control_scripts.paired(marks)
    ends = control_scripts.paired(members)
    return {
        int(worker): There(
            for_s=(float(end) - now_ms) / 1000,
            flags=msgspec.json.decode(flags[worker], type=Flags) if worker in flags else Flags(),
        )
        for worker, end in ends.items()
        if float(end) > now_ms
    }
