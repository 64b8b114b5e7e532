"""What do the totals of many workers come to? What follows from records is counted anew; the rest is summed.

Pages, ends and reasons, and the records of rules, are those that are there after the merge. Answers, bytes and times a
URL was put off are of all that was requested, by whichever worker: what two have fetched counts twice, as what one has
fetched twice does.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.clock import rfc3339
from crawler.counters import REASON, REFUSED, STATUS, counters_with
from crawler.directory import Summary
from crawler.rule_health import RULES, RuleHealth
from crawler.rule_states import OTHER_HOSTS
from crawler.rule_states import Stored as StoredRule
from crawler.runs import Began, Ended, read_runs
from crawler.sinks import hook_sink, rejects_of
from crawler.traps.stored import TRAPS, decoded
from crawler.traps.stored import Stored as StoredTraps

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.merging.filling import Filled
    from crawler.merging.gather import Last
    from crawler.merging.segments import Segment
    from crawler.models import Counts
    from crawler.seedlist import SeedTally
    from crawler.stats import HostTally

_ELAPSED = "elapsed_ms"
_RETRYING = "retrying"


def counters_of(workers: Iterable[Last], filled: Filled, elapsed_s: float) -> dict[str, int]:
    """The totals of the merged crawl, as a checkpoint has them."""
    summed: Counter[str] = Counter()
    for worker in workers:
        summed.update(worker.counters)
    counters = counters_with(dict(summed), filled.pages, filled.ends)
    return counters | {_ELAPSED: max(0, round(elapsed_s * 1000)), _RETRYING: filled.snoozed}


def states_of(workers: Sequence[Last], rules: Collection[str], lines: Mapping[str, int]) -> dict[str, bytes]:
    """The states of the merged crawl, by name: how rules fared, and what was stopped as a trap.

    Args:
        workers: What each has come to.
        rules: Names of those that have records.
        lines: Sink -> records there are.
    """
    found = {}
    if stored := _rules([worker.states.get(RULES, b"") for worker in workers], rules, lines):
        found[RULES] = msgspec.msgpack.encode(stored)
    if traps := _traps([worker.states.get(TRAPS, b"") for worker in workers]):
        found[TRAPS] = traps
    return found


class Ending(NamedTuple):
    """How the merged crawl ended."""

    complete: bool
    stopped_by: str | None
    started_at: float
    ended_at: float


class Account(NamedTuple):
    """What is known of the merged crawl as a whole."""

    ending: Ending
    counts: Counts
    seeds: SeedTally
    hosts: HostTally
    counters: Mapping[str, int]
    states: Mapping[str, bytes]


def summary_of(config: CrawlConfig, account: Account) -> Summary:
    """The content of summary.json, which adds up: all that counts URLs is of the store that lies beside it."""
    ending, counts, seeds, hosts, counters, states = account
    function = config.extract.python
    health = RuleHealth(config.extract.rules, function and hook_sink(function))
    health.restore(states.get(RULES, b""))
    reasons: dict[str, dict[str, int]] = {}
    for outcome, reason, count in _of_kind(counters, REASON):
        reasons.setdefault(outcome, {})[reason] = count
    return Summary(
        complete=ending.complete,
        stopped_by=ending.stopped_by,
        started_at=rfc3339(ending.started_at),
        ended_at=rfc3339(ending.ended_at),
        elapsed_s=round(ending.ended_at - ending.started_at, 3),
        seeds={"given": seeds.given, "bad": seeds.bad, "fetched": seeds.fetched},
        pages=counters.get("pages", 0),
        wire_bytes=counters.get("wire_bytes", 0),
        attempts=counters.get("attempts", 0),
        snoozes=counters.get("snoozes", 0),
        statuses={int(status): count for _, status, count in _of_kind(counters, STATUS)},
        admitted=counts.admitted,
        pending=counts.pending,
        outcomes={str(outcome): count for outcome, count in counts.outcomes.items()},
        reasons=reasons,
        refusals={rule: count for _, rule, count in _of_kind(counters, REFUSED)},
        hosts=msgspec.structs.asdict(hosts),
        name=config.name,
        needs_js=counters.get("needs_js", 0),
        unverified=config.fetch.unverified,
        rules=health.account(),
        traps=[verdict for _, verdict in decoded(states[TRAPS]).verdicts] if TRAPS in states else [],
    )


def _of_kind(counters: Mapping[str, int], kind: str) -> Iterator[tuple[str, str, int]]:
    """Of the counters that begin with a word, what follows: an outcome where there is one, and the rest."""
    for name, count in sorted(counters.items(), key=lambda item: (-item[1], item[0])):
        first, _, rest = name.partition(" ")
        if first == kind and count:
            outcome, _, reason = rest.partition(" ") if kind == REASON else ("", "", rest)
            yield outcome, reason, count


def merged_runs(segments: Sequence[Segment]) -> bytes:
    """The rows of runs.jsonl: of each worker, when it began and ended, numbered through."""
    rows: list[Began | Ended] = []
    run = 0
    for segment in segments:
        numbers: dict[int, int] = {}
        for row in _runs(segment.path / "runs.jsonl"):
            if row.run not in numbers:
                run += 1
                numbers[row.run] = run
            rows.append(msgspec.structs.replace(row, run=numbers[row.run]))
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _runs(path: Path) -> Sequence[Began | Ended]:
    try:
        return read_runs(path)
    except OSError:
        return []  # of interest, and nothing that a record depends on


def _rules(states: Sequence[bytes], rules: Collection[str], lines: Mapping[str, int]) -> list[StoredRule]:
    """How rules fared on each host. What hosts lost to others, as a worker was cut off, is taken from their counts."""
    by_place: dict[tuple[str, str], StoredRule] = {}
    for state in filter(None, states):
        for one in msgspec.msgpack.decode(state, type=list[StoredRule]):
            whole = by_place.setdefault((one.rule, one.host), _nothing(one.rule, one.host))
            whole.pages += one.pages
            whole.items += one.items
            whole.records += one.records
            whole.rejects += one.rejects
            for field, count in one.filled.items():
                whole.filled[field] = whole.filled.get(field, 0) + count
    for rule in rules:
        cells = [one for one in by_place.values() if one.rule == rule]
        more = lines.get(rule, 0) - sum(one.records for one in cells)
        rejects = lines.get(rejects_of(rule), 0) - sum(one.rejects for one in cells)
        if more > 0 or rejects > 0 or not cells:
            other = by_place.setdefault((rule, OTHER_HOSTS), _nothing(rule, OTHER_HOSTS))
            other.records += max(0, more)
            other.rejects += max(0, rejects)
        for one in sorted(cells, key=lambda cell: -cell.records):
            less, fewer = min(one.records, max(0, -more)), min(one.rejects, max(0, -rejects))
            one.records, more = one.records - less, more + less
            one.rejects, rejects = one.rejects - fewer, rejects + fewer
            one.items = min(one.items, one.records + one.rejects)
            one.filled = {field: min(count, one.items) for field, count in one.filled.items()}
    return list(by_place.values())


def _nothing(rule: str, host: str) -> StoredRule:
    return StoredRule(rule=rule, host=host, pages=0, items=0, records=0, rejects=0, filled={}, falls={})


def _traps(states: Sequence[bytes]) -> bytes:
    """What was stopped, each once: a site is one worker's at a time, and whoever had it last knows most."""
    known = [decoded(state) for state in states if state]
    if not known:
        return b""
    verdicts = {name: verdict for one in known for name, verdict in one.verdicts}
    sites = {site.name: site for one in known for site in one.sites}
    return msgspec.msgpack.encode(StoredTraps(verdicts=list(verdicts.items()), sites=list(sites.values())))
