"""How is the crawl going, in numbers?

`Stats` is counted up by the engine, in well under a microsecond a page; a `Snapshot` is what everybody else
reads: progress, summary, report. Counters travel with each checkpoint, so that a resumed crawl counts on. How
many URLs are known, pending and ended is not counted here a second time: that is the frontier's `Counts`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from typing import TYPE_CHECKING

import msgspec

from crawler.counters import LATENCY, REASON, REFUSED, STATUS
from crawler.models import MAX_EXAMPLES, Outcome, Refusal
from crawler.views import SlowHost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.clock import Clock
    from crawler.models import Counts, Finished, Page, Response
    from crawler.rule_health import RuleHealth

MAX_RULES = 1_000

LATENCY_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the buckets of `Snapshot.latencies`, in seconds; slower answers come after the last."""

OTHER_RULES = "(other rules)"

_RECENT_S = 5.0
_SAMPLES_APART_S = 0.1


class HostTally(msgspec.Struct, frozen=True, kw_only=True):
    """Hosts of which not everything was asked for, each counted once."""

    #: retired by the breaker
    given_up: int = 0
    #: at ``budget.pages_per_host``, with URLs left
    set_aside: int = 0
    #: whose names do not resolve
    unresolved: int = 0


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The counts at one moment. ``admitted == sum(outcomes.values()) + queued``."""

    #: running time, that of resumed runs before this one included
    elapsed_s: float
    #: records in pages.jsonl, those not committed yet, and those carried over from an earlier generation, included
    pages: int
    #: over the last 5 s or so
    pages_per_s: float
    #: over `elapsed_s`
    mean_pages_per_s: float
    #: answers received, retries, redirects and robots.txt included
    attempts: int
    #: times an URL was put off to be tried again
    snoozes: int
    #: bodies as they came over the wire
    wire_bytes: int
    admitted: int
    #: admitted and without a committed end, those in flight included
    queued: int
    #: admitted, neither ended nor in flight; like `pages`, `in_flight`, `retrying` and `failed` of this very moment
    waiting: int
    in_flight: int
    #: URLs put off to be tried again and not ended yet
    retrying: int
    #: URLs that ended as FAILED, those not committed yet included
    failed: int
    outcomes: dict[Outcome, int]
    #: URLs by how and why they ended, the most first; only ends that have a reason
    reasons: dict[tuple[Outcome, str], int]
    #: links kept out by scope rule, the most first
    refusals: dict[str, Refusal]
    #: the hosts that wait longest for their next request, the slowest first
    slow: tuple[SlowHost, ...] = ()
    hosts: HostTally = HostTally()
    #: pages that look empty without JavaScript
    needs_js: int = 0
    #: answers by HTTP status, retries, redirects and robots.txt included
    statuses: dict[int, int] = {}
    #: answers by how long they took, from the request's head to the last byte: a number for each of `LATENCY_BOUNDS_S`,
    #: those above the bound before and not above this one, and one for those above all
    latencies: tuple[int, ...] = ()
    #: how long all of them took together
    latency_sum_s: float = 0.0
    #: requests that may be in flight, all hosts together
    concurrency: int = 0
    #: whether nothing more is started until somebody says so
    paused: bool = False
    #: answers fetched that wait for a parser or are with one
    parsing: int = 0
    #: lines of records and URLs' ends that wait for a checkpoint
    uncommitted: int = 0


class Stats:
    """Running totals of one crawl.

    Args:
        health: Told how rules fare; None where there are none.
    """

    def __init__(self, clock: Clock, health: RuleHealth | None = None) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self._earlier_s = 0.0  # time of the runs before this one
        self._pages = 0
        self._unvisited = 0  # of them, those that nobody has asked for: a refresh leaves them out
        self._attempts = 0
        self._snoozes = 0
        self._retrying = 0
        self._failed = 0
        self._wire_bytes = 0
        self._needs_js = 0
        self._statuses: Counter[int] = Counter()
        self._latencies = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self._latency_sum_s = 0.0
        self._health = health
        self._reasons: Counter[tuple[Outcome, str]] = Counter()
        self._refused: Counter[str] = Counter()
        self._examples: dict[str, tuple[str, ...]] = {}
        self._samples: deque[tuple[float, int]] = deque([(self._started, 0)])  # (monotonic time, pages by then)

    def attempt(self, response: Response) -> None:
        """Count an answer."""
        self._attempts += 1
        self._wire_bytes += len(response.body)
        self._statuses[response.status] += 1
        self._latencies[bisect_left(LATENCY_BOUNDS_S, response.elapsed_s)] += 1
        self._latency_sum_s += response.elapsed_s

    def finished(self, finished: Finished) -> None:
        """Count the end of a URL."""
        if finished.has_page:
            self._pages += 1
            self._unvisited += finished.status is None
        if finished.outcome is Outcome.FAILED:
            self._failed += 1
        if finished.request.attempt > 1:
            self._retrying -= 1
        if finished.reason is not None:
            self._reasons[finished.outcome, finished.reason] += 1

    def snoozed(self, attempt: int) -> None:
        """Count a URL put off to be tried again; `attempt` says which of its attempts has failed, from 1."""
        self._snoozes += 1
        if attempt == 1:  # after a later one it is among those that retry already
            self._retrying += 1

    def parsed(self, host_key: str, page: Page) -> None:
        """Count what a page of a host says besides its end: links it kept out, how rules fared, whether it is empty."""
        if page.refusals:
            self.refused(page.refusals)
        self._needs_js += page.needs_js
        if page.fills and self._health is not None:
            self._health.saw(host_key, page.fills)

    def refused(self, refusals: Sequence[Refusal]) -> None:
        """Count links kept out, by rule; beyond `MAX_RULES` rules, those met later are counted together."""
        for refusal in refusals:
            rule = refusal.rule
            if rule not in self._refused and len(self._refused) >= MAX_RULES:
                rule = OTHER_RULES
            self._refused[rule] += refusal.count
            known = self._examples.get(rule, ())
            if len(known) < MAX_EXAMPLES:
                self._examples[rule] = tuple(dict.fromkeys(known + refusal.examples))[:MAX_EXAMPLES]

    def counters(self) -> dict[str, int]:
        """All totals as a checkpoint keeps them; examples of refused links are not among them."""
        totals = {
            "elapsed_ms": round(self._elapsed_s() * 1000),
            "pages": self._pages,
            "unvisited": self._unvisited,
            "attempts": self._attempts,
            "snoozes": self._snoozes,
            "retrying": self._retrying,
            "failed": self._failed,
            "wire_bytes": self._wire_bytes,
            "needs_js": self._needs_js,
            "latency_sum_ms": round(self._latency_sum_s * 1000),
        }
        totals |= {f"{REASON} {outcome} {reason}": count for (outcome, reason), count in self._reasons.items()}
        totals |= {f"{REFUSED} {rule}": count for rule, count in self._refused.items()}
        totals |= {f"{STATUS} {status}": count for status, count in self._statuses.items()}
        totals |= {f"{LATENCY} {bucket}": count for bucket, count in enumerate(self._latencies) if count}
        return totals

    def restore(self, counters: Mapping[str, int]) -> None:
        """Count on from what `counters` of an earlier run returned. Call it before anything is counted."""
        self._earlier_s = counters.get("elapsed_ms", 0) / 1000
        self._pages = counters.get("pages", 0)
        self._unvisited = counters.get("unvisited", 0)
        self._attempts = counters.get("attempts", 0)
        self._snoozes = counters.get("snoozes", 0)
        self._retrying = counters.get("retrying", 0)
        self._failed = counters.get("failed", 0)
        self._wire_bytes = counters.get("wire_bytes", 0)
        self._needs_js = counters.get("needs_js", 0)
        self._latency_sum_s = counters.get("latency_sum_ms", 0) / 1000
        for name, count in counters.items():
            kind, _, rest = name.partition(" ")
            if not count:
                continue
            if kind == REASON:
                outcome, _, reason = rest.partition(" ")
                self._reasons[Outcome(outcome), reason] = count
            elif kind == REFUSED:
                self._refused[rest] = count
            elif kind == STATUS:
                self._statuses[int(rest)] = count
            elif kind == LATENCY and int(rest) < len(self._latencies):  # else of bounds that are not ours
                self._latencies[int(rest)] = count
        self._samples = deque([(self._started, self._pages)])

    def snapshot(
        self,
        counts: Counts,
        in_flight: int,
        unfinished: int,
        slow: Sequence[SlowHost] = (),
        hosts: HostTally | None = None,
    ) -> Snapshot:
        """The numbers of this moment. What is recent is measured against earlier snapshots.

        Args:
            counts: What is committed.
            in_flight: Requests under way, those for robots.txt included.
            unfinished: URLs admitted and without an end, committed or not.
            slow: The hosts that wait longest.
            hosts: Those that are given up or set aside; None for none.
        """
        elapsed_s = self._elapsed_s()
        return Snapshot(
            elapsed_s=elapsed_s,
            pages=self._pages,
            pages_per_s=self._recent_pages_per_s(),
            mean_pages_per_s=self._pages / elapsed_s if elapsed_s > 0 else 0.0,
            attempts=self._attempts,
            snoozes=self._snoozes,
            wire_bytes=self._wire_bytes,
            admitted=counts.admitted,
            queued=counts.pending,
            waiting=max(0, unfinished - in_flight),  # requests for robots.txt are in flight, but not admitted
            in_flight=in_flight,
            retrying=self._retrying,
            failed=self._failed,
            outcomes=counts.outcomes,
            reasons=dict(self._reasons.most_common()),
            refusals={
                rule: Refusal(rule=rule, count=count, examples=self._examples.get(rule, ()))
                for rule, count in self._refused.most_common()
            },
            slow=tuple(slow),
            hosts=hosts or HostTally(),
            needs_js=self._needs_js,
            statuses=dict(sorted(self._statuses.items())),
            latencies=tuple(self._latencies),
            latency_sum_s=self._latency_sum_s,
        )

    def _elapsed_s(self) -> float:
        return self._earlier_s + self._clock.monotonic() - self._started

    def _recent_pages_per_s(self) -> float:
        now = self._clock.monotonic()
        samples = self._samples
        while len(samples) > 1 and samples[1][0] <= now - _RECENT_S:
            samples.popleft()
        since, pages = samples[0]
        if now - samples[-1][0] >= _SAMPLES_APART_S:
            samples.append((now, self._pages))
        return (self._pages - pages) / (now - since) if now > since else 0.0
