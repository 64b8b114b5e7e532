"""How are many durations told in few numbers? A histogram whose buckets grow, of which quantiles can be read.

The buckets are those that a running crawl shows (`crawler.stats.LATENCY_BOUNDS_S`), each cut into eight of the same
ratio: so a quantile is off by 12 % at most where answers take 5 ms and more, and by 0.6 ms below.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from crawler.report.facts import Latency
from crawler.stats import LATENCY_BOUNDS_S

_CUTS = 8


def _fine() -> tuple[float, ...]:
    first = [LATENCY_BOUNDS_S[0] * part / _CUTS for part in range(1, _CUTS)]
    bounds = [*first, LATENCY_BOUNDS_S[0]]
    for low, high in pairwise(LATENCY_BOUNDS_S):
        bounds += [low * (high / low) ** (part / _CUTS) for part in range(1, _CUTS)]
        bounds.append(high)
    return tuple(bounds)


BOUNDS_S = _fine()


class Histogram:
    """Durations in seconds."""

    __slots__ = ("_counts", "_sum_s", "count", "max_s")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._sum_s = 0.0
        self.count = 0
        self.max_s = 0.0

    def add(self, seconds: float) -> None:
        """Take one in."""
        bucket = bisect_left(BOUNDS_S, seconds)
        self._counts[bucket] = self._counts.get(bucket, 0) + 1
        self._sum_s += seconds
        self.count += 1
        self.max_s = max(self.max_s, seconds)

    def join(self, other: Histogram) -> None:
        """Take in all of another."""
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count
        self._sum_s += other._sum_s
        self.count += other.count
        self.max_s = max(self.max_s, other.max_s)

    def told(self) -> Latency:
        """As a report has it."""
        if not self.count:
            return Latency()
        coarse = [0] * (len(LATENCY_BOUNDS_S) + 1)
        for bucket, count in self._counts.items():
            coarse[bucket // _CUTS if bucket < len(BOUNDS_S) else -1] += count
        return Latency(
            count=self.count,
            mean_s=self._sum_s / self.count,
            p50_s=self._quantile(0.5),
            p90_s=self._quantile(0.9),
            p99_s=self._quantile(0.99),
            max_s=self.max_s,
            bounds_s=LATENCY_BOUNDS_S,
            buckets=tuple(coarse),
        )

    def _quantile(self, share: float) -> float:
        """The duration that this share of them does not exceed, taken to lie evenly within a bucket."""
        wanted, below = share * self.count, 0
        for bucket, count in sorted(self._counts.items()):
            if below + count >= wanted:
                if bucket >= len(BOUNDS_S):
                    break
                low = BOUNDS_S[bucket - 1] if bucket else 0.0
                return min(self.max_s, low + (BOUNDS_S[bucket] - low) * (wanted - below) / count)
            below += count
        return self.max_s
