"""How often may one look at something, given what a look costs?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.clock import Clock

T = TypeVar("T")


class Sparing(Generic[T]):
    """A look that is made again only once it is cheap to do so.

    Args:
        look: Makes it.
        interval_s: Seconds between two looks at the least.
        times: Of what a look takes the processor, the least until the next.
    """

    def __init__(self, look: Callable[[], T], clock: Clock, interval_s: float, times: int) -> None:
        self._look = look
        self._clock = clock
        self._interval_s = interval_s
        self._times = times
        self._due = clock.monotonic()
        self._seen: T | None = None
        self.at = self._due
        #: processor time of all looks, in seconds
        self.spent_s = 0.0

    def __call__(self) -> T:
        """What was seen last, which may be now."""
        now = self._clock.monotonic()
        if self._seen is None or now >= self._due:
            began = time.thread_time()
            self._seen = self._look()
            took_s = time.thread_time() - began
            self.spent_s += took_s
            self.at = now
            self._due = now + max(self._interval_s, self._times * took_s)
        return self._seen
