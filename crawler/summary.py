"""What does a person see of a run that is over? An account of every URL, made from its last `Snapshot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.models import STOPPED, Outcome
from crawler.sinks import REJECTS, rejects_of
from crawler.summary_rules import fallen_told, rules_told
from crawler.summary_traps import traps_told
from crawler.wording import counted, duration, meaning, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.fleet.status import Totals
    from crawler.rule_health import RuleSummary
    from crawler.seedlist import SeedTally
    from crawler.stats import HostTally, Snapshot
    from crawler.traps.verdict import Verdict

_PAGES_PER_HOST = "budget.pages_per_host"

_COLUMNS = 80
_MAX_ROWS = 10  # of one table
_MAX_RULE = 48  # characters
_MAX_EXAMPLE = 100


_NO_RULES: dict[str, RuleSummary] = {}


def summary(
    snapshot: Snapshot,
    *,
    stopped_by: str | None,
    directory: Path,
    elapsed_s: float,
    seeds: SeedTally,
    files: Sequence[str] = (),
    pages: Path | None = None,
    resume: str = "",
    rules: Mapping[str, RuleSummary] = _NO_RULES,
    fallen: Sequence[str] = (),
    unverified: Sequence[str] = (),
    traps: Sequence[Verdict] = (),
    totals: Totals | None = None,
) -> str:
    """The account of a run that is over, without a last newline.

    Every table's rows add up to the number beside its title.

    Args:
        snapshot: Taken after the last commit.
        stopped_by: What ended the run early: ``budget.pages``, ``budget.time``, ``stop``; None if nothing is left to
            fetch.
        directory: Where the crawl lies.
        elapsed_s: Of this run alone.
        seeds: How the seed list fared.
        files: Names of its files.
        pages: The file with the page records, where it is not ``pages.jsonl`` in `directory`.
        resume: The command that goes on with it; empty if none can.
        rules: How each scraping rule fared.
        fallen: What rules find less of than before.
        unverified: Host patterns whose certificates were not checked.
        traps: What was stopped as a trap.
        totals: Of one worker of several: what all of them came to.
    """
    tables = [
        _seeds(seeds),
        *([_whole(totals)] if totals else []),
        _Table("Ended here" if totals else "Admitted URLs", snapshot.admitted, _account(snapshot)),
        _reasons(snapshot, Outcome.FAILED, "Failed", "for other reasons"),
        _reasons(snapshot, Outcome.EXCLUDED, "Excluded", "for other reasons"),
        _reasons(snapshot, Outcome.REDIRECTED, "Redirected", "to a URL in scope"),
        _reasons(snapshot, Outcome.FETCHED, "Fetched", "with a page record"),
        _reasons(snapshot, Outcome.UNCHANGED, "Unchanged", "for other reasons"),
        _hosts(snapshot.hosts),
        _refusals(snapshot),
    ]
    shown = [table for table in tables if table.rows]
    labels = max(max(len(table.title), *(len(row.label) + 2 for row in table.rows)) for table in shown)
    digits = max(len(f"{table.total:,}") for table in shown)
    sections = [_headline(snapshot, elapsed_s, _how(stopped_by, seeds, totals))]
    sections += [table.text(labels, digits) for table in shown]
    if snapshot.needs_js:
        sections.append(f"Pages that look empty without JavaScript: {snapshot.needs_js:,}")
    if unverified:
        sections.append(f"Certificates were not checked (fetch.hosts, verify: false): {', '.join(unverified)}")
    sections += [text for text in (traps_told(traps), rules_told(rules), fallen_told(fallen)) if text]
    sections.append(_files(snapshot, directory, files, pages, rules))
    sections += _way_on(stopped_by, resume, seeds.unread)
    return "\n\n".join(sections)


def _way_on(stopped_by: str | None, resume: str, unread: Sequence[str]) -> Iterator[str]:
    if unread:
        yield f"Not read to its end, and not given again (with --resume): {printable(', '.join(unread), _MAX_EXAMPLE)}"
    if stopped_by and not resume:
        yield "What is written stays. The queue was in memory (frontier: memory): crawl anew with --fresh."
    elif stopped_by == STOPPED:
        yield f"Nothing is lost. Go on with:\n  {resume}"
    elif stopped_by:
        kept = "What is left is kept. "
        if stopped_by == _PAGES_PER_HOST:
            kept = f"What is left is kept: every host with URLs left is at its {_PAGES_PER_HOST}.\n"
        yield f"{kept}Go on beyond the budget with:\n  {resume} --set {stopped_by}=null"


class _Row(NamedTuple):
    label: str
    number: int
    note: str = ""


class _Table(NamedTuple):
    title: str
    total: int
    rows: list[_Row]

    def text(self, labels: int, digits: int) -> str:
        """Rows under their title, in columns `labels` and `digits` wide."""
        rows = [f"  {label:<{labels - 2}}  {number:>{digits},}  {note}".rstrip() for label, number, note in self.rows]
        return "\n".join((f"{self.title:<{labels}}  {self.total:>{digits},}", *rows))


def _headline(snapshot: Snapshot, elapsed_s: float, how: str) -> str:
    """How the crawl ended and what it brought; after a resumed run, every number is of the whole crawl."""
    resumed = snapshot.elapsed_s > elapsed_s + 1  # the snapshot's clock starts a little after the caller's
    whole_s = snapshot.elapsed_s if resumed else elapsed_s
    per_s = snapshot.pages / whole_s if whole_s > 0 else 0.0
    this_run = f", {duration(elapsed_s)} of it in this run" if resumed else ""
    pages = f"{counted(snapshot.pages, 'page')} in {duration(whole_s)} ({per_s:,.1f} a second)"
    answers = f"{size(snapshot.wire_bytes)} in {counted(snapshot.attempts, 'answer')}{this_run}"
    how = f"{how}:"
    between = " " if len(how) + len(pages) < _COLUMNS else "\n"
    return f"{how}{between}{pages}\n{answers}"


def _how(stopped_by: str | None, seeds: SeedTally, totals: Totals | None) -> str:
    if stopped_by == STOPPED:
        return "Worker interrupted" if totals else "Crawl interrupted"
    if stopped_by:
        return f"Crawl stopped by {stopped_by}"
    fetched = totals.outcomes.get(Outcome.FETCHED) if totals else seeds.fetched
    return "Crawl complete" if fetched else "No seed could be fetched"


def _seeds(seeds: SeedTally) -> _Table:
    """How the seed list fared; all fetched is not worth a table."""
    if seeds.fetched == seeds.given:
        return _Table("Seeds", seeds.given, [])
    example = f"such as {printable(seeds.bad_examples[0], _MAX_EXAMPLE)}" if seeds.bad_examples else ""
    rows = [_Row("fetched", seeds.fetched), *[_Row("bad", seeds.bad, example)] * bool(seeds.bad)]
    return _Table("Seeds", seeds.given, _with_rest(rows, seeds.given, "other"))


def _account(snapshot: Snapshot) -> list[_Row]:
    """The terms whose sum is `admitted`; of those that are zero only the two everybody looks for."""
    always = (Outcome.FETCHED, Outcome.FAILED)
    rows = [_Row(outcome, count) for outcome, count in snapshot.outcomes.items() if count or outcome in always]
    return rows + [_Row("pending", snapshot.queued, "not fetched yet")] * bool(snapshot.queued)


def _whole(totals: Totals) -> _Table:
    """What all workers came to."""
    rows = [_Row(outcome, count) for outcome, count in totals.outcomes.items() if count]
    rows += [_Row("pending", totals.pending, "not fetched yet")] * bool(totals.pending)
    return _Table("Admitted URLs, all workers", totals.admitted, rows or [_Row("pending", 0)])


def _reasons(snapshot: Snapshot, outcome: Outcome, title: str, rest: str) -> _Table:
    """URLs of one outcome by reason. Without any reason there is nothing to tell: no rows."""
    rows = [_Row(reason, count, meaning(reason)) for (end, reason), count in snapshot.reasons.items() if end is outcome]
    return _Table(title, snapshot.outcomes[outcome], _with_rest(rows, snapshot.outcomes[outcome], rest))


def _hosts(hosts: HostTally) -> _Table:
    """Hosts of which not everything was asked for."""
    rows = [
        _Row("breaker", hosts.given_up, "failed breaker.failures times in a row, and once more after a rest"),
        _Row("dns", hosts.unresolved, meaning("dns")),
        _Row(_PAGES_PER_HOST, hosts.set_aside, "have so many pages; their other URLs stay pending"),
    ]
    return _Table("Hosts given up or set aside", sum(row.number for row in rows), [row for row in rows if row.number])


def _refusals(snapshot: Snapshot) -> _Table:
    """Links that scope kept out, by rule."""
    total = sum(refusal.count for refusal in snapshot.refusals.values())
    rows = [
        _Row(
            printable(rule, _MAX_RULE),
            refusal.count,
            f"such as {printable(refusal.examples[0], _MAX_EXAMPLE)}" if refusal.examples else "",
        )
        for rule, refusal in snapshot.refusals.items()
    ]
    return _Table("Links kept out by scope", total, _with_rest(rows, total, "by other rules"))


def _with_rest(rows: list[_Row], total: int, rest: str) -> list[_Row]:
    """The first rows, and one called `rest` for what they lack of `total`."""
    shown = rows[:_MAX_ROWS]
    lacking = total - sum(row.number for row in shown)
    return [*shown, _Row(rest, lacking)] if shown and lacking else shown


_CONTENTS = {
    "pages.jsonl": "",  # its number of records
    "outcomes.jsonl": "how every other URL ended, and why",
    "links.jsonl": "which page links to which",
    "sitemaps.jsonl": "what each sitemap lists",
    "changes.jsonl": "what became of each page since the generation before",
    "files.jsonl": "each body kept under files/",
    "files": "bodies by the digest of their content",
    "warc": "the archive, for `crawler reparse`",
    "report.html": "this and more as a page, for a browser",
    "seeds.jsonl": "what became of each seed",
    "summary.json": "these numbers",
    "runs.jsonl": "each run: its command, and how it ended",
    "crawl.db": "every URL, for `crawler why` and SQL",
    "crawl.yaml": "the configuration that applied",
    "crawl.log": "what went on, by time",
}


def _files(
    snapshot: Snapshot,
    directory: Path,
    files: Sequence[str],
    pages: Path | None,
    rules: Mapping[str, RuleSummary],
) -> str:
    contents = _CONTENTS | {"pages.jsonl": counted(snapshot.pages, "page record")}
    for name, rule in rules.items():
        contents[f"{name}.jsonl"] = f"{counted(rule.records, 'record')} of rule {name}"
        contents[f"{rejects_of(name)}.jsonl"] = f"{counted(rule.rejects, 'reject')} of rule {name}, and why"
    rows = [(name, _content(name.removesuffix(".gz").removesuffix(".zst"), contents)) for name in files]
    width = max((len(name) for name, _ in rows), default=0)
    lines = [] if pages is None else [f"{contents['pages.jsonl']} in {printable(str(pages))}"]
    lines.append(f"Files in {printable(str(directory))}")
    return "\n".join([*lines, *(f"  {name:<{width}}  {content}" for name, content in rows)])


def _content(name: str, contents: Mapping[str, str]) -> str:
    """What a file holds; one that is not known by name is a rule's."""
    if name in contents:
        return contents[name]
    if name.startswith("crawl.log."):
        return "what went on before"
    rule = name.removesuffix(".jsonl")
    if rule.endswith(REJECTS):
        return f"what rule {rule.removesuffix(REJECTS)} rejected, and why"
    return f"records of rule {rule}"
