"""How is a crawl of several workers told to a person? In rows, and a table of its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.cli.rows import lines_of
from crawler.wording import counted, duration, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.cli.rows import Row
    from crawler.fleet.models import WorkerInfo
    from crawler.fleet.status import FleetStatus

CLOCK_OFF_S = 2.0
"""By how much a worker's clock may be off until it is worth a line."""

_NAME = 24
_WHY = 120
_REASONS = 8
_COLUMNS = ("worker", "does", "held", "heard", "pages", "/s", "pending", "memory")


def told(status: FleetStatus) -> Iterator[str]:
    """All of it."""
    yield from lines_of(_facts(status))
    yield ""
    yield from _workers(status)
    if status.slowest:
        yield ""
        yield "Hosts that are waited for longest:"
        for slow in status.slowest:
            why = f": {printable(slow.why, _WHY)}" if slow.why else ""
            yield f"  {printable(slow.host_key)}  {slow.state}, for another {duration(slow.for_s)}{why}"


def line(status: FleetStatus) -> str:
    """The same, as one line of many."""
    totals = status.totals
    return (
        f"{status.state}  {totals.admitted:,} URLs  {totals.admitted - totals.pending:,} ended  "
        f"{totals.pending:,} pending  {status.pages_per_s:,.1f} pages/s  {status.in_flight:,} in flight  "
        f"{counted(len(status.workers), 'worker')}  {status.partitions.free:,} partitions free"
    )


def _facts(status: FleetStatus) -> Iterator[Row]:
    totals, partitions = status.totals, status.partitions
    yield "crawl", f"{status.name}, {_state(status)}"
    yield "server", _server(status)
    ended = totals.admitted - totals.pending
    yield "URLs", f"{totals.admitted:,} admitted = {ended:,} ended + {totals.pending:,} pending"
    if totals.outcomes:
        yield "ended", ", ".join(f"{count:,} {outcome}" for outcome, count in totals.outcomes.items())
    if totals.reasons:
        most = list(totals.reasons.items())[:_REASONS]
        yield "of these", ", ".join(f"{count:,} {printable(reason, _WHY)}" for reason, count in most)
    if totals.snoozed:
        yield "put off", f"{totals.snoozed:,} of those pending, to be tried again"
    if totals.inbox_blocks and status.state != "done":  # all of them were known, or it would not be done
        yield "on the way", f"{counted(totals.inbox_blocks, 'block')} of URLs, some of which may be known"
    more = "all there are" if status.seeds.done else "and more to come"
    yield "seeds", f"{status.seeds.given:,} read, {more}"
    yield "partitions", _held(status)
    if partitions.oldest_lease_s is not None and partitions.youngest_lease_s is not None:
        ages = f"taken {duration(partitions.youngest_lease_s)} to {duration(partitions.oldest_lease_s)} ago"
        end = "" if partitions.next_end_s is None else f"; the first ends in {duration(partitions.next_end_s)}"
        yield "leases", f"{ages}{end}, unless it is renewed" if end else ages
    for pattern, pace in status.limits.items():
        yield "limits", f"{pattern}: {', '.join(f'{key} {value}' for key, value in pace.items())}"


def _state(status: FleetStatus) -> str:
    why = f" ({printable(status.why, _WHY)})" if status.why else ""
    since = f", begun {duration(status.at - status.began_at)} ago" if status.began_at else ""
    return f"{status.state}{why}{since}"


def _server(status: FleetStatus) -> str:
    if (memory := status.memory) is None:
        return status.server
    most = f" of {size(memory.most_bytes)}" if memory.most_bytes else ""
    each = f", {memory.bytes_per_url:,.0f} bytes a URL" if memory.bytes_per_url else ""
    return f"{status.server} uses {size(memory.used_bytes)}{most}{each}"


def _held(status: FleetStatus) -> str:
    partitions = status.partitions
    is_done = status.state == "done"  # what lies in an inbox then was known
    waiting = f", with something to do in {partitions.waiting:,} of these" if partitions.waiting and not is_done else ""
    lapsing = f" ({partitions.lapsing:,} by workers that are not heard of)" if partitions.lapsing else ""
    return f"{partitions.total:,}: {partitions.held:,} held{lapsing}, {partitions.free:,} free{waiting}"


def _workers(status: FleetStatus) -> Iterator[str]:
    gone = f"; {counted(status.gone, 'other')} came and went" if status.gone else ""
    if not status.workers:
        yield f"No worker is there{gone}."
        if status.state == "running" and status.totals.pending:
            yield "What is pending waits for one: crawler crawl, with the same configuration and --frontier, goes on."
        return
    rate = f"{status.pages_per_s:,.1f} pages/s, {status.in_flight:,} in flight"
    yield f"{counted(len(status.workers), 'worker')}: {rate}{gone}"
    yield from _columns(_COLUMNS, [_worker(worker, status.at) for worker in status.workers])
    for worker in status.workers:
        if abs(worker.clock_off_s) >= CLOCK_OFF_S:
            way = "ahead of" if worker.clock_off_s > 0 else "behind"
            off = duration(abs(worker.clock_off_s))
            yield f"The clock of worker {worker.id} is {off} {way} the server's: times in its records are, too."


def _worker(worker: WorkerInfo, now: float) -> tuple[str, ...]:
    return (
        f"{worker.id} {printable(worker.name, _NAME)}",
        printable(worker.state, _WHY),
        f"{worker.held:,}",
        f"{max(now - worker.at, 0):.0f} s ago",
        f"{worker.pages:,}",
        f"{worker.pages_per_s:,.1f}",
        f"{worker.pending:,}",
        size(worker.memory_bytes),
    )


def _columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for cells in (heads, *rows):
        parts = [
            f"{cell:<{width}}" if place < 2 else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        yield f"  {'  '.join(parts)}".rstrip()
