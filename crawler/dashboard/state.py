"""How does the crawl stand, as the page is told? One JSON object, of bounded size whatever the crawl meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from crawler import __version__
from crawler.dashboard.history import percentile
from crawler.dashboard.workers import told
from crawler.sinks import REJECTS
from crawler.stats import LATENCY_BOUNDS_S
from crawler.wording import meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import BudgetConfig
    from crawler.dashboard.health import Verdict
    from crawler.dashboard.history import History, Latency
    from crawler.dashboard.recent import Recent
    from crawler.dashboard.workers import Workers
    from crawler.eta import Estimate
    from crawler.stats import Snapshot
    from crawler.views import HostView, HostViews, MachineView

HOSTS: Final = 12
"""How many of the busiest and of the slowest hosts are shown."""

LONG_WAIT_S: Final = 0.5
"""Below it, to wait is no matter of note."""

_MAX_ROWS: Final = 30
_MAX_WHY, _MAX_HOST, _MAX_RULES = 200, 255, 30
_SHARES: Final = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How a crawl ended."""

    #: whether nothing was left
    complete: bool
    #: in words, as a sentence
    told: str


@dataclass(frozen=True, kw_only=True)
class Moment:
    """All that is known of one moment."""

    name: str
    version: str = __version__
    snapshot: Snapshot
    hosts: HostViews
    machine: MachineView
    verdict: Verdict
    #: running, waiting, paused, stopping, stuck or finished
    state: str
    most: int  #: requests in flight that may be asked for
    eta: Estimate | None
    budget: BudgetConfig
    #: of a crawl that others work at, too
    workers: Workers | None = None
    end: End | None = None


def encoded(moment: Moment, history: History, recent: Recent) -> bytes:
    """One moment, with what led there."""
    snapshot = moment.snapshot
    return msgspec.json.encode(
        {
            "version": moment.version,
            "name": moment.name,
            "state": moment.state,
            "why": moment.verdict.why,
            "end": moment.end,
            **_numbers(snapshot),
            "most": moment.most,
            "machine": moment.machine,
            "eta": moment.eta and {"seconds": round(moment.eta.seconds, 1), "at_least": moment.eta.at_least},
            "budget": _budget(moment.budget),
            "statuses": _statuses(snapshot),
            "latency": _latency(snapshot, history),
            "reasons": [
                [str(outcome), reason, meaning(reason), count]
                for (outcome, reason), count in list(snapshot.reasons.items())[:_MAX_ROWS]
            ],
            "conditions": {str(name): count for name, count in sorted(moment.hosts.conditions.items())},
            "busiest": [_host(host) for host in moment.hosts.busiest],
            "slowest": [_host(host) for host in moment.hosts.slowest if host.wait_s >= LONG_WAIT_S],
            "pages_seen": recent.pages(),
            "failures": recent.failures(),
            "items": recent.items(),
            "records": _records(recent),
            "recent": history.recent()._asdict(),
            "whole": history.whole()._asdict(),
            "fleet": told(moment.workers),
        }
    )


def _numbers(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "elapsed_s": round(snapshot.elapsed_s, 1),
        "pages": snapshot.pages,
        "pages_per_s": round(snapshot.pages_per_s, 2),
        "mean_pages_per_s": round(snapshot.mean_pages_per_s, 2),
        "answers": snapshot.attempts,
        "put_off": snapshot.snoozes,
        "wire_bytes": snapshot.wire_bytes,
        "admitted": snapshot.admitted,
        "queued": snapshot.queued,
        "waiting": snapshot.waiting,
        "in_flight": snapshot.in_flight,
        "retrying": snapshot.retrying,
        "parsing": snapshot.parsing,
        "uncommitted": snapshot.uncommitted,
        "failed": snapshot.failed,
        "concurrency": snapshot.concurrency,
        "paused": snapshot.paused,
        "outcomes": {str(outcome): count for outcome, count in snapshot.outcomes.items()},
        "refused": sum(refusal.count for refusal in snapshot.refusals.values()),
        "needs_js": snapshot.needs_js,
    }


def _budget(budget: BudgetConfig) -> dict[str, float | None]:
    return {"pages": budget.pages, "bytes": budget.bytes, "time_s": budget.time_s}


def _statuses(snapshot: Snapshot) -> list[list[Any]]:
    """The most frequent ones, in order of status: a server may make up as many as there are numbers."""
    most = sorted(snapshot.statuses.items(), key=lambda pair: -pair[1])[:_MAX_ROWS]
    return [[status, meaning(f"http_{status}"), count] for status, count in sorted(most)]


def _latency(snapshot: Snapshot, history: History) -> dict[str, Any]:
    lately = history.answers()
    return {
        "bounds_s": LATENCY_BOUNDS_S,
        "counts": snapshot.latencies,
        "all": _percentiles(snapshot.latencies),
        "lately": _percentiles(lately),
        "lately_count": sum(lately),
    }


def _percentiles(counts: Sequence[int]) -> dict[str, Latency | None]:
    """Seconds, and whether it is over them."""
    return {name: percentile(counts, share) for name, share in _SHARES}


def _host(host: HostView) -> dict[str, Any]:
    return {
        "host": host.host_key[:_MAX_HOST],
        "condition": str(host.condition),
        "why": host.why[:_MAX_WHY],
        "wait_s": round(host.wait_s, 1),
        "in_flight": host.in_flight,
        "concurrency": host.concurrency,
        "delay_s": round(host.delay_s, 3),
        "latency_s": round(host.latency_s, 3),
        "requests": host.requests,
        "failures": host.failures,
    }


def _records(recent: Recent) -> list[tuple[str, int, int]]:
    """Each rule with its records and its rejects, of this run."""
    counts = recent.records
    rules = [name for name in counts if not name.endswith(REJECTS)]
    return [(rule, counts[rule], counts.get(rule + REJECTS, 0)) for rule in rules[:_MAX_RULES]]
