"""How does the ledger of a shared crawl become the store of a crawl of one's own? By what any frontier can do.

URLs come as the ledger has them, each with where it was found, and end as they ended there. Of an end whose records
were not found the URL is pending, as if never tried: so what the store says of files is true of the files beside it.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from crawler.models import MAX_EXAMPLES, Checkpoint, Finished, Outcome, Snoozed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.clock import Clock
    from crawler.frontier.base import Frontier
    from crawler.merging.ledger import Hosts, LedgerCopy, Row
    from crawler.merging.wanted import Wanted
    from crawler.models import Request

BREAKER = "breaker"
"""Why a host is retired that has failed too often: `HostState.retired`."""
_HOSTS_AT_ONCE = 5_000


class Filled(NamedTuple):
    """What a store was filled with."""

    pages: int  #: URLs that have a record in pages.jsonl
    ends: Counter[tuple[Outcome, str | None]]  #: of the others that have ended
    snoozed: int
    lost: tuple[str, ...]  #: some URLs of which the records were not found
    unresolved: int  #: hosts that URLs have failed for as they have no address


class _Sorted(NamedTuple):
    """Rows by what they become."""

    ended: list[tuple[Request, Finished]]
    snoozed: list[Row]
    waiting: list[Request]
    lost: list[str]


async def fill(frontier: Frontier, copy: LedgerCopy[Row], wanted: Wanted, clock: Clock) -> Filled:
    """Put all URLs of a ledger into a new store; a URL that comes twice, once.

    Args:
        frontier: Open and empty; closed by its owner.
        copy: Of the ledger.
        wanted: Which of the ends that it tells of were found.
        clock: The frontier's.

    Raises:
        FrontierError: The store cannot be written.
        CrawlerError: The copy cannot be read.
    """
    pages = snoozed = 0
    ends: Counter[tuple[Outcome, str | None]] = Counter()
    lost: list[str] = []
    unresolved: set[int] = set()  # hashes of host keys, as there may be many
    for rows in copy.blocks():
        some = _sorted(rows, wanted)
        lost += some.lost[: MAX_EXAMPLES - len(lost)]
        finished = _finished(frontier, some.ended)
        later = _later(frontier, some.snoozed, clock)
        frontier.add(some.waiting)
        await frontier.commit(Checkpoint(finished=finished, snoozed=later))
        snoozed += len(later)
        pages += sum(end.has_page for end in finished)
        ends.update((end.outcome, end.reason) for end in finished if not end.has_page)
        unresolved.update(hash(end.request.host_key) for end in finished if end.reason == "dns")
    return Filled(pages, ends, snoozed, tuple(lost), len(unresolved))


async def fill_hosts(frontier: Frontier, copy: LedgerCopy[Hosts]) -> int:
    """Store what politeness knew; how many hosts its breaker had given up."""
    given_up = 0
    for known in chain.from_iterable(copy.blocks()):
        given_up += sum(host.retired == BREAKER for host in known.hosts)
        for start in range(0, max(len(known.hosts), len(known.robots)), _HOSTS_AT_ONCE):
            end = start + _HOSTS_AT_ONCE
            await frontier.commit(Checkpoint(hosts=known.hosts[start:end], robots=known.robots[start:end]))
    return given_up


def _sorted(rows: Sequence[Row], wanted: Wanted) -> _Sorted:
    found = _Sorted([], [], [], [])
    for row in rows:
        if row.end is not None and (row.where is None or not wanted.is_lacking(row.where)):
            found.ended.append((row.request, row.end))
        elif row.end is not None:
            found.lost.append(row.request.url)
            found.waiting.append(replace(row.request, attempt=1))
        elif row.due_at is not None:
            found.snoozed.append(row)
        else:
            found.waiting.append(row.request)
    return found


def _finished(frontier: Frontier, ended: Sequence[tuple[Request, Finished]]) -> tuple[Finished, ...]:
    """The ends of requests that the frontier is given with it."""
    taken = {one.url: one for one in frontier.add_taken([replace(request, attempt=1) for request, _ in ended])}
    return tuple(
        replace(end, request=replace(mine, attempt=end.request.attempt))
        for request, end in ended
        if (mine := taken.pop(request.url, None)) is not None
    )


def _later(frontier: Frontier, rows: Sequence[Row], clock: Clock) -> tuple[Snoozed, ...]:
    ahead_s = clock.monotonic() - clock.wall()
    taken = {one.url: one for one in frontier.add_taken([replace(row.request, attempt=1) for row in rows])}
    return tuple(
        Snoozed(
            request=replace(mine, attempt=row.request.attempt), until=(row.due_at or 0.0) + ahead_s, reason=row.reason
        )
        for row in rows
        if (mine := taken.pop(row.request.url, None)) is not None
    )
