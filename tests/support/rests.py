"""Was a host left alone when it had asked for it (Retry-After), and when it kept failing (the breaker)?"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.hits import Hit, Log
    from tests.support.manners import Promised

_NOTICED_WITHIN_S = 0.5
"""Whether or not it is seen to act, a client has by then noticed what it was answered."""

_FAILURES = frozenset((408, 429, 502, 503, 504, *range(520, 525)))
"""Statuses that a host answers for; 500 is as often the one page's fault, and neither counts nor ends a row."""


class Noticed:
    """When had the client noticed what it was answered, as far as its server can tell?

    A request may be on its way already when an answer reaches its client, where more than one may be in flight: until
    the client's loop comes round to reading that, which a busy machine may delay. But the loop reads what has come in
    the order in which it came. So it has noticed an answer by the time at which it is seen to have read any that was
    given later, to whichever host (`Hit.noticed`). That goes for one client at a time: what one of several workers has
    read says nothing of another.

    Args:
        log: All requests of one client, or of several one after the other.
    """

    def __init__(self, log: Log) -> None:
        seen = [(hit.ended, hit.noticed) for hit in log.hits if hit.ended is not None and hit.noticed is not None]
        seen.sort()
        self._ends = [ended for ended, _ in seen]
        #: of each of these ends and all later ones, the first that was known to have been read
        self._read = list(accumulate((at for _, at in reversed(seen)), min))[::-1]

    def by(self, at: float) -> float:
        """When what was answered at a time had been noticed."""
        place = bisect_left(self._ends, at)
        seen = self._read[place] if place < len(self._read) else math.inf
        return min(seen, at + _NOTICED_WITHIN_S)


def rest_broken(hits: Sequence[Hit], promised: Promised, noticed: Noticed) -> Iterator[tuple[Hit, str]]:
    """Nothing is asked of a host during the rest that a 429 or 503 of it asked for."""
    for answered in hits:
        until = asked_to_wait_until(answered)
        if until is not None and answered.ended is not None:
            why = f"the {answered.status} to {answered.path} asked for {until - answered.ended:.3f} s of rest"
            yield from _after(answered, until, why, hits, promised, noticed)


def breaker_ignored(hits: Sequence[Hit], promised: Promised, noticed: Noticed) -> Iterator[tuple[Hit, str]]:
    """After so many failures in a row a host rests, and is left alone for good if the first request then fails too."""
    if promised.failures is None:
        return
    row: list[Hit] = []
    rested = None  # when the rest was over
    for hit in sorted(hits, key=_over):
        if rested is not None and hit.at < rested:
            continue  # it was on its way
        if not _failed(hit, promised):
            if rested is not None or (hit.status and hit.status != 500):
                row, rested = [], None
            continue
        if rested is not None:
            why = f"{hit.path} had failed after the rest of the breaker"
            yield from _after(hit, math.inf, why, hits, promised, noticed)
            return
        row = [failed for failed in row if not promised.forgotten(failed.at, _over(failed), hit.at)] + [hit]
        if len(row) >= promised.failures:
            rested = _over(hit) + promised.rest_s
            yield from _after(hit, rested, f"{len(row)} requests in a row had failed", hits, promised, noticed)


def asked_to_wait_until(hit: Hit) -> float | None:
    """Until when, on the monotonic clock, a 429 or 503 wants its host to be left alone; None if it does not."""
    value = hit.header("retry-after") if hit.status in {429, 503} else None
    if value is None or hit.ended is None:
        return None
    if value.isdecimal():
        return hit.ended + int(value)
    date = parsedate_to_datetime(value)
    wall = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    return wall - (time.time() - time.monotonic())


def _over(hit: Hit) -> float:
    """When a request had come to its end, if it has."""
    return hit.ended or hit.gone or math.inf


def _failed(hit: Hit, promised: Promised) -> bool:
    """Whether a request failed by its host's fault, not because its client died waiting."""
    if hit.status:
        return hit.status in _FAILURES
    return _over(hit) < math.inf and not any(hit.at <= death <= _over(hit) for death in promised.deaths)


def _after(
    answered: Hit, until: float, why: str, hits: Sequence[Hit], promised: Promised, noticed: Noticed
) -> Iterator[tuple[Hit, str]]:
    """Requests from the end of one to a moment, for a reason that a client which died right then may not know."""
    since = _over(answered)
    others = promised.pace(answered.host).concurrency > 1
    known_at = noticed.by(since) if others else since
    for hit in hits:
        if known_at < hit.at < until and not promised.forgotten(answered.at, since, hit.at):
            yield hit, f"{hit.path} after {hit.at - since:.3f} s, though {why}"
