"""What does a person see of a crawl while it runs? One line that says that it moves, made from `Snapshot`s alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

from crawler.wording import counted, duration, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.clock import Clock
    from crawler.stats import Snapshot

LIVE_INTERVAL_S = 0.2
PLAIN_INTERVAL_S = 10.0
DEFAULT_COLUMNS = 80

#: ECMA-48 "erase in page" to the end: what a longer line left, and what a terminal wraps when it gets narrower
_ERASE_BELOW = "\x1b[J"


class ProgressLine:
    """One line that says how the crawl is going: rewritten in place on a terminal, else a new one now and then.

    Args:
        stream: Where to; not closed here.
        clock: Decides when the next line is due.
        interval_s: Seconds between lines; None for what suits the stream.
    """

    def __init__(self, stream: TextIO, clock: Clock, *, interval_s: float | None = None) -> None:
        self._stream = stream
        self._clock = clock
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
        parts = _progress_parts(snapshot)
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


def _progress_parts(snapshot: Snapshot) -> list[str]:
    """What the line says, the most important first."""
    return [
        counted(snapshot.pages, "page"),
        f"{snapshot.pages_per_s:,.1f}/s",
        f"{snapshot.waiting:,} queued" + (f" ({snapshot.retrying:,} to retry)" if snapshot.retrying else ""),
        f"{snapshot.in_flight:,} in flight",
        f"{snapshot.failed:,} failed",
        size(snapshot.wire_bytes),
        duration(snapshot.elapsed_s),
    ]


def _fitting(parts: Sequence[str], columns: int | None) -> str:
    """As many of `parts` as fit, all of them if `columns` is None."""
    line = parts[0]
    for part in parts[1:]:
        longer = f"{line}  {part}"
        if columns is not None and len(longer) > columns:
            break
        line = longer
    return line if columns is None else line[: max(columns, 0)]


def _columns(stream: TextIO) -> int:
    """Width of the terminal, which may change while we run."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_COLUMNS
    except OSError:
        return DEFAULT_COLUMNS
