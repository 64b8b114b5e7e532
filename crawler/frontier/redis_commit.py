"""In which order does a checkpoint get into Redis, where each partition has a script of its own?

In two rounds, so that no URL is stored after the end of the page that led to it:

1. What was found of other workers' partitions is delivered to their inboxes, and what pages of other partitions led
   to is admitted.
2. All else: of each partition one change, its own pages' links together with their ends.

A partition whose change is *refused* is another's by now, or Redis is behind what this worker knows of it: it is
dropped. What it had from pages of other partitions is delivered to its inbox before these end. Redis may have lost its
last second, and with it what it took of late, while the ends that follow are stored: so what was handed over within
`AGAIN_S` is handed over again when that may be (`hand_again`). What is delivered twice is found to be known.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.fleet.models import FinishedAt
from crawler.fleet.store import block_ids
from crawler.frontier.redis_change import AT_ONCE, Part, Parts, next_admission, next_change
from crawler.frontier.redis_ids import number_of_id
from crawler.frontier.redis_load import AT_ONCE_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crawler.clock import Clock
    from crawler.fleet.store import Change, PartitionStore
    from crawler.frontier.redis_held import Held
    from crawler.frontier.redis_hosts import Hosts
    from crawler.frontier.redis_partition import Partition
    from crawler.frontier.redis_rows import Rows
    from crawler.frontier.redis_snoozed import SnoozedUrls
    from crawler.frontier.redis_times import Times
    from crawler.models import Checkpoint, Request

AGAIN_S = 10.0
"""For how long Redis may turn out to have lost what it took: a second of its log, or what a replica was behind."""

_MOST_AGAIN = 200_000
_KEPT = 3  # however long ago they were: the last commit may have waited for an hour until Redis was there again

Posts = dict[int, list["Request"]]


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
        self._expire()
        shared = [one for one in cut if one.committing_is_shared]
        refused = {one for one in cut if one.is_gone}
        handed = dict(outbox)
        for one in shared:
            handed[one.index] = [*handed.get(one.index, ()), *one.committing]
        if handed:
            self._handed.append((self._clock.monotonic(), handed))
        admission = self._admit([one for one in shared if not one.is_gone], refused)
        await asyncio.gather(self._store.deliver(outbox), admission)
        delivered = set(outbox)
        delivered |= await self._deliver_for(refused)
        before = set(refused)
        await self._admit([one for one in cut if one not in refused], refused, leave=AT_ONCE)
        await self._finish(parts, cut, refused)
        if refused != before:
            delivered |= await self._deliver_for(refused - before)
        return refused, delivered

    async def _admit(self, partitions: Sequence[Partition], refused: set[Partition], leave: int = 0) -> None:
        """Store what these have cut, but for the last `leave` of it."""
        while some := [one for one in partitions if one not in refused and len(one.committing) > leave]:
            await self._apply({one: next_admission(one) for one in some}, refused)

    async def _finish(self, parts: Mapping[Partition, Part], cut: Sequence[Partition], refused: set[Partition]) -> None:
        """Store what is left of these, ends and all."""
        left = {one: parts.get(one) or Part() for one in (*cut, *parts)}
        place = 0
        while left:
            changes: dict[Partition, Change] = {}
            for one, part in left.items():
                if one.is_gone:
                    refused.add(one)
                elif one not in refused and (change := next_change(one, part, place)) is not None:
                    changes[one] = change
            await self._apply(changes, refused)
            place += AT_ONCE
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

    async def hand_again(self) -> set[int]:
        """Deliver what was handed over of late once more, as Redis may have lost it; to which partitions."""
        again: Posts = {}
        for _, posts in self._handed:
            _merge(again, posts)
        if again:
            await self._store.deliver(again)
        return set(again)

    async def _deliver_for(self, refused: Iterable[Partition]) -> set[int]:
        """Deliver what refused partitions were to admit; to which partitions."""
        posts: Posts = {}
        for one in refused:
            if one.committing:
                _merge(posts, {one.index: one.committing})
        if posts:
            await self._store.deliver(posts)
        return set(posts)

    def _expire(self) -> None:
        """Let go of what was handed over long ago."""
        handed, since = self._handed, self._clock.monotonic() - AGAIN_S
        while len(handed) > _KEPT and (handed[0][0] < since or sum(_size(one) for _, one in handed) > _MOST_AGAIN):
            handed.popleft()

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


def _merge(posts: Posts, more: Posts) -> None:
    for index, requests in more.items():
        posts.setdefault(index, []).extend(requests)


def _size(posts: Posts) -> int:
    return sum(map(len, posts.values()))
