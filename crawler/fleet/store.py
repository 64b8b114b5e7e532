"""What is kept of each partition, and how is it changed and read?

A `PartitionStore` knows nothing of hosts' paces or of what a worker has in memory. What a worker has found out about a
partition since its last commit is a `Change`, which one script applies as a whole, or refuses: then the worker has lost
the partition. What was admitted in one commit is stored in blocks of `BLOCK_URLS` whose ids follow from the commit and
from the number of their first URL (`block_ids`), so that whoever stored them knows them without asking.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from crawler.fleet.codec import packed_host, packed_later, packed_robots
from crawler.fleet.codec_ends import packed_ends, packed_numbers
from crawler.fleet.codec_urls import in_blocks
from crawler.fleet.link import Call
from crawler.fleet.models import FinishedAt, Lease, Refused
from crawler.fleet.scripts import ACQUIRE, COMMIT, POSTED, RELEASE, RENEW, TALLY, Script
from crawler.fleet.store_read import StoreReader
from crawler.models import Finished, HostState, Outcome, Request, RobotsFile, Snoozed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

    from crawler.fleet.link import Part

    Args = Callable[[Sequence[int]], tuple[Part, ...]]

BLOCK_URLS: Final = 512
"""URLs of one block at most: what has to be read to have one of them."""

_BATCH_BYTES: Final = 1 << 20
_BATCH_CHANGES: Final = 128
_LARGE: Final = 4000
_TOGETHER: Final = 128  # partitions in one call: it holds up the server for a millisecond


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """All that becomes true of a partition at once."""

    partition: int
    fence: int
    commit: int  #: number of the partition's last commit: this one gets the next
    #: get the numbers after those given out before, in this order; their `id` is not looked at
    admitted: Sequence[Request] = ()
    #: number of the URL, how it ended, and where its records are
    ended: Sequence[tuple[int, Finished, FinishedAt]] = ()
    #: `until` is wall time, by the server's clock
    snoozed: Sequence[tuple[int, Snoozed]] = ()
    #: of those that were snoozed before this change, the numbers that no longer are: they have ended, as a rule. None
    #: for any that `ended` holds, which takes a little longer than naming them
    woken: Sequence[int] | None = None
    hosts: Sequence[HostState] = ()
    robots: Sequence[RobotsFile] = ()
    #: origins whose robots.txt is to be asked for anew
    forgotten: Sequence[str] = ()
    #: numbers of URLs that are pending again, and how and why they had ended
    requeued: Sequence[tuple[int, Outcome, str | None]] = ()
    #: id of the last block of the inbox that has been taken in: it and those before are removed
    inbox_to: str | None = None


class Tally(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A partition in numbers."""

    partition: int
    urls: int = 0
    ended: dict[Outcome, int] = {}
    #: of them, those that have a reason, by outcome and reason: ``failed http_404``
    reasons: dict[str, int] = {}
    commit: int = 0
    snoozed: int = 0
    inbox: int = 0  #: blocks
    owner: int = 0  #: id of the worker that holds it; 0 for nobody
    held_since: float = 0.0  #: when it was given to the owner
    free_in_s: float = 0.0  #: when its lease ends, unless it is renewed
    #: whether whoever held it last has given it back
    is_clean: bool = True


def block_ids(commit: int, urls: int, count: int) -> list[tuple[str, int, int]]:
    """Of the blocks in which a change is stored: id, number of the first URL, how many there are.

    Args:
        commit: That the change had, so that its blocks are of the next.
        urls: How many were known before.
        count: How many it admits.
    """
    starts = range(urls + 1, urls + count + 1, BLOCK_URLS)
    return [(f"{commit + 1}-{first}", first, min(BLOCK_URLS, urls + count + 1 - first)) for first in starts]


