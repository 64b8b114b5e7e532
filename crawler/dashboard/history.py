"""How fast has the crawl been, and how fast did hosts answer? Remembered second by second, in bounded memory.

Two series: of the last minutes, and of the whole run, whose steps get twice as long whenever there are too many.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.stats import LATENCY_BOUNDS_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.stats import Snapshot

RECENT: Final = 300  #: seconds
LATENCY_OVER_S: Final = 60.0
MAX_STEPS: Final = 240

_APART_S: Final = 0.9

Latency = tuple[float, bool]
"""Seconds, and whether all that is known is that it took longer."""


class Rates(NamedTuple):
    """A series as the page draws it."""

    step_s: float
    pages_per_s: list[float]
    failed_per_s: list[float]


class _Sample(NamedTuple):
    at_s: float
    pages: int
    failed: int


class History:
    """Samples of one run."""

    def __init__(self) -> None:
        self._recent: deque[_Sample] = deque(maxlen=RECENT + 1)
        self._latencies: deque[tuple[float, tuple[int, ...]]] = deque()
        self._step_s = 1.0
        self._steps: list[_Sample] = []  # each the last one of its step

    def saw(self, snapshot: Snapshot, at_s: float) -> None:
        """Remember a moment, unless the last one was just now; `at_s` is monotonic."""
        if self._recent and at_s - self._recent[-1].at_s < _APART_S:
            return
        sample = _Sample(at_s, snapshot.pages, snapshot.failed)
        self._recent.append(sample)
        self._latencies.append((at_s, snapshot.latencies))
        while len(self._latencies) > 1 and self._latencies[1][0] <= at_s - LATENCY_OVER_S:
            self._latencies.popleft()
        steps = self._steps
        if len(steps) < 2 or at_s - steps[-2].at_s > self._step_s * 1.01:
            steps.append(sample)
        else:
            steps[-1] = sample
        if len(steps) > MAX_STEPS:
            del steps[1:-1:2]
            self._step_s *= 2

    def recent(self) -> Rates:
        """Of the last `RECENT` seconds."""
        return _rates(list(self._recent), 1.0)

    def whole(self) -> Rates:
        """Since the run began."""
        return _rates(self._steps, self._step_s)

    def answers(self) -> list[int]:
        """Of the last `LATENCY_OVER_S` seconds, by how long they took, as `Snapshot.latencies` has them."""
        if not self._latencies:
            return []
        first, last = self._latencies[0][1], self._latencies[-1][1]
        return [now - before for now, before in zip(last, first or (0,) * len(last), strict=True)]


def _rates(samples: Sequence[_Sample], step_s: float) -> Rates:
    pairs = [(a, b, b.at_s - a.at_s) for a, b in pairwise(samples) if b.at_s > a.at_s]
    return Rates(
        step_s,
        [round((b.pages - a.pages) / passed_s, 2) for a, b, passed_s in pairs],
        [round((b.failed - a.failed) / passed_s, 2) for a, b, passed_s in pairs],
    )


def percentile(counts: Sequence[int], share: float) -> Latency | None:
    """Within how many seconds this share of answers came; None if there are none.

    Read off a histogram: as if those within a bucket were spread evenly over it, which is what Prometheus'
    ``histogram_quantile`` does.

    Args:
        counts: As `Snapshot.latencies` has them.
        share: 0 to 1.
    """
    wanted = sum(counts) * share
    if not wanted:
        return None
    before, lower = 0, 0.0
    for count, upper in zip(counts, LATENCY_BOUNDS_S, strict=False):
        if count and before + count >= wanted:
            return lower + (upper - lower) * (wanted - before) / count, False
        before, lower = before + count, upper
    return lower, True
