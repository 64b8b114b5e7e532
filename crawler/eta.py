"""How much longer will a crawl take, as far as one can say?

It ends when nothing is left or a budget is spent, whichever comes first. How fast it gets there is judged by its last
minute and by its last seconds, by as much more of either as it takes to see some URLs end, and the slower counts: hosts
that must wait, retries and robots.txt are in that, and the fast hosts that are done first are soon out of it.

What is known is not all there is: pages and sitemaps lead to more. As much as was found lately for each URL that ended
is taken to be found for each that is left, and for what they lead to in turn (a geometric series). Where that comes
near to a queue that never ends, what is known says only how long the crawl takes at least.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from crawler.wording import roughly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.config import BudgetConfig
    from crawler.stats import Snapshot

#: how long and how many ended URLs the crawl is judged by: with less than the second, nothing is said
_MINUTE = (60.0, 20)
_MOMENT = (10.0, 5)
_APART_S = 1.0
_MAX_SAMPLES = 600
_MOST_FOUND = 0.5
"""URLs found for each that ends, beyond which nothing is made of their series: the least change of it would change the
sum more than anything else."""


class End(StrEnum):
    """What ends a crawl: nothing is left of what is known, or a budget is spent."""

    KNOWN = "known"
    PAGES = "budget.pages"
    BYTES = "budget.bytes"
    TIME = "budget.time"


class Estimate(NamedTuple):
    """How long something takes."""

    seconds: float
    #: whether all that is known is that it takes no less
    at_least: bool = False
    #: what ends it
    by: End = End.KNOWN

    def words(self) -> str:
        """``~12 min left``, ``over 12 min left``."""
        return f"{'over ' if self.at_least else '~'}{roughly(self.seconds)} left"


class _Sample(NamedTuple):
    """What of a snapshot is remembered."""

    at_s: float
    admitted: int
    ended: int
    left: int
    pages: int
    wire_bytes: int

    def is_enough_since(self, earlier: _Sample, seconds: float, ends: int) -> bool:
        """Whether so much has happened since `earlier`."""
        return self.at_s - earlier.at_s >= seconds and self.ended - earlier.ended >= ends


class Eta:
    """Estimates for one run of one crawl, from its snapshots.

    Args:
        budget: Where it is to stop.
    """

    def __init__(self, budget: BudgetConfig) -> None:
        self._budget = budget
        self._samples: deque[_Sample] = deque(maxlen=_MAX_SAMPLES)

    def after(self, snapshot: Snapshot) -> Estimate | None:
        """What can be said at this snapshot, given those before it; None if nothing can."""
        now = _Sample(
            at_s=snapshot.elapsed_s,
            admitted=snapshot.admitted,
            ended=snapshot.admitted - snapshot.queued,
            left=snapshot.waiting + snapshot.in_flight,
            pages=snapshot.visited,
            wire_bytes=snapshot.wire_bytes,
        )
        if snapshot.paused:
            self._samples.clear()  # how fast it goes is not to be seen meanwhile, nor from before and after together
        elif not self._samples or now.at_s - self._samples[-1].at_s >= _APART_S:
            self._samples.append(now)
        windows = self._windows(now)
        bounds = [Estimate(max(left, 0.0), by=by) for by, left in self._to_budgets(windows, now) if left is not None]
        queue = self._to_end(windows, now)
        if queue is None or (bounds and queue.at_least):
            return min(bounds, default=None)
        return min([queue, *bounds])

    def _windows(self, now: _Sample) -> list[_Sample]:
        """The samples since which the crawl is judged, the earlier first; empty if there is not enough to go by."""
        moment = self._since(now, *_MOMENT)
        return [] if moment is None else [self._since(now, *_MINUTE) or self._samples[0], moment]

    def _since(self, now: _Sample, seconds: float, ends: int) -> _Sample | None:
        """The last sample since which so much has happened."""
        return next((sample for sample in reversed(self._samples) if now.is_enough_since(sample, seconds, ends)), None)

    def _to_budgets(self, windows: Sequence[_Sample], now: _Sample) -> Iterator[tuple[End, float | None]]:
        """Seconds until each budget is spent; below 0 if it is, None if nobody can say."""
        budget = self._budget
        if budget.time_s is not None:
            yield End.TIME, budget.time_s - now.at_s
        if budget.pages is not None:
            rates = [(now.at_s - w.at_s, now.pages - w.pages) for w in windows]
            yield End.PAGES, _takes(budget.pages - now.pages, rates)
        if budget.bytes is not None:
            rates = [(now.at_s - w.at_s, now.wire_bytes - w.wire_bytes) for w in windows]
            yield End.BYTES, _takes(budget.bytes - now.wire_bytes, rates)

    def _to_end(self, windows: Sequence[_Sample], now: _Sample) -> Estimate | None:
        """Time until nothing is left. What hosts at their own budget leave is not known, so neither is this then."""
        rates = [(now.at_s - w.at_s, now.ended - w.ended) for w in windows]
        seconds = _takes(now.left, rates)
        if not now.left or seconds is None or self._budget.pages_per_host:
            return None
        found = max((now.admitted - w.admitted) / (now.ended - w.ended) for w in windows)
        if found > _MOST_FOUND:
            return Estimate(seconds, at_least=True)
        return Estimate(seconds / (1 - max(found, 0.0)))


def _takes(left: int, rates: Sequence[tuple[float, int]]) -> float | None:
    """The seconds that `left` takes at the slowest of some rates, each a time and what came of it; None if unknown."""
    if not rates or not all(count for _, count in rates):
        return None
    return max(left * seconds / count for seconds, count in rates)
