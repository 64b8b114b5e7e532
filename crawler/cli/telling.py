"""How is what is known of a URL told to a person?"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from crawler.addresses import purpose
from crawler.cli.rows import lines_of
from crawler.dataset import ledger
from crawler.dataset.facts import REDIRECTED_FROM, UNKNOWN
from crawler.models import NORMAL_PRIORITY, Kind, Outcome
from crawler.reach import address_of
from crawler.reasons import PRIVATE_ADDRESS
from crawler.url import Url, host_key
from crawler.wording import duration, meaning, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crawler.cli.rows import Row
    from crawler.dataset.facts import Ending, HostWait, LastVisit, RobotsVerdict, Why
    from crawler.models import HostKey
    from crawler.traps.verdict import Verdict


_LONGEST = 300


def told(facts: Why, now: float) -> str:
    """The facts in words, without a last newline.

    Args:
        facts: Of one URL.
        now: Wall time, from which "in 12 s" is counted.
    """
    rows = [("URL", facts.url or facts.asked)]
    if facts.url and facts.asked.strip() != facts.url:
        rows.append(("", f"asked for as {facts.asked}"))
    rows += _known(facts, now) if facts.known else _unknown(facts, now)
    return "\n".join(lines_of(rows))


def _known(facts: Why, now: float) -> Iterator[Row]:
    yield from _outcome(facts, now)
    yield from _redirects(facts)
    if facts.reason == PRIVATE_ADDRESS and facts.url:
        yield from _labelled("Address", _private(host_key(Url(facts.url))))
    if facts.robots or facts.reason in ("robots", "robots_unreachable"):
        yield from _robots(facts, now)
    if facts.reason in ("seed_out_of_scope", "scope_narrowed"):
        yield "Scope", _ruled(facts.scope_rule) if facts.scope_rule else "crawl.yaml, as it is now, would let it in"
    yield from _labelled("Trap", _traps(facts.traps))
    if facts.wait:
        yield from _wait(facts.wait, now)
        if facts.stopped_by:
            yield "Crawl", f"stopped by {facts.stopped_by}: what is pending waits for --resume"
    if facts.attempts is not None and facts.outcome != ledger.PENDING:
        yield "Attempts", str(facts.attempts) if facts.attempts else "none"
    if facts.at:
        yield "Ended", _time(facts.at, now)
    yield "Depth", str(facts.depth)
    if facts.priority not in (None, NORMAL_PRIORITY):
        yield "Priority", f"{facts.priority} (0 goes first, {NORMAL_PRIORITY} is normal, 63 last)"
    if facts.kind != Kind.PAGE:
        yield "Kind", str(facts.kind)
    yield from _way(facts)


def _outcome(facts: Why, now: float) -> Iterator[Row]:
    match facts.outcome:
        case ledger.PENDING:
            yield "Outcome", "pending: no attempt has been recorded"
        case ledger.SNOOZED:
            due = "is due" if facts.due_at and _seconds(facts.due_at) > now else "has been due since"
            what = f"attempt {facts.attempts} failed, the next" if facts.attempts else "put off for its host, it"
            yield "Outcome", f"snoozed: {what} {due}"
            yield "", _time(facts.due_at, now)
        case outcome:
            yield "Outcome", f"{outcome}, status {facts.status}" if facts.status else outcome
    if facts.reason:
        yield "Reason", _explained(facts.reason)
    if facts.outcome in (Outcome.FETCHED, Outcome.UNCHANGED):
        yield "Record", "in pages.jsonl" if facts.has_page else "none in pages.jsonl, a line in outcomes.jsonl"
    if facts.last_visit:
        yield from _last_visit(facts, facts.last_visit, now)


def _last_visit(facts: Why, before: LastVisit, now: float) -> Iterator[Row]:
    """What a refresh went by."""
    if facts.outcome == Outcome.UNCHANGED and (since := before.since or before.at):
        yield "Unchanged", f"since {_time(since, now)}"
    elif before.at:
        yield "Last visit", _time(before.at, now)
    if facts.attempts:
        yield from _labelled("Asked with", (printable(line, _LONGEST) for line in before.asked_with))


def _private(key: HostKey) -> Iterator[str]:
    """What a host's address is, if its name tells, and what would let links and redirects lead there."""
    address = address_of(key)
    if address is None:
        yield f"{key} was at none that is public, or its robots.txt led to such"
    else:
        yield f"{address} is not public: {purpose(address)}"
    written = f'"{address}"' if address and ":" in address else address or "its address"
    yield f"let in by fetch.allow_addresses: [{written}]"
    yield "and then tried again by crawl --resume --retry-failed"


def _redirects(facts: Why) -> Iterator[Row]:
    yield from _labelled("Leads to", _endings(facts.redirects))
    if facts.redirects and facts.redirects[-1].outcome == UNKNOWN and facts.account_kept:
        yield "", f"kept out by {_ruled(facts.scope_rule)}" if facts.scope_rule else "which the crawl does not know"


def _endings(endings: Sequence[Ending]) -> Iterator[str]:
    """Outcomes and URLs in two columns."""
    words = [end.outcome + (f" ({end.reason})" if end.reason else "") for end in endings]
    width = max(map(len, words), default=0)
    return (f"{word:<{width}}  {end.url}" for word, end in zip(words, endings, strict=True))


