"""How much longer will a crawl take, as far as one can say?

It ends when nothing is left or a budget is spent, whichever comes first. How fast it gets there is judged by its last
minute, or by as much more as it takes to see some URLs end: hosts that must wait, retries and robots.txt are in that.
A queue that is not getting shorter says only how long the crawl takes at least.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import BudgetConfig
    from crawler.stats import Snapshot

#: what is recent goes back over at least this much, if there is so much
_RECENT_S = 60.0
_RECENT_ENDS = 20
#: with less, nothing is said
_LEAST_S = 10.0
_LEAST_ENDS = 5
_APART_S = 1.0
_MAX_SAMPLES = 600


class Estimate(NamedTuple):
    """How long something takes."""

    seconds: float
    #: whether all that is known is that it takes no less
    at_least: bool = False


class _Sample(NamedTuple):
    """What of a snapshot is remembered."""

    at_s: float
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
            ended=snapshot.admitted - snapshot.queued,
            left=snapshot.waiting + snapshot.in_flight,
            pages=snapshot.pages,
            wire_bytes=snapshot.wire_bytes,
        )
        since = self._since(now)
        bounds = [max(seconds, 0.0) for seconds in self._to_budgets(since, now)]
        queue = self._to_end(since, now)
        if queue is None or (bounds and queue.at_least):
            return Estimate(min(bounds)) if bounds else None
        return Estimate(min([queue.seconds, *bounds]), queue.at_least)

    def _since(self, now: _Sample) -> _Sample:
        """What is recent is measured from this sample."""
        samples = self._samples
        while len(samples) > 1 and now.is_enough_since(samples[1], _RECENT_S, _RECENT_ENDS):
            samples.popleft()
        if not samples or now.at_s - samples[-1].at_s >= _APART_S:
            samples.append(now)
        return samples[0]

    def _to_budgets(self, since: _Sample, now: _Sample) -> Iterator[float]:
        """Seconds until each budget is spent, as far as they can be told; below 0 if it is."""
        budget = self._budget
        if budget.time_s is not None:
            yield budget.time_s - now.at_s
        if not now.is_enough_since(since, _LEAST_S, _LEAST_ENDS):
            return
        passed_s = now.at_s - since.at_s
        if budget.pages is not None and now.pages > since.pages:
            yield (budget.pages - now.pages) * passed_s / (now.pages - since.pages)
        if budget.bytes is not None and now.wire_bytes > since.wire_bytes:
            yield (budget.bytes - now.wire_bytes) * passed_s / (now.wire_bytes - since.wire_bytes)

    def _to_end(self, since: _Sample, now: _Sample) -> Estimate | None:
        """Time until nothing is left. What hosts at their own budget leave is not known, so neither is this then."""
        if not now.left or self._budget.pages_per_host or not now.is_enough_since(since, _LEAST_S, _LEAST_ENDS):
            return None
        seconds = now.left * (now.at_s - since.at_s) / (now.ended - since.ended)
        return Estimate(seconds, at_least=now.left >= since.left)
