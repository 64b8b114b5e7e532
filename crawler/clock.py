"""What time is it?

Every pause and deadline is computed on `monotonic`, which never jumps; `wall` is only for what a person
or a later process reads. Both are seconds. Injected everywhere, so that tests decide the time.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Something that tells the time."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, never backwards; comparable within one process only."""
        ...

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC; may jump when the system's clock is set."""
        ...


class SystemClock:
    """The machine's own clocks. `monotonic` is the clock an asyncio loop's `time()` reads."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
