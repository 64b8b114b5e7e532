"""Was a host left alone when it had asked for it (Retry-After), and when it kept failing (the breaker)?"""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.hits import Hit
    from tests.support.manners import Promised

_ON_ITS_WAY_S = 0.05
"""A request may be on its way already when an answer reaches its client, where more than one may be in flight."""

_FAILURES = frozenset((408, 429, 502, 503, 504, *range(520, 525)))
"""Statuses that a host answers for; 500 is as often the one page's fault, and neither counts nor ends a row."""


def rest_broken(hits: Sequence[Hit], promised: Promised) -> Iterator[tuple[Hit, str]]:
    """Nothing is asked of a host during the rest that a 429 or 503 of it asked for."""
    for answered in hits:
        until = asked_to_wait_until(answered)
        if until is not None and answered.ended is not None:
            why = f"the {answered.status} to {answered.path} asked for {until - answered.ended:.3f} s of rest"
            yield from _during(hits, answered.ended, until, why, promised)


def breaker_ignored(hits: Sequence[Hit], promised: Promised) -> Iterator[tuple[Hit, str]]:
    """After so many failures in a row a host rests, and is left alone for good if the first request then fails too."""
    if promised.failures is None:
        return
    row: list[float] = []
    rested = None  # when the rest was over
    for hit in sorted(hits, key=lambda hit: hit.ended or hit.gone or hit.at):
        failed_at = _failed_at(hit, promised)
        if rested is not None and hit.at < rested:
            continue  # it was on its way
        if failed_at is None:
            if rested is not None or (hit.status and hit.status != 500):
                row, rested = [], None
            continue
        if rested is not None:
            why = f"{hit.path} had failed after the rest of the breaker"
            yield from _during(hits, failed_at, float("inf"), why, promised)
            return
        row = [at for at in row if not promised.forgotten(at, hit.at)] + [failed_at]
        if len(row) >= promised.failures:
            rested = failed_at + promised.rest_s
            yield from _during(hits, failed_at, rested, f"{len(row)} requests in a row had failed", promised)


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


def _failed_at(hit: Hit, promised: Promised) -> float | None:
    """When a request failed by its host's fault; None if it did not, or if its client died waiting."""
    over = hit.ended or hit.gone
    if over is None or (hit.status and hit.status not in _FAILURES):
        return None
    died = any(hit.at <= death <= over for death in promised.deaths)
    return None if died and not hit.status else over


def _during(hits: Sequence[Hit], since: float, until: float, why: str, promised: Promised) -> Iterator[tuple[Hit, str]]:
    """Requests from one moment to another, for a reason that a client which died right after the first may not know."""
    death = min((at for at in promised.deaths if at >= since), default=None)
    if death is not None and death - since < promised.remembered_after_s:
        until = min(until, death)
    for hit in hits:
        others = promised.pace(hit.host).concurrency > 1
        if since + (_ON_ITS_WAY_S if others else 0.0) < hit.at < until:
            yield hit, f"{hit.path} after {hit.at - since:.3f} s, though {why}"
