"""What must the one who reads a report know before anything is made of the data?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crawler.models import Outcome
from crawler.report.markup import NOTHING, Html, joined, shown, tag
from crawler.report.page_tables import Section
from crawler.summary_rules import percent
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.report.facts import Report

_MANY_FAILED: Final = 0.1  # of all URLs


def attention(report: Report) -> Section:
    """What went wrong, was left out or was taken on trust; the worst first."""
    told = [*_of_counts(report), *_of_rules(report), *_of_sites(report), *_of_records(report)]
    told += [shown(remark) for remark in report.remarks]
    items = [tag("li", item) for item in told]
    body = tag("ul", *items, class_="warnings") if items else NOTHING
    return Section("attention", "Needs a look", body, len(items))


def _of_counts(report: Report) -> Iterator[Html]:
    total = sum(report.outcomes.values()) + report.pending
    if total != report.admitted:
        yield tag("b", f"The counts do not add up: {report.admitted:,} admitted, {total:,} accounted for.")
    failed = report.outcomes.get(Outcome.FAILED, 0)
    if report.admitted and failed / report.admitted > _MANY_FAILED:
        most = next((reason for reason in report.reasons if reason.outcome == Outcome.FAILED), None)
        with_reason = joined((f", {most.count:,} of them with ", tag("code", shown(most.reason)))) if most else NOTHING
        yield joined((f"{percent(failed / report.admitted)} of all URLs failed", with_reason, ". ", _see("reasons")))
    if report.seeds.bad:
        yield joined((f"{counted(report.seeds.bad, 'seed')} could not be used. ", _see("asked", "What was asked")))


def _of_rules(report: Report) -> Iterator[Html]:
    for fallen in report.fallen:
        yield joined(("A rule finds less than before: ", shown(fallen), ". ", _see("rules", "Scraping rules")))
    unmatched = [rule.name for rule in report.rules if not rule.pages and not rule.records]
    if unmatched:
        yield joined(("Rules that no page matched: ", shown(", ".join(unmatched), 300), ". ", _see("rules")))


def _of_sites(report: Report) -> Iterator[Html]:
    retired = sum(host.retired is not None for host in report.hosts)
    if retired:
        yield joined((f"{counted(retired, 'host')} given up. ", _see("hosts")))
    if report.traps:
        excluded = counted(sum(trap.excluded for trap in report.traps), "URL")
        told = f"{counted(len(report.traps), 'trap')} stopped, and {excluded} excluded as part of one. "
        yield joined((told, _see("traps")))
    if report.unverified:
        hosts = shown(", ".join(report.unverified), 500)
        yield joined(("Certificates were not checked (", tag("code", "fetch.hosts, verify: false"), "): ", hosts))


def _of_records(report: Report) -> Iterator[Html]:
    if report.needs_js:
        noun = "page looks" if report.needs_js == 1 else "pages look"
        yield tag("span", f"{report.needs_js:,} {noun} empty without JavaScript, which is not run.")
    if report.truncated:
        yield joined(("Some records lack what was too much to keep. ", _see("truncated", "Truncated records")))


def _see(key: str, title: str = "") -> Html:
    return tag("a", f"See {title or key.capitalize()}", href=f"#{key}")