class PartitionStore(StoreReader):
    """The partitions of one crawl in Redis. All of its methods wait while Redis is away (`Link.patiently`)."""

    async def acquire(self, partitions: Iterable[int], worker: int, ttl_s: float) -> tuple[list[Lease], list[Refused]]:
        """Lease those of `partitions` that are free, or this worker's, for `ttl_s` from when this was called.

        Returns:
            What was given, and what is another's.
        """
        wanted, nonce = list(partitions), secrets.token_hex(8)
        answers = await self._together(ACQUIRE, wanted, lambda _: (worker, _ms(ttl_s), nonce))
        leases, refused = [], []
        for partition, answer in zip(wanted, answers, strict=True):
            if answer[0]:
                leases.append(_lease(partition, int(answer[1]), _meta(answer[2])))
            else:
                refused.append(Refused(partition=partition, owner=int(answer[1]), free_in_s=max(0, answer[2]) / 1000))
        return leases, refused

    async def renew(self, fences: Mapping[int, int], worker: int, ttl_s: float) -> set[int]:
        """Keep leases for another `ttl_s`. One whose time was up is the worker's again if nobody has taken it.

        Args:
            fences: Of each partition, that of its lease.
            worker: Whose they are.
            ttl_s: From when this was called.

        Returns:
            The partitions that are no longer the worker's.
        """
        answers = await self._together(
            RENEW, list(fences), lambda some: (worker, _ms(ttl_s), *(fences[partition] for partition in some))
        )
        return {partition for partition, answer in zip(fences, answers, strict=True) if not answer}

    async def release(self, fences: Mapping[int, int], worker: int) -> None:
        """Give partitions back of which all is committed. Those that are no longer the worker's stay as they are."""
        await self._together(RELEASE, list(fences), lambda some: (worker, *(fences[partition] for partition in some)))

    async def deliver(self, requests: Mapping[int, Sequence[Request]]) -> None:
        """Put URLs into the inboxes of their partitions: at least once, whoever holds them."""
        calls = []
        for partition, some in requests.items():
            inbox = self._keys.of(partition).inbox
            calls += [Call("XADD", (inbox,), ("*", "b", block)) for block in in_blocks(some, BLOCK_URLS)]
        await self._link.calls(calls)

    async def commit(self, changes: Iterable[Change]) -> set[int]:
        """Apply changes, each as a whole, of different partitions, in any order.

        Returns:
            The partitions whose change was refused, as another worker has them, or as the server has lost what this one
            had committed. Nothing of these changes was stored.
        """
        refused: set[int] = set()
        async for batch in self._batches(changes):
            answers = await self._link.calls([call for _, call in batch])
            refused.update(partition for (partition, _), answer in zip(batch, answers, strict=True) if not answer)
        return refused

    async def tallies(self, partitions: Iterable[int]) -> list[Tally]:
        """Partitions in numbers, each as it was at one moment."""
        wanted = list(partitions)
        answers = await self._together(TALLY, wanted)
        return [_tally(partition, answer) for partition, answer in zip(wanted, answers, strict=True)]

    async def posted_to(self, partitions: Iterable[int]) -> list[int]:
        """Those in whose inbox something lies."""
        wanted = list(partitions)
        answers = await self._link.calls([self._many(POSTED, some) for some in self._groups(wanted)])
        groups = zip(self._groups(wanted), answers, strict=True)
        return [some[place - 1] for some, places in groups for place in places]

    async def _together(self, script: Script, partitions: Sequence[int], args: Args = lambda _: ()) -> list[Any]:
        """What a script answers for each partition. `args` is told those of one call."""
        calls = [self._many(script, some, args(some)) for some in self._groups(partitions)]
        return [answer for answers in await self._link.calls(calls) for answer in answers]

    def _groups(self, partitions: Sequence[int]) -> Iterator[Sequence[int]]:
        """Those whose keys one script may use."""
        size = 1 if self._link.is_clustered else _TOGETHER
        return (partitions[at : at + size] for at in range(0, len(partitions), size))

    def _many(self, script: Script, partitions: Sequence[int], args: tuple[Part, ...] = ()) -> Call:
        keys = map(self._keys.of, partitions)
        return Call(script, tuple(getattr(each, name) for each in keys for name in script.names), args)

    async def _batches(self, changes: Iterable[Change]) -> AsyncIterator[list[tuple[int, Call]]]:
        """What is sent together: changes are written as bytes only when it is their turn, large ones beside the loop,
        which a hundred thousand URLs would hold up for a tenth of a second."""
        batch: list[tuple[int, Call]] = []
        size = 0
        for change in changes:
            is_large = len(change.admitted) + len(change.ended) > _LARGE
            call = await asyncio.to_thread(self._call, change) if is_large else self._call(change)
            batch.append((change.partition, call))
            size += sum(len(part) for part in call.args if isinstance(part, bytes))
            if len(batch) >= _BATCH_CHANGES or size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _call(self, change: Change) -> Call:
        keys = self._keys.of(change.partition)
        args: list[Part] = [change.fence, change.commit, len(change.admitted), _after(change.inbox_to)]
        blocks = list(in_blocks(change.admitted, BLOCK_URLS))
        args.append(len(blocks))
        for place, block in enumerate(blocks):
            args += (min(BLOCK_URLS, len(change.admitted) - place * BLOCK_URLS), block)
        _put(args, _ends(change))
        _put(args, _tallies(change))
        woken = [number for number, _, _ in change.ended] if change.woken is None else change.woken
        args.append(len(woken))
        args += woken
        _put(args, [(number, packed_later(snoozed)) for number, snoozed in change.snoozed])
        _put(args, [(host.host_key, packed_host(host)) for host in change.hosts])
        _put(args, [(robots.origin, packed_robots(robots)) for robots in change.robots])
        args.append(len(change.forgotten))
        args += change.forgotten
        return Call(
            COMMIT, (keys.meta, keys.urls, keys.ends, keys.later, keys.hosts, keys.robots, keys.inbox), tuple(args)
        )


