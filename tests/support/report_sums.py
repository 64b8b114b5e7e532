"""Do the facts of a report add up: among themselves, and with what lies in the crawl's directory?"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

from crawler.dataset.lines import Lines
from crawler.directory import CrawlDirectory

_ENDS = ("pages", "redirected", "excluded", "failed", "others", "pending", "body_bytes")


def adds_up(report):
    """Every table comes to the same totals."""
    ended = sum(report.outcomes.values())
    assert report.admitted == ended + report.pending
    hosts = [*report.hosts, *filter(None, [report.other_hosts])]
    by_host = {name: sum(getattr(host, name) for host in hosts) for name in _ENDS}
    fetched = by_host["pages"] + by_host["others"]
    assert fetched == report.outcomes["fetched"] + report.outcomes["unchanged"]
    for name in ("redirected", "excluded", "failed"):
        assert by_host[name] == report.outcomes[name], name
    assert by_host["pages"] == report.pages
    assert by_host["pending"] in (report.pending, 0)  # the latter where only a store would know
    assert by_host["body_bytes"] == report.body_bytes
    assert sum(host.latency.count for host in hosts) == report.latency.count == sum(report.latency.buckets)
    depths = report.depths.values()
    assert (sum(pages for pages, _ in depths), sum(others for _, others in depths)) == (
        report.pages,
        ended - report.pages,
    )
    steps = report.timeline
    assert (sum(steps.pages), sum(steps.failed)) == (report.pages - report.kept, report.outcomes["failed"])
    assert sum(steps.others) == ended - report.pages - report.outcomes["failed"]
    assert sum(steps.body_bytes) == report.body_bytes - report.kept_bytes
    for kinds in (report.content_types, report.charsets, report.languages):
        assert sum(kinds.values()) == report.pages
    reasons = Counter()
    for reason in report.reasons:
        reasons[reason.outcome] += reason.count
        assert 0 < len(reason.examples) <= reason.count
    assert (reasons["failed"], reasons["excluded"]) == (report.outcomes["failed"], report.outcomes["excluded"])
    assert report.n_hosts >= len(report.hosts)
    assert report.duplicates.pages >= 2 * report.duplicates.groups


def agrees(report, folder):
    """The same numbers stand in the files, the store and summary.json."""
    adds_up(report)
    directory = CrawlDirectory(folder)
    if directory.store.exists():
        with closing(sqlite3.connect(f"file:{directory.store}?mode=ro", uri=True)) as db:
            assert dict(db.execute("SELECT outcome, urls FROM tally")) == report.outcomes
            assert db.execute("SELECT count(*) FROM url").fetchone() == (report.admitted,)
            counters = dict(db.execute("SELECT name, value FROM counter"))
        assert {r.rule: r.count for r in report.refusals} == _named(counters, "refused ")
        assert {str(status): n for status, n in report.statuses.items()} == _named(counters, "status ")
        assert (counters["attempts"], counters["wire_bytes"]) == (report.attempts, report.wire_bytes)
        assert {f"{r.outcome} {r.reason}": r.count for r in report.reasons} == _named(counters, "reason ")
    lines = {sink: _count(directory, sink) for sink in ("outcomes", *(rule.name for rule in report.rules))}
    assert lines["outcomes"] == sum(report.outcomes.values()) - report.pages
    for rule in report.rules:
        assert rule.records == lines[rule.name]
        assert rule.rejects == _count(directory, f"{rule.name}.rejects")
    if summary := directory.read_summary():
        assert report.state == "finished"
        assert (summary.pages, summary.admitted, summary.pending) == (report.pages, report.admitted, report.pending)
        assert {name: n for name, n in summary.outcomes.items() if n} == {o: n for o, n in report.outcomes.items() if n}
        assert summary.refusals == {r.rule: r.count for r in report.refusals}
        told = Counter({(r.outcome, r.reason): r.count for r in report.reasons})
        assert told == Counter({(o, r): n for o, reasons in summary.reasons.items() for r, n in reasons.items()})
        assert (summary.needs_js, summary.attempts) == (report.needs_js, report.attempts)
        assert (summary.statuses, summary.snoozes) == (report.statuses, report.snoozes)


def _named(counters, start):
    return {name.removeprefix(start): value for name, value in counters.items() if name.startswith(start) and value}


def _count(directory, sink):
    return sum(1 for path in directory.spellings(sink) for _ in Lines(path))
