"""In which order does a checkpoint get into Redis, where each partition has a script of its own?

In two rounds, so that no URL is stored after the end of the page that led to it:

1. What was found of other workers' partitions is delivered to their inboxes, and what pages of other partitions led
   to is admitted.
2. All else: of each partition one change, its own pages' links together with their ends.

A partition whose change is *refused* is another's by now, or Redis is behind what this worker knows of it: it is
dropped. What it had from pages of other partitions is delivered to its inbox before these end. Redis may have lost its
last second, and with it what it took of late, while the ends that follow are stored: so what was handed over within
`AGAIN_S` is delivered again when something is refused. What is delivered twice is found to be known.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.fleet.models import FinishedAt
from crawler.fleet.store import Change, block_ids
from crawler.frontier.redis_ids import number_of_id
from crawler.frontier.redis_load import AT_ONCE_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crawler.clock import Clock
    from crawler.fleet.store import PartitionStore
    from crawler.frontier.redis_held import Held
    from crawler.frontier.redis_hosts import Hosts
    from crawler.frontier.redis_partition import Partition
    from crawler.frontier.redis_rows import Rows
    from crawler.frontier.redis_snoozed import SnoozedUrls
    from crawler.frontier.redis_times import Times
    from crawler.models import Checkpoint, Finished, HostState, Outcome, Request, RobotsFile, Snoozed

AGAIN_S = 10.0
"""For how long Redis may turn out to have lost what it took: a second of its log, or what a replica was behind."""

_MOST_AGAIN = 200_000
_AT_ONCE = 10_000  # URLs or ends in a change: no script should hold the server up for long

Posts = dict[int, list["Request"]]


@dataclass(slots=True)
class Part:
    """What a checkpoint says of one partition."""

    ended: list[tuple[int, Finished, FinishedAt]] = field(default_factory=list)
    snoozed: list[tuple[int, Snoozed]] = field(default_factory=list)
    hosts: list[HostState] = field(default_factory=list)
    robots: list[RobotsFile] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    requeued: list[tuple[int, Outcome, str | None]] = field(default_factory=list)

    @property
    def has_more(self) -> bool:
        """Whether there is anything beside ends."""
        return bool(self.snoozed or self.hosts or self.robots or self.forgotten or self.requeued)


class Parts(dict["Partition", Part]):
    """What a checkpoint says, by partition."""

    def of(self, partition: Partition) -> Part:
        """What it says of one."""
        return self.setdefault(partition, Part())


class Commits:
    """Commits of one worker.

    Args:
        store: Takes them.
        worker: Its number.
        held: Its partitions.
        rows, snoozed, hosts: Learn what is stored.
        times: Of the server.
        clock: The worker's own.
    """

    def __init__(
        self,
        *,
        store: PartitionStore,
        worker: int,
        held: Held,
        rows: Rows,
        snoozed: SnoozedUrls,
        hosts: Hosts,
        times: Times,
        clock: Clock,
    ) -> None:
        self._store = store
        self._worker = worker
        self._held = held
        self._rows = rows
        self._snoozed = snoozed
        self._hosts = hosts
        self._times = times
        self._clock = clock
        self._ordinal = 0  # of the next end
        self._handed: deque[tuple[float, Posts]] = deque()

    def sort(self, checkpoint: Checkpoint) -> Parts:
        """What a checkpoint says, by partition; what it says of partitions that were lost is left out.

        Raises:
            FrontierError: It ends or snoozes what is not out, or something twice. Nothing has changed.
        """
        parts = Parts()
        named: set[int] = set()
        for ordinal, end in enumerate(checkpoint.finished, self._ordinal):
            if partition := self._out(end.request, named):
                where = FinishedAt(worker=self._worker, ordinal=ordinal)
                parts.of(partition).ended.append((number_of_id(end.request.id), end, where))
        for item in checkpoint.snoozed:
            if partition := self._out(item.request, named):
                wall = replace(item, until=self._times.due_ms(item.until) / 1000)
                parts.of(partition).snoozed.append((number_of_id(item.request.id), wall))
        for state in checkpoint.hosts:
            if partition := self._held.of(state.host_key):
                parts.of(partition).hosts.append(self._times.stored_host(state))
        for file in checkpoint.robots:
            if partition := self._hosts.partition_of_origin(file.origin):
                parts.of(partition).robots.append(self._times.stored_robots(file))
        self._ordinal += len(checkpoint.finished)
        return parts

    async def store(
        self, parts: Mapping[Partition, Part], cut: Iterable[Partition], outbox: Posts
    ) -> tuple[set[Partition], set[int]]:
        """Store all this, and what these partitions have cut.

        Returns:
            Partitions that were refused, with what they had cut still there, and those that something was delivered to.
        """
        cut = list(cut)
        shared = [one for one in cut if one.committing_is_shared]
        refused = {one for one in cut if one.is_gone}
        handed = dict(outbox)
        for one in shared:
            handed[one.index] = [*handed.get(one.index, ()), *one.committing]
        delivery = asyncio.ensure_future(self._store.deliver(outbox)) if outbox else None
        await self._admit([one for one in shared if not one.is_gone], refused)
        if delivery is not None:
            await delivery
        delivered = set(outbox)
        delivered |= await self._deliver_for(refused, handed)
        before = set(refused)
        await self._admit([one for one in cut if one not in refused], refused, leave=_AT_ONCE)
        await self._finish(parts, cut, refused)
        if refused != before:
            delivered |= await self._deliver_for(refused - before, {})
        return refused, delivered

    async def _admit(self, partitions: Sequence[Partition], refused: set[Partition], leave: int = 0) -> None:
        """Store what these have cut, but for the last `leave` of it."""
        while some := [one for one in partitions if one not in refused and len(one.committing) > leave]:
            await self._apply({one: _admission(one) for one in some}, refused)

    async def _finish(self, parts: Mapping[Partition, Part], cut: Sequence[Partition], refused: set[Partition]) -> None:
        """Store what is left of these, ends and all."""
        left = {one: parts.get(one) or Part() for one in (*cut, *parts)}
        place = 0
        while left:
            changes: dict[Partition, Change] = {}
            for one, part in left.items():
                if one.is_gone:
                    refused.add(one)
                elif one not in refused and (change := _last_change(one, part, place)) is not None:
                    changes[one] = change
            await self._apply(changes, refused)
            place += _AT_ONCE
            left = {one: part for one, part in left.items() if place < len(part.ended)}

    async def _apply(self, changes: Mapping[Partition, Change], refused: set[Partition]) -> None:
        if not changes:
            return
        answer = await self._store.commit(list(changes.values()))
        for partition, change in changes.items():
            if change.partition in answer:
                refused.add(partition)
            else:
                self._note(partition, change)

    def _note(self, partition: Partition, change: Change) -> None:
        """This is stored."""
        partition.commit += 1
        if change.admitted:
            for block, first, _ in block_ids(change.commit, partition.stored, len(change.admitted)):
                partition.add_block(block, first)
            self._rows.keep(one for one in change.admitted if number_of_id(one.id) not in partition.out)
            partition.stored += len(change.admitted)
            del partition.committing[: len(change.admitted)]
        if not partition.committing:
            partition.committing_is_shared = False
            if change.inbox_to is not None:
                partition.inbox_trimmed = change.inbox_to
        outcomes = Counter(end.outcome for _, end, _ in change.ended)
        for number, _, _ in change.ended:
            partition.out.discard(number)
            partition.later.pop(number, None)
        self._held.book(partition, outcomes)
        for number, item in change.snoozed:
            partition.out.discard(number)
            partition.later[number] = item.request.attempt
            if item.until > AT_ONCE_S:
                self._snoozed.add(partition, number, item.request.host_key, round(item.until * 1000))
        for state in change.hosts:
            self._hosts.note(partition, state)
        for file in change.robots:
            self._hosts.note_robots(partition, file)
        for origin in change.forgotten:
            partition.robots.pop(origin, None)

    async def _deliver_for(self, refused: Iterable[Partition], handed: Posts) -> set[int]:
        """Deliver what refused partitions were to admit, and what Redis may have lost; to which partitions."""
        now = self._clock.monotonic()
        again: Posts = {}
        for one in refused:
            again.setdefault(one.index, []).extend(one.committing)
        if again:
            for _, posts in self._handed:
                for index, requests in posts.items():
                    again.setdefault(index, []).extend(requests)
        if handed:
            self._handed.append((now, handed))
        while self._handed and (
            self._handed[0][0] < now - AGAIN_S or sum(_size(posts) for _, posts in self._handed) > _MOST_AGAIN
        ):
            self._handed.popleft()
        again = {index: requests for index, requests in again.items() if requests}
        if again:
            await self._store.deliver(again)
        return set(again)

    def _out(self, request: Request, named: set[int]) -> Partition | None:
        """The partition of what was handed out; None if it has been lost since."""
        partition = self._held.of_id(request.id)
        if request.id in named:
            raise FrontierError(f"checkpoint names {request.url} twice")
        if partition is None:
            if not self._held.is_stale(request.id):
                raise FrontierError(f"checkpoint ends or snoozes {request.url}, id {request.id}, which is not out")
            return None
        named.add(request.id)
        return partition


def _size(posts: Posts) -> int:
    return sum(map(len, posts.values()))


def _admission(partition: Partition) -> Change:
    """The next change of a partition that has much to admit."""
    return _change(partition, partition.committing[:_AT_ONCE])


def _last_change(partition: Partition, part: Part, place: int) -> Change | None:
    """The change of a partition with its ends from a place on, and with the first of them all else; None if there is
    nothing to say."""
    ended = part.ended[place : place + _AT_ONCE]
    is_first = place == 0
    is_read = partition.inbox_cut != partition.inbox_trimmed
    if not (ended or partition.committing or (is_first and (is_read or part.has_more))):
        return None
    change = _change(partition, partition.committing, ended)
    if not is_first:
        return change
    return replace(
        change,
        snoozed=part.snoozed,
        hosts=part.hosts,
        robots=part.robots,
        forgotten=part.forgotten,
        requeued=part.requeued,
    )


def _change(
    partition: Partition, admitted: Sequence[Request], ended: Sequence[tuple[int, Finished, FinishedAt]] = ()
) -> Change:
    """The next one of a partition. Its inbox is trimmed once all is stored that was read of it."""
    is_last = len(admitted) == len(partition.committing)
    is_read = partition.inbox_cut != partition.inbox_trimmed
    return Change(
        partition=partition.index,
        fence=partition.fence,
        commit=partition.commit,
        admitted=list(admitted),
        ended=ended,
        woken=[number for number, _, _ in ended if number in partition.later],
        inbox_to=partition.inbox_cut if is_last and is_read else None,
    )
