"""What time is it in Redis?

Times that are stored are the server's wall clock, by which all workers go: a worker's own may be wrong by hours. Those
of `HostState` and `RobotsFile` are the worker's wall clock outside of here; a snoozed URL's is its monotonic one.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.models import HostState, RobotsFile


class Times:
    """From one clock to another.

    Args:
        clock: The worker's.
        ahead_s: By how many seconds the server's wall clock is ahead of the worker's.
    """

    def __init__(self, clock: Clock, ahead_s: float) -> None:
        self._clock = clock
        self._offset = 0.0  # of the server's wall clock to the worker's monotonic one, which is never set
        self.tell(ahead_s)

    def tell(self, ahead_s: float) -> None:
        """So far the server's wall clock is ahead of the worker's, as was measured a moment ago."""
        self._offset = ahead_s + self._clock.wall() - self._clock.monotonic()

    def due_ms(self, until: float) -> int:
        """How a monotonic time is stored: less than a millisecond after it."""
        return ceil(round((until + self._offset) * 1000, 2))

    def now_ms(self) -> float:
        """The time on the same scale."""
        return round((self._clock.monotonic() + self._offset) * 1000, 2)

    def monotonic(self, due_ms: int) -> float:
        """When that is by the worker's own clock."""
        return due_ms / 1000 - self._offset

    def stored_host(self, state: HostState) -> HostState:
        """A host's state as it is stored."""
        ahead = self._ahead_s()
        return replace(state, ready_at=state.ready_at + ahead) if ahead and state.ready_at else state

    def own_host(self, state: HostState) -> HostState:
        """A stored state as it is outside."""
        ahead = self._ahead_s()
        return replace(state, ready_at=state.ready_at - ahead) if ahead and state.ready_at else state

    def stored_robots(self, file: RobotsFile) -> RobotsFile:
        """A verdict as it is stored."""
        ahead = self._ahead_s()
        return replace(file, expires_at=file.expires_at + ahead) if ahead and file.expires_at else file

    def own_robots(self, file: RobotsFile) -> RobotsFile:
        """A stored verdict as it is outside."""
        ahead = self._ahead_s()
        return replace(file, expires_at=file.expires_at - ahead) if ahead and file.expires_at else file

    def _ahead_s(self) -> float:
        """By how much the server's wall clock is ahead of the worker's, without the noise of measuring it."""
        return round(self._clock.monotonic() + self._offset - self._clock.wall(), 2)
