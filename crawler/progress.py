"""What does a person see of a crawl while it runs? One line that says that it moves, made from `Snapshot`s alone.

It always fits the terminal: what matters least at the moment is left out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TextIO

from crawler.config import BudgetConfig
from crawler.eta import Eta
from crawler.wording import counted, duration, printable, roughly, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.clock import Clock
    from crawler.eta import Estimate
    from crawler.stats import Snapshot

LIVE_INTERVAL_S = 0.2
PLAIN_INTERVAL_S = 10.0
DEFAULT_COLUMNS = 80

#: ECMA-48 "erase in page" to the end: what a longer line left, and what a terminal wraps when it gets narrower
_ERASE_BELOW = "\x1b[J"
_LONG_WAIT_S = 10.0
_IDLE_PAGES_PER_S = 0.4
_MAX_SLOW = 3
_MAX_HOST = 40  # characters
_MAX_WHY = 48


class ProgressLine:
    """One line that says how the crawl is going: rewritten in place on a terminal, else a new one now and then.

    Args:
        stream: Where to; not closed here.
        clock: Decides when the next line is due.
        budget: Where the crawl is to stop; None for nowhere.
        interval_s: Seconds between lines; None for what suits the stream.
    """

    def __init__(
        self, stream: TextIO, clock: Clock, *, budget: BudgetConfig | None = None, interval_s: float | None = None
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._eta = Eta(budget or BudgetConfig())
        self._live = stream.isatty()
        self.interval_s = interval_s or (LIVE_INTERVAL_S if self._live else PLAIN_INTERVAL_S)
        self._due = clock.monotonic() + (0.0 if self._live else self.interval_s)
        self._shown = False  # whether a line stands on the terminal

    def show(self, snapshot: Snapshot) -> None:
        """Show the numbers, unless the last ones are more recent than the interval."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        self._due = now + self.interval_s
        parts = [*_counts(snapshot, self._eta.after(snapshot)), *_waits(snapshot)]
        if self._live:
            self._stream.write(f"\r{_fitting(parts, _columns(self._stream) - 1)}{_ERASE_BELOW}")
            self._shown = True
        else:
            self._stream.write(_fitting(parts, None) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Wipe the live line, so that the next text begins on an empty one. Idempotent."""
        if self._shown:
            self._stream.write(f"\r{_ERASE_BELOW}")
            self._stream.flush()
            self._shown = False


class _Part(NamedTuple):
    text: str
    #: what matters more has a lower one
    rank: int
    #: what to say instead where there is less room, if anything
    short: str = ""


def _counts(snapshot: Snapshot, left: Estimate | None) -> list[_Part]:
    """What of the numbers the line says."""
    queued = f"{snapshot.waiting:,} queued" + (f" ({snapshot.retrying:,} to retry)" if snapshot.retrying else "")
    parts = [
        _Part(counted(snapshot.pages, "page"), 0),
        _Part(f"{snapshot.pages_per_s:,.1f}/s", 3),
        _Part(queued, 2),
        _Part(f"{snapshot.in_flight:,} in flight", 5),
        _Part(f"{snapshot.failed:,} failed", 7),
        _Part(size(snapshot.wire_bytes), 9),
        _Part(duration(snapshot.elapsed_s), 8),
    ]
    if left is not None:
        parts.append(_Part(f"{'over ' if left.at_least else '~'}{roughly(left.seconds)} left", 4))
    return parts


def _waits(snapshot: Snapshot) -> Iterator[_Part]:
    """The hosts that keep the crawl waiting: those that will for long, and any while little else is done."""
    idle = not snapshot.in_flight and snapshot.pages_per_s < _IDLE_PAGES_PER_S
    worth = [host for host in snapshot.slow if host.wait_s >= _LONG_WAIT_S or idle]
    for number, host in enumerate(worth[:_MAX_SLOW]):
        wait = f"{printable(host.host_key, _MAX_HOST)} {duration(host.wait_s)}"
        why = f"({printable(host.why, _MAX_WHY)})"
        if number:
            yield _Part(f"and {wait} {why}", 9 + number)
        else:
            yield _Part(f"waiting: {wait} {why}", 1 if idle else 6, f"waiting: {wait}")


def _fitting(parts: Sequence[_Part], columns: int | None) -> str:
    """The parts that find room, what matters most first; all of them if `columns` is None."""
    kept: dict[_Part, str] = {}
    for part in sorted(parts, key=lambda part: part.rank):
        for text in filter(None, (part.text, part.short)):
            longer = "  ".join(kept.get(one, text) for one in parts if one in kept or one is part)
            if columns is None or len(longer) <= columns:
                kept[part] = text
                break
    return "  ".join(kept[part] for part in parts if part in kept) or parts[0].text[: max(columns or 0, 0)]


def _columns(stream: TextIO) -> int:
    """Width of the terminal, which may change while we run."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_COLUMNS
    except OSError:
        return DEFAULT_COLUMNS
