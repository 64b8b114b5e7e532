"""What does outcomes.jsonl say of a crawl as a whole? Each URL that ended without a page record, counted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from crawler.models import OUTCOMES, Outcome
from crawler.reasons import is_gone
from crawler.report.bounded import Counts, Sample
from crawler.report.dead import DeadLinks
from crawler.report.facts import Reason
from crawler.report.timeline import FAILED, OTHER
from crawler.wording import meaning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.dataset.totals import Kept
    from crawler.report.collect_hosts import HostCounts
    from crawler.report.depths import Depths
    from crawler.report.source import Sources
    from crawler.report.timeline import Steps

MAX_REASONS, MAX_EXAMPLES = 2_000, 5
_MAX_ORIGINS = 20_000

_FIELDS = {
    Outcome.REDIRECTED: "redirected",
    Outcome.EXCLUDED: "excluded",
    Outcome.FAILED: "failed",
    Outcome.FETCHED: "others",
    Outcome.UNCHANGED: "others",
}
_ROBOTS = ("robots", "robots_unreachable")


class _End(msgspec.Struct, gc=False):
    """What is read of a line; see `crawler.export.outcomes.OutcomeRecord`."""

    url: str
    outcome: Outcome
    reason: str | None
    status: int | None
    depth: int
    via: str | None
    at: datetime


class Ends:
    """URLs that ended without a page record.

    Args:
        hosts: Where they are counted by host.
        steps: Where they are counted by time.
        depths: Where they are counted by depth.
    """

    def __init__(self, hosts: HostCounts, steps: Steps, depths: Depths) -> None:
        self._hosts = hosts
        self._steps = steps
        self._depths = depths
        self._reasons: dict[tuple[str, str], tuple[list[int], Sample[str]]] = {}
        self.outcomes = dict.fromkeys(map(str, Outcome), 0)
        self.statuses: Counts[int] = Counts(1_000, 0)
        self.dead = DeadLinks()
        #: origin -> URLs that its robots.txt kept out
        self.disallowed: Counts[str] = Counts(_MAX_ORIGINS, "")

    def read(self, sources: Sources) -> None:
        """Count all of them."""
        for ends in sources.records(OUTCOMES, _End):
            for end in ends:
                self._add(end)

    def _add(self, end: _End) -> None:
        url, outcome = end.url, end.outcome
        host = self._hosts.of_url(url)
        field = _FIELDS[outcome]
        setattr(host, field, getattr(host, field) + 1)
        self.outcomes[outcome] += 1
        self._depths.other(end.depth)
        self._steps.add(end.at.timestamp(), FAILED if outcome is Outcome.FAILED else OTHER)
        if end.status is not None:
            self.statuses.add(end.status)
        if end.reason is None:
            return
        self._count_reason(end.reason, end)
        if outcome is Outcome.FAILED and is_gone(end.reason):
            self.dead.add(url, end.reason, end.via)
        elif end.reason in _ROBOTS:
            self.disallowed.add("/".join(url.split("/", 3)[:3]))

    def _count_reason(self, reason: str, end: _End) -> None:
        found = self._reasons.get((end.outcome, reason))
        if found is None:
            if len(self._reasons) >= MAX_REASONS:
                return
            found = self._reasons[end.outcome, reason] = ([0], Sample(MAX_EXAMPLES))
        found[0][0] += 1
        found[1].add(end.url, end.url)

    def reasons(self, kept: Iterable[Kept] = ()) -> tuple[Reason, ...]:
        """Why they ended as they did, the most first; and with them pages that have not changed."""
        counts = {ended: (count, examples.things()) for ended, ((count,), examples) in self._reasons.items()}
        for pages in kept:
            ended = (str(Outcome.UNCHANGED), pages.reason)
            count, examples = counts.get(ended, (0, ()))
            counts[ended] = (count + pages.pages, (*pages.examples, *examples)[:MAX_EXAMPLES])
        told = [
            Reason(outcome=outcome, reason=reason, meaning=meaning(reason), count=count, examples=examples)
            for (outcome, reason), (count, examples) in counts.items()
        ]
        return tuple(sorted(told, key=lambda reason: (-reason.count, reason.outcome, reason.reason)))
