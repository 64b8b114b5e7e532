"""What does ``/metrics`` say? The crawl's numbers in Prometheus' text format.

Format 0.0.4 (prometheus.io, Exposition formats), names after its conventions: base units, ``_total`` for counters. No
label names a host or a URL, since a crawl may meet millions. Counters go on at a resume; a scraper takes one that has
fallen, which a crash between checkpoints can bring about, for a restart.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from crawler.dashboard.workers import gauges
from crawler.sinks import REJECTS
from crawler.stats import LATENCY_BOUNDS_S
from crawler.views import HostCondition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crawler.dashboard.recent import Recent
    from crawler.dashboard.state import Moment
    from crawler.dashboard.workers import Workers
    from crawler.stats import Snapshot
    from crawler.views import MachineView

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def metrics(moment: Moment, recent: Recent, *, streams: int) -> str:
    """All of them, at one moment.

    Args:
        moment: How the crawl stands.
        recent: How its URLs have ended.
        streams: How many pages look at the dashboard.
    """
    lines: list[str] = []
    for part in (
        _one("crawler_info", "gauge", "The crawl and the program that runs it.", 1,
             {"name": moment.name, "version": moment.version}),
        *_counters(moment.snapshot, recent),
        _latency(moment.snapshot),
        *_gauges(moment),
        *_machine(moment.machine),
        *_fleet(moment.workers),
        _one("crawler_dashboard_streams", "gauge", "Pages that look at the dashboard.", streams),
    ):  # fmt: skip
        lines += part
    return "\n".join(lines) + "\n"


def _counters(snapshot: Snapshot, recent: Recent) -> Iterator[Iterable[str]]:
    yield _one("crawler_pages_total", "counter", "Page records.", snapshot.pages)
    yield _many(
        "crawler_answers_total", "counter", "Answers by HTTP status, retries, redirects and robots.txt included.",
        (({"status": str(status)}, count) for status, count in snapshot.statuses.items()),
    )  # fmt: skip
    yield _many(
        "crawler_outcomes_total", "counter", "URLs that have ended, by how and why.",
        (({"outcome": str(outcome), "reason": reason}, n) for (outcome, reason), n in sorted(recent.ended.items())),
    )  # fmt: skip
    yield _many(
        "crawler_records_total", "counter", "Scraped records of this run, by rule.",
        (({"rule": rule}, count) for rule, count in recent.records.items() if not rule.endswith(REJECTS)),
    )  # fmt: skip
    yield _one("crawler_urls_admitted_total", "counter", "URLs that were new and in scope.", snapshot.admitted)
    yield _one("crawler_retries_total", "counter", "Times a URL was put off to be tried again.", snapshot.snoozes)
    yield _one("crawler_received_bytes_total", "counter", "Bodies as they came over the wire.", snapshot.wire_bytes)
    refused = sum(refusal.count for refusal in snapshot.refusals.values())
    yield _one("crawler_links_refused_total", "counter", "Links that the scope kept out.", refused)


def _gauges(moment: Moment) -> Iterator[Iterable[str]]:
    snapshot, conditions = moment.snapshot, moment.hosts.conditions
    yield _one("crawler_queue_urls", "gauge", "URLs that wait to be requested.", snapshot.waiting)
    yield _one("crawler_retrying_urls", "gauge", "URLs put off and not ended yet.", snapshot.retrying)
    yield _one("crawler_in_flight_requests", "gauge", "Requests under way.", snapshot.in_flight)
    yield _one("crawler_concurrency_requests", "gauge", "Requests that may be under way.", snapshot.concurrency)
    yield _one("crawler_parsing_answers", "gauge", "Answers with parsers, or waiting for one.", snapshot.parsing)
    yield _one("crawler_uncommitted_results", "gauge", "Results that wait for a checkpoint.", snapshot.uncommitted)
    yield _one("crawler_paused", "gauge", "1 while it is paused.", int(snapshot.paused))
    yield _one("crawler_healthy", "gauge", "0 while it is stuck, as /healthz says.", int(moment.verdict.ok))
    yield _one("crawler_running_seconds", "gauge", "Running time, earlier runs included.", snapshot.elapsed_s)
    yield _many(
        "crawler_hosts", "gauge", "Hosts in memory, by what they do.",
        (({"condition": str(each)}, conditions.get(each, 0)) for each in HostCondition),
    )  # fmt: skip


def _machine(machine: MachineView) -> Iterator[Iterable[str]]:
    yield _one(
        "crawler_resident_memory_bytes", "gauge", "Resident memory, parsers included.", machine.memory_bytes
    )  # fmt: skip
    if machine.cores_busy is not None:
        yield _one("crawler_busy_cores", "gauge", "Processor seconds used per second.", machine.cores_busy)
    if machine.parsers_busy is not None:
        yield _one("crawler_parsers_busy_ratio", "gauge", "Share of time parsers are busy.", machine.parsers_busy)


def _fleet(workers: Workers | None) -> Iterator[Iterable[str]]:
    """Of all workers together, once they have been looked at."""
    if workers is not None and workers.latest is not None:
        for name, told, values in gauges(workers.latest):
            yield _many(name, "gauge", told, values)


def _latency(snapshot: Snapshot) -> Iterator[str]:
    name = "crawler_answer_duration_seconds"
    yield from _head(name, "histogram", "From the request's head to the last byte of the answer.")
    reached = list(accumulate(snapshot.latencies)) or [0] * (len(LATENCY_BOUNDS_S) + 1)
    for bound, count in zip((*map(str, LATENCY_BOUNDS_S), "+Inf"), reached, strict=True):
        yield _sample(f"{name}_bucket", {"le": bound}, count)
    yield _sample(f"{name}_sum", {}, snapshot.latency_sum_s)
    yield _sample(f"{name}_count", {}, reached[-1])


def _one(name: str, kind: str, told: str, value: float, labels: Mapping[str, str] | None = None) -> Iterator[str]:
    yield from _head(name, kind, told)
    yield _sample(name, labels or {}, value)


def _many(name: str, kind: str, told: str, values: Iterable[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    yield from _head(name, kind, told)
    for labels, value in values:
        yield _sample(name, labels, value)


def _head(name: str, kind: str, told: str) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    told = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"
