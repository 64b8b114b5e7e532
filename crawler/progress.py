"""What does a person see of a crawl while it runs, where nothing can be rewritten? A plain line now and then.

For files, pipes and terminals without cursor movement: no colour, no control character. Made from `Snapshot`s alone;
`crawler.live` says the same numbers on a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TextIO

from crawler.config import BudgetConfig
from crawler.eta import Eta
from crawler.models import Outcome
from crawler.wording import counted, duration, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.clock import Clock
    from crawler.eta import Estimate
    from crawler.stats import Snapshot

INTERVAL_S = 10.0

_LONG_WAIT_S = 10.0
_IDLE_PAGES_PER_S = 0.4
_MAX_SLOW = 3
_MAX_HOST = 40  # characters
_MAX_WHY = 48


class PlainLines:
    """A line now and then that says how the crawl is going.

    Args:
        stream: Where to; not closed here.
        clock: Decides when the next line is due.
        budget: Where the crawl is to stop; None for nowhere.
        interval_s: Seconds between lines, and before the first.
    """

    def __init__(
        self, stream: TextIO, clock: Clock, *, budget: BudgetConfig | None = None, interval_s: float = INTERVAL_S
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._eta = Eta(budget or BudgetConfig())
        self.interval_s = interval_s
        self._due = clock.monotonic() + interval_s

    def show(self, snapshot: Snapshot) -> None:
        """Write a line, unless the last one is more recent than the interval."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        self._due = now + self.interval_s
        self._stream.write(fitting([*counts(snapshot, self._eta.after(snapshot)), *waits(snapshot)], None) + "\n")
        self._stream.flush()


class Part(NamedTuple):
    """Something that a line may say."""

    text: str
    #: what matters more has a lower one
    rank: int
    #: what to say instead where there is less room, if anything
    short: str = ""


def counts(snapshot: Snapshot, left: Estimate | None) -> list[Part]:
    """What of the numbers one line says."""
    parts = [
        Part(counted(snapshot.pages, "page"), 0),
        *unchanged(snapshot, 4),
        Part(f"{snapshot.pages_per_s:,.1f}/s", 3),
        Part(queued(snapshot), 2),
        Part(f"{snapshot.in_flight:,} in flight", 5),
        Part(f"{snapshot.failed:,} failed", 7),
        Part(size(snapshot.wire_bytes), 9),
        Part(duration(snapshot.elapsed_s), 8),
    ]
    if snapshot.paused:
        parts.insert(0, Part("paused", 1))
    if left is not None:
        parts.append(Part(left.words(), 4))
    return parts


def unchanged(snapshot: Snapshot, rank: int) -> list[Part]:
    """URLs that a refresh has found as they were; nothing in a first crawl."""
    count = snapshot.outcomes.get(Outcome.UNCHANGED, 0)
    return [Part(f"{count:,} unchanged", rank)] if count else []


def queued(snapshot: Snapshot) -> str:
    """What waits, in words."""
    return f"{snapshot.waiting:,} queued" + (f" ({snapshot.retrying:,} to retry)" if snapshot.retrying else "")


def waits(snapshot: Snapshot) -> Iterator[Part]:
    """The hosts that keep the crawl waiting: those that will for long, and any while little else is done."""
    idle = not snapshot.in_flight and snapshot.pages_per_s < _IDLE_PAGES_PER_S
    worth = [host for host in snapshot.slow if host.wait_s >= _LONG_WAIT_S or idle]
    for number, host in enumerate(worth[:_MAX_SLOW]):
        wait = f"{printable(host.host_key, _MAX_HOST)} {duration(host.wait_s)}"
        why = f"({printable(host.why, _MAX_WHY)})"
        if number:
            yield Part(f"and {wait} {why}", 9 + number)
        else:
            yield Part(f"waiting: {wait} {why}", 1 if idle else 6, f"waiting: {wait}")


def fitting(parts: Sequence[Part], columns: int | None) -> str:
    """The parts that find room, what matters most first, or of the first one as much; all if `columns` is None."""
    kept: dict[Part, str] = {}
    for part in sorted(parts, key=lambda part: part.rank):
        for text in filter(None, (part.text, part.short)):
            longer = "  ".join(kept.get(one, text) for one in parts if one in kept or one is part)
            if columns is None or len(longer) <= columns:
                kept[part] = text
                break
    said = "  ".join(kept[part] for part in parts if part in kept)
    return said or printable(parts[0].text, columns and max(columns, 1))