def _robots(facts: Why, now: float) -> Iterator[Row]:
    """Which rule disallows it, or why none does any more. Where it was never at fault, nothing if it allows."""
    verdict = facts.robots
    blamed = facts.outcome == Outcome.EXCLUDED
    if verdict is None:
        if blamed:
            yield "robots.txt", "the file that counted then is not stored any more"
    elif verdict.closed:
        what = "could not be had" if verdict.closed == "robots_unreachable" else verdict.closed
        yield "robots.txt", f"{what}: {printable(verdict.missing, _LONGEST)}" if verdict.missing else what
        yield "", f"which closes all of {verdict.origin}"
        yield "", _holds(verdict, now)
    elif not verdict.allowed:
        yield "robots.txt", str(verdict.rule)
        yield "", f"in {verdict.origin}/robots.txt"
        yield "", _holds(verdict, now)
    elif blamed:
        yield "robots.txt", f"the one stored now allows it ({verdict.rule or 'no rule is about it'})"
        yield "", _holds(verdict, now)


def _traps(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What it is a part of, and what speaks for that."""
    for verdict in verdicts:
        yield f"{verdict.kind} {printable(verdict.pattern, 100)}"
        yield verdict.evidence
        yield from (f"such as {printable(example, 100)}" for example in verdict.examples[-1:])


def _holds(verdict: RobotsVerdict, now: float) -> str:
    holds = "holds until" if _seconds(verdict.until) > now else "to be asked for anew since"
    return f"{holds} {_time(verdict.until, now)}"


def _wait(wait: HostWait, now: float) -> Iterator[Row]:
    lines = []
    if wait.urls is not None:
        lines.append(_queue(wait))
    if wait.retired:
        lines.append(f"{wait.host} is asked no more: {_explained(wait.retired)}")
    elif wait.pages_per_host is not None and wait.pages >= wait.pages_per_host:
        kept = f"{wait.pages:,} of {wait.pages_per_host:,} pages"
        lines.append(f"{wait.host} is set aside: {kept} (budget.pages_per_host)")
    elif wait.ready_at:
        lines.append(f"{wait.host} rests until {_time(wait.ready_at, now)}")
    if wait.failures:
        last = f"{wait.failures:,} attempts" if wait.failures > 1 else "attempt"
        lines.append(f"the last {last} at {wait.host} failed")
    if wait.backoff_s:
        lines.append(f"for its errors, {duration(wait.backoff_s)} pass between two requests to {wait.host}")
    return _labelled("Host", lines)


def _queue(wait: HostWait) -> str:
    if wait.more:
        return f"over {wait.urls:,} URLs of {wait.host} wait, at least {wait.ahead:,} of them before this one"
    if wait.urls == 1:
        return f"no other URL of {wait.host} waits"
    ahead = f"{wait.ahead:,}" if wait.ahead else "none"
    return f"{wait.urls:,} URLs of {wait.host} wait, {ahead} of them before this one"


def _way(facts: Why) -> Iterator[Row]:
    lines = [f"{'by the redirect of' if step.how == REDIRECTED_FROM else 'on'} {step.url}" for step in facts.found]
    if facts.found_more:
        lines.append("…")
    return _labelled("Found", [*lines, f"from the seed {facts.seed}"])


def _unknown(facts: Why, now: float) -> Iterator[Row]:
    if facts.url is None:
        yield "Outcome", "none: no URL could be made of it"
    elif facts.account_kept:
        yield "Outcome", "unknown: this crawl has never admitted it"
        yield from _labelled("Scope", _scope_of_unknown(facts))
    else:
        yield "Outcome", "unknown: neither pages.jsonl nor outcomes.jsonl has it"
        yield "", "of what it found and did not fetch, a crawl with frontier: memory keeps no account"
    yield from _robots(facts, now)
    if facts.redirected_here:
        yield "Redirect", f"{facts.redirected_here} leads to it"
    for seed in facts.bad_seeds:
        yield "Bad seed", f"{seed.place}: {seed.error}"
    yield from _labelled("Nearest", _endings(facts.nearest))
    yield from _labelled("Known hosts", facts.nearest_hosts)


def _scope_of_unknown(facts: Why) -> Iterator[str]:
    """Which rule keeps it out; if none does, why it may not have been found."""
    if facts.scope_rule:
        yield f"{_ruled(facts.scope_rule)} keeps it out"
        return
    yield "would let it in: no page fetched so far links to it"
    if facts.max_depth is not None:
        yield f"or only such as lie at the limit of scope.max_depth: {facts.max_depth}"
    if facts.skip_rel:
        yield f"or only links with rel={' or '.join(facts.skip_rel)} lead to it (robots.skip_rel)"
    if facts.nofollow:
        yield "or only pages that say nofollow link to it (robots.nofollow)"
    if facts.urls_pending:
        stopped = f"the crawl was stopped by {facts.stopped_by}; " if facts.stopped_by else ""
        yield f"{stopped}{facts.urls_pending:,} URLs are pending, which may lead to it"


def _labelled(label: str, lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines):
        yield "" if number else label, line


def _ruled(rule: str | None) -> str:
    return "scope.include, of which no pattern matches," if rule == "scope.include" else str(rule)


def _explained(reason: str) -> str:
    return f"{reason}: {meaning(reason)}" if meaning(reason) else reason


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _time(time: str | None, now: float) -> str:
    """``2026-11-25 07:52:00 UTC (in 12 s)``."""
    if time is None:
        return "at an unknown time"
    distance_s = _seconds(time) - now
    near = f"in {duration(distance_s)}" if distance_s > 0 else f"{duration(-distance_s)} ago"
    return f"{time[:10]} {time[11:19]} UTC ({near})"
