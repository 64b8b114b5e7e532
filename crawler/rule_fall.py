"""When has a share that was steady fallen, and not just had a bad day? A test with a stated rate of false alarms.

What is watched is a number from 0 to 1 for each page: in what share of a page's items a field was filled. Pages, not
items, are what is counted, as the items of one page are filled or lack a value together.

CUSUM (Page, Biometrika 41, 1954), of log-likelihood ratios of two coins: one that is filled as often as before, one
half as often. "As before" is a lower confidence bound (Hoeffding) of the mean of all pages before the fall began, at
most 0.9, so that a few bad pages among perfect ones do not count for much. As exp is convex, the ratio's mean is at
most 1 for any numbers from 0 to 1 whose mean is not below that bound; so while nothing changes, the sum comes to
`THRESHOLD` less than once in exp(THRESHOLD) pages (Lorden, Ann. Math. Stat. 42, 1971): once in a million. Pages that
differ by the order in which they are crawled, kind by kind, are a change to this test, as to any.
"""

from __future__ import annotations

from math import log, sqrt
from typing import NamedTuple

THRESHOLD = log(1e6)
LEARNT_PAGES = 50
"""Before so many pages there is no history to fall below."""
FALLEN_PAGES = 20
"""Of no fewer pages is it said that they have fallen."""

_DOUBT = log(1e3) / 2  # the bound is above the mean once in a thousand times
_HIGHEST, _LOWEST = 0.9, 0.2  # below that, half as often is hard to tell from as often


class Fallen(NamedTuple):
    """What was seen."""

    before: float  #: mean of the pages before
    pages_before: int
    now: float  #: mean of the pages since
    pages_now: int


class Fall:
    """Watches one share, and tells once."""

    __slots__ = ("_pages", "_run", "_run_total", "_sum", "_told", "_total")

    def __init__(self) -> None:
        self._pages = 0  # before the fall that may have begun
        self._total = 0.0  # of their numbers
        self._sum = 0.0  # the CUSUM
        self._run = 0  # pages since it was 0
        self._run_total = 0.0
        self._told = False

    def saw(self, share: float) -> Fallen | None:
        """Take in one page's number, from 0 to 1; what to tell, if that is due now."""
        if self._told:
            return None
        if not self._sum and (share >= 1.0 or self._pages < LEARNT_PAGES):
            self._pages += 1
            self._total += share
            return None
        bound = min(self._total / self._pages - sqrt(_DOUBT / self._pages), _HIGHEST)
        self._run += 1
        self._run_total += share
        if bound >= _LOWEST:
            self._sum += (1 - share) * log((1 - bound / 2) / (1 - bound)) - share * log(2)
        if self._sum <= 0:
            self._pages += self._run
            self._total += self._run_total
            self._sum, self._run, self._run_total = 0.0, 0, 0.0
            return None
        if self._sum < THRESHOLD or self._run < FALLEN_PAGES:
            return None
        self._told = True
        return Fallen(self._total / self._pages, self._pages, self._run_total / self._run, self._run)

    def state(self) -> tuple[int, float, float, int, float, bool]:
        """All it knows, for `restored`."""
        return self._pages, self._total, self._sum, self._run, self._run_total, self._told

    @classmethod
    def restored(cls, state: tuple[int, float, float, int, float, bool]) -> Fall:
        """What gave this state."""
        fall = cls()
        fall._pages, fall._total, fall._sum, fall._run, fall._run_total, fall._told = state
        return fall
