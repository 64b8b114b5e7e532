"""How often does a page change, and what is a visit to it worth?

A page is taken to change as a Poisson process does, at a rate of its own (per second). A visit tells only whether it
changed since the last one, not how often. The rate of a page that was compared `visits` times, `changes` of them with
something changed, over `watched_s` in all is estimated by Cho and Garcia-Molina, "Estimating frequency of change", ACM
Transactions on Internet Technology 3(3), 2003: ``-log((n - X + 0.5) / (n + 0.5))`` per mean interval, where the naive
``X / T`` is far too low for what changes more often than it is visited.

What a page's own few visits leave open, its host's rate decides, and its crawl's that of a host: the estimate is what
a gamma distribution of `SHAPE` about that rate becomes by what was seen (the empirical Bayes estimator of a Poisson
rate: Robbins 1956). So a page that was quiet for long is asked ever less often, but never no more.

Known weaknesses: intervals of one page that differ much are all taken for their mean, and a pool takes its pages for
equal, which makes the rate of a mixed one too low.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SHAPE = 1.0
"""How many changes it takes to count as much as what is known of the host; at 1, rates vary about as much as their
mean."""

_NO_TIME_S = 1e-3
_SMALL = 1e-2  # below it, a series is more exact than the difference of nearly equal numbers


@dataclass(frozen=True, slots=True)
class Seen:
    """What comparisons told of a page, or of many."""

    visits: int = 0  #: comparisons with the visit before
    changes: int = 0  #: of these, how many found a change
    watched_s: float = 0.0  #: what the comparisons span in all

    def plus(self, visits: int, changes: int, watched_s: float) -> Seen:
        """And more."""
        return Seen(self.visits + visits, self.changes + changes, self.watched_s + watched_s)


def estimated(visits: float, changes: float, watched_s: float) -> float:
    """Changes per second, bias-reduced; 0 where nothing was compared, or in no time."""
    if visits <= 0 or watched_s < _NO_TIME_S:
        return 0.0
    quiet = max(visits - changes, 0.0)
    return math.log((visits + 0.5) / (quiet + 0.5)) * visits / watched_s


def rate_of_all(seen: Seen) -> float:
    """The rate of a crawl; infinite where nothing was ever compared, as it may be anything.

    No change at all counts as half of one: what never changed in a day may do so in a year.
    """
    if not seen.visits or seen.watched_s < _NO_TIME_S:
        return math.inf
    return estimated(seen.visits, max(seen.changes, 0.5), seen.watched_s)


def rate(visits: int, changes: int, watched_s: float, among: float) -> float:
    """The rate of a page or of a host, given the rate `among` that those like it have; that one where nothing is known.

    Args:
        visits: Comparisons with the visit before.
        changes: Of these, how many found a change.
        watched_s: What they span in all.
        among: Over 0.
    """
    if not visits or watched_s < _NO_TIME_S or math.isinf(among):
        own = estimated(visits, changes, watched_s)
        return own if own > 0 and math.isinf(among) else among
    return (SHAPE + estimated(visits, changes, watched_s) * watched_s) / (SHAPE / among + watched_s)


def changed(rate: float, since_s: float) -> float:
    """How probable it is that a page has changed in so many seconds."""
    if since_s <= 0:
        return 0.0
    return -math.expm1(-rate * since_s)


def worth(rate: float, since_s: float) -> float:
    """What a visit is worth, in seconds of freshness won, so many seconds after the last one.

    The crawl value of Azar, Horvitz, Lubetzky, Peres and Shahaf, "Tractable near-optimal policies for crawling", PNAS
    115(32), 2018, for pages that matter equally: a page that changes all the time is worth little, as it is stale
    again at once.
    """
    if rate <= 0 or since_s <= 0 or math.isinf(rate):
        return 0.0
    changes = rate * since_s
    if changes < _SMALL:
        gained = changes * changes * (0.5 - changes / 3 + changes * changes / 8)
    else:
        gained = -math.expm1(-changes) - changes * math.exp(-changes)
    return gained / rate
