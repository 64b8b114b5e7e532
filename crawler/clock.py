"""What time is it?

Every pause and deadline is computed on `monotonic`, which never jumps; `wall` is only for what a person
or a later process reads. Both are seconds. Injected everywhere, so that tests decide the time.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (without a zone, adding to it and printing it are twice as fast)


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


def rfc3339(wall: float) -> str:
    """Wall-clock seconds as RFC 3339 in UTC, cut to milliseconds: ``2026-11-23T04:23:04.125Z``."""
    return (_EPOCH + timedelta(seconds=wall)).isoformat(timespec="milliseconds") + "Z"
