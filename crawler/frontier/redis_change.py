"""What does a checkpoint say of one partition, and in which changes is it stored?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.fleet.store import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.fleet.models import FinishedAt
    from crawler.frontier.redis_partition import Partition
    from crawler.models import Finished, HostState, Outcome, Request, RobotsFile, Snoozed

AT_ONCE = 10_000
"""URLs or ends in a change at most: no script should hold the server up for long."""


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


def next_admission(partition: Partition) -> Change:
    """The next change of a partition that has much to admit."""
    return _change(partition, partition.committing[:AT_ONCE])


def next_change(partition: Partition, part: Part, place: int) -> Change | None:
    """The change of a partition with its ends from a place on, and with the first of them all else; None if there is
    nothing to say."""
    ended = part.ended[place : place + AT_ONCE]
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
