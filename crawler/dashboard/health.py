"""Does the crawl get on, or is it stuck?

To wait is not to be stuck: while it is paused, or all hosts must be left alone for now, nothing has to happen. It is
stuck if results wait for a checkpoint and none is made; if requests are in flight, or pages with a parser, and none
comes to an end in more time than any may take; or if hosts may be asked and nothing is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.views import HostCondition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.config import CrawlConfig
    from crawler.stats import Snapshot

SLACK_S: Final = 60.0
"""Beyond what anything may take: a loaded machine, a slow disk, names that are slow to resolve."""


STUCK: Final = "stuck"


_LOST_S: Final = 30.0
"""If nobody has looked for so long, the process itself did not run (Ctrl-Z, a frozen container), and nothing in it."""


WAITING_S: Final = 5.0
"""Pauses shorter than that are the pace of a polite crawl."""


class Verdict(NamedTuple):
    """What ``/healthz`` says."""

    #: running, paused, waiting (for hosts that may not be asked yet) or stuck
    state: str
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether nobody has to see to it."""
        return self.state != STUCK


class Health:
    """Judges one crawl by its snapshots.

    Args:
        config: How long things may take.
        now: Monotonic, as are all times here.
    """

    def __init__(self, config: CrawlConfig, now: float) -> None:
        self._work_s = max(config.fetch.timeout_s, config.fetch.connect_timeout_s, config.parse.deadline_s) + SLACK_S
        self._checkpoint_s = config.checkpoint.every_s + SLACK_S
        self._mark: tuple[object, ...] = ()
        self._moved_at = self._stored_at = self._worked_at = self._looked_at = now
        self._verdict = Verdict("running")

    def stored(self, now: float) -> None:
        """A checkpoint was made."""
        self._stored_at = now

    def saw(self, snapshot: Snapshot, conditions: Mapping[HostCondition, int], now: float) -> Verdict:
        """Judge a moment; to be called every few seconds.

        Args:
            snapshot: The counts.
            conditions: Hosts by what they do.
            now: When that is.
        """
        if (lost_s := now - self._looked_at) > _LOST_S:
            self._moved_at, self._stored_at = self._moved_at + lost_s, self._stored_at + lost_s
        self._looked_at = now
        mark = _mark(snapshot)
        if mark != self._mark or snapshot.in_flight or snapshot.parsing:
            self._worked_at = now
        may_move = (
            snapshot.in_flight or snapshot.parsing or (conditions.get(HostCondition.READY) and not snapshot.paused)
        )
        if mark != self._mark or not may_move:
            self._mark, self._moved_at = mark, now
        if not snapshot.uncommitted and snapshot.queued <= snapshot.waiting + snapshot.in_flight:
            self._stored_at = now  # nothing was to be stored, nor is being stored
        self._verdict = self._judged(snapshot, conditions, now)
        return self._verdict

    @property
    def verdict(self) -> Verdict:
        """The last one."""
        return self._verdict

    def _judged(self, snapshot: Snapshot, conditions: Mapping[HostCondition, int], now: float) -> Verdict:
        still_s = now - self._moved_at
        if (unstored_s := now - self._stored_at) > self._checkpoint_s:
            return Verdict(
                STUCK,
                f"{snapshot.uncommitted:,} results wait, and nothing was stored for {unstored_s:.0f} s: see the disk",
            )
        if still_s > self._work_s and (snapshot.in_flight or snapshot.parsing):
            return Verdict(
                STUCK,
                f"{snapshot.in_flight:,} requests in flight and {snapshot.parsing:,} pages with parsers, and none came "
                f"to an end for {still_s:.0f} s",
            )
        if snapshot.paused:
            return Verdict("paused")
        if snapshot.in_flight or snapshot.parsing:
            return Verdict("running")
        if still_s > self._work_s and conditions.get(HostCondition.READY):
            return Verdict(STUCK, f"hosts may be asked, and nothing was for {still_s:.0f} s")
        return Verdict("waiting" if snapshot.waiting and now - self._worked_at >= WAITING_S else "running")


def _mark(snapshot: Snapshot) -> tuple[object, ...]:
    """What changes whenever anything happens."""
    return (
        snapshot.attempts,
        snapshot.snoozes,
        snapshot.pages,
        snapshot.failed,
        snapshot.admitted,
        snapshot.queued,
        snapshot.waiting,
        snapshot.parsing,
        snapshot.in_flight,
        sum(snapshot.reasons.values()),
    )