def _put(args: list[Part], pairs: Sequence[tuple[Part, Part]]) -> None:
    args.append(len(pairs))
    for pair in pairs:
        args += pair


def _ends(change: Change) -> list[tuple[Part, Part]]:
    ends = change.ended
    blocks: list[tuple[Part, Part]] = []
    if change.requeued:
        blocks.append(("r", packed_numbers(number for number, _, _ in change.requeued)))
    blocks += [("e", packed_ends(ends[at : at + BLOCK_URLS])) for at in range(0, len(ends), BLOCK_URLS)]
    return blocks


def _tallies(change: Change) -> list[tuple[Part, Part]]:
    tally = Counter((end.outcome, end.reason) for _, end, _ in change.ended)
    tally.subtract((outcome, reason) for _, outcome, reason in change.requeued)
    names: Counter[str] = Counter()
    for (outcome, reason), count in tally.items():
        names[outcome.value] += count
        if reason is not None:
            names[f"{outcome.value} {reason}"] += count
    return [(name, count) for name, count in names.items() if count]


def _after(block: str | None) -> str:
    """The least id there can be after that of a block."""
    if not block:
        return ""
    time, _, number = block.partition("-")
    return f"{time}-{int(number) + 1}"


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _meta(pairs: list[bytes] | dict[bytes, bytes]) -> dict[str, bytes]:
    items = pairs.items() if isinstance(pairs, dict) else zip(pairs[::2], pairs[1::2], strict=True)
    return {name.decode(): value for name, value in items}


def _ended(meta: Mapping[str, bytes]) -> dict[Outcome, int]:
    return {outcome: int(meta[outcome.value]) for outcome in Outcome if outcome.value in meta}


def _lease(partition: int, fence: int, meta: Mapping[str, bytes]) -> Lease:
    return Lease(
        partition=partition,
        fence=fence,
        commit=int(meta.get("commit", 0)),
        urls=int(meta.get("urls", 0)),
        ended=_ended(meta),
        is_clean=meta.get("dirty", b"0") == b"0",
    )


def _tally(partition: int, answer: list[Any]) -> Tally:
    lease, left_ms, snoozed, inbox, pairs = answer
    meta = _meta(pairs)
    owner, _, fence = lease.decode().partition(" ")
    return Tally(
        partition=partition,
        urls=int(meta.get("urls", 0)),
        ended=_ended(meta),
        reasons={name: int(count) for name, count in meta.items() if " " in name and int(count)},
        commit=int(meta.get("commit", 0)),
        snoozed=snoozed,
        inbox=inbox,
        owner=int(owner or 0),
        held_since=int(fence or 0) / 1e6,
        free_in_s=max(0, left_ms) / 1000,
        is_clean="fence" not in meta,
    )
