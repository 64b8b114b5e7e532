"""A clock that stands still until it is told otherwise."""

from __future__ import annotations


class FakeClock:
    """Both clocks in the test's hand: `advance` moves them together, setting `wall_s` alone makes a jump."""

    def __init__(self, now: float = 1_000.0, wall: float = 1_700_000_000.0):
        self.now = now
        self.wall_s = wall

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.wall_s

    def advance(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds
        self.wall_s += seconds
