"""What does one want to know first, and look up last? What was asked, how it ended, whether the counts add up."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from crawler.models import STOPPED, Outcome
from crawler.report import charts
from crawler.report.markup import NOTHING, Html, joined, lines, link, shown, tag
from crawler.report.page_tables import (
    Cell,
    Column,
    Section,
    bar,
    moment,
    of_how_many,
    outcome_colour,
    part,
    span,
    table,
    tiled,
    whole,
)
from crawler.summary_rules import percent
from crawler.wording import counted, duration, printable, short_time, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.report.facts import Report, Run

_MEANING: Final = {
    Outcome.FETCHED: "answered with a success",
    Outcome.REDIRECTED: "led to another URL",
    Outcome.UNCHANGED: "the same as when it was fetched before",
    Outcome.EXCLUDED: "not requested, or not kept, for a reason",
    Outcome.FAILED: "asked for in vain",
}
_IN_MEMORY: Final = "frontier: memory"
_LONG_COMMAND: Final = 2_000  # characters


def head(report: Report) -> Html:
    """The page's first lines: the crawl's name, how it ended, and what it came to."""
    return tag(
        "header",
        tag("p", "Crawl report", class_="kind"),
        tag("h1", shown(report.name, 200), " ", _badge(report)),
        tag("p", *_sentence(report), class_="lead"),
        _way_on(report),
        tag("dl", *(tiled(*tile) for tile in _tiles(report)), class_="tiles"),
    )


def counts(report: Report) -> Section:
    """Every admitted URL, by how it ended."""
    terms = [(str(end), report.outcomes.get(end, 0), _MEANING[end]) for end in Outcome]
    terms += [(end, count, "") for end, count in report.outcomes.items() if end not in _MEANING]
    terms.append(("pending", report.pending, "not fetched yet"))
    written = [tag("span", tag("b", f"{report.admitted:,}"), " admitted")]
    for place, (end, count, _) in enumerate(terms):
        written.append(tag("span", "= " if not place else "+ ", tag("b", f"{count:,}"), f" {printable(end)}"))
    rows = [
        (
            Cell(joined((tag("i", class_=f"key {outcome_colour(end)}"), shown(end)))),
            whole(count),
            part(count, report.admitted),
            bar([(outcome_colour(end), count)], report.admitted),
            Cell(_with_pages(report, meaning) if end == Outcome.FETCHED else meaning),
        )
        for end, count, meaning in terms
    ]
    columns = (
        *(Column("Outcome"), Column("URLs", is_number=True), Column("Share", is_number=True)),
        *(Column("Part", kind="drawn", is_sortable=False), Column("Meaning", kind="wide", is_sortable=False)),
    )
    whole_bar = charts.bar([(outcome_colour(end), count) for end, count, _ in terms], report.admitted)
    body = [tag("p", joined(written, " "), class_="sum"), tag("div", whole_bar, class_="whole")]
    if report.generation > 1:
        body.append(tag("p", *_refreshed(report)))
    return Section("counts", "Counts", joined((*body, table("Admitted URLs by how they ended", columns, rows))))


def _refreshed(report: Report) -> Iterator[str]:
    """What a refresh found as it was, and how it knows."""
    yield f"Generation {report.generation:,}. Of {counted(report.pages, 'page')}, {report.kept:,} "
    yield f"{'is' if report.kept == 1 else 'are'} as the generation before has fetched them "
    yield f"({size(report.kept_bytes)} of bodies, decoded). "
    unchanged = {reason.reason: reason.count for reason in report.reasons if reason.outcome == Outcome.UNCHANGED}
    if unchanged:
        yield f"Of {counted(sum(unchanged.values()), 'unchanged URL')}, "
        told = {"not_modified": "answered 304", "same_content": "sent the same again", "": "were not asked for"}
        sums = dict.fromkeys(told, 0)
        for reason, count in unchanged.items():
            sums[reason if reason in told else ""] += count
        yield ", ".join(f"{count:,} {told[reason]}" for reason, count in sums.items()) + "."


def asked(report: Report) -> Section:
    """The seeds, and how the crawl was started."""
    seeds = report.seeds
    otherwise = seeds.given - seeds.fetched - seeds.bad
    told = f"{counted(seeds.given, 'seed')} given: {seeds.fetched:,} fetched, {seeds.bad:,} bad"
    told += f", {otherwise:,} that ended otherwise or are pending." if otherwise > 0 else "."
    items = [tag("li", link(item)) for item in seeds.items]
    if seeds.n_items > len(items):
        items.append(tag("li", f"and {seeds.n_items - len(items):,} more", class_="quiet"))
    bad = table(
        of_how_many("bad seed", len(seeds.bad_examples), seeds.bad),
        (Column("As given"), Column("Why")),
        [(Cell(shown(given, 300)), Cell(shown(why, 300))) for given, why in seeds.bad_examples],
    )
    place = tag("p", "Files in ", tag("code", shown(report.directory)), class_="quiet")
    return Section("asked", "What was asked", joined((tag("p", told), tag("ul", *items, class_="urls"), place, bad)))


def runs(report: Report) -> Section:
    """Each time the crawl was run, with its command."""
    columns = (
        *(Column("Began"), Column("Ended"), Column("Took", is_number=True), Column("How it ended", kind="word")),
        *(Column("Command", kind="wide"), Column("With")),
    )
    body = table(of_how_many("run", len(report.runs), len(report.runs)), columns, map(_run, report.runs))
    return Section("runs", "Runs and commands", body, len(report.runs))


def configuration(report: Report) -> Section:
    """What applied, as YAML."""
    if not report.config.strip():
        return Section("configuration", "Configuration", NOTHING)
    text = lines(report.config.rstrip("\n"))
    told = f"The effective configuration, secrets left out ({counted(text.count(chr(10)) + 1, 'line')})"
    body = tag("details", tag("summary", told), tag("pre", tag("code", text), class_="box", data_name="Configuration"))
    return Section("configuration", "Configuration", body)


def _badge(report: Report) -> Html:
    return tag("span", shown(_state(report)), class_="badge ok" if report.complete else "badge open")


def _state(report: Report) -> str:
    if report.state == "running":
        return "running"
    if report.complete:
        return "complete"
    if report.stopped_by and report.stopped_by != STOPPED:
        return f"stopped by {report.stopped_by}"
    return "interrupted" if report.stopped_by else report.state


def _sentence(report: Report) -> Iterator[str]:
    per_s = report.pages / report.elapsed_s if report.elapsed_s > 0 else 0.0
    yield f"{counted(report.pages, 'page')} from {counted(report.n_hosts, 'host')}"
    yield f" in {duration(report.elapsed_s)} ({per_s:,.1f} a second). "
    if report.began_at is not None:
        yield joined(("From ", moment(report.began_at), " to ", moment(report.ended_at), " UTC. "))
    failed = report.outcomes.get(Outcome.FAILED, 0)
    left = f"{counted(report.pending, 'URL')} left to fetch" if report.pending else "nothing is left to fetch"
    yield f"Of {counted(report.admitted, 'URL')}, {failed:,} failed; {left}."


def _way_on(report: Report) -> Html | None:
    """What to type where something is left to fetch, and was kept."""
    if not report.pending or report.state == "running" or _IN_MEMORY in report.config.splitlines():
        return None
    beyond = f" --set {report.stopped_by}=null" if (report.stopped_by or "").startswith("budget.") else ""
    elsewhere = f" -o {shlex.quote(report.pages_file)}" if report.pages_file else ""
    command = f"crawler crawl -d {shlex.quote(report.directory)} --resume{elsewhere}{beyond}"
    return tag("p", "Go on with ", tag("code", shown(command)))


def _tiles(report: Report) -> Iterator[tuple[str, str, str]]:
    failed = report.outcomes.get(Outcome.FAILED, 0)
    per_s = report.pages / report.elapsed_s if report.elapsed_s > 0 else 0.0
    yield "Pages", f"{report.pages:,}", f"{per_s:,.1f} a second"
    yield "Failed", f"{failed:,}", f"{percent(charts.share(failed, report.admitted))} of URLs"
    yield "Pending", f"{report.pending:,}", f"of {counted(report.admitted, 'URL')}"
    yield "Transferred", size(report.wire_bytes), f"{size(report.body_bytes)} decoded"
    yield "Answers", f"{report.attempts:,}", f"{counted(report.snoozes, 'time')} put off"
    if report.latency.count:
        yield "Median answer", short_time(report.latency.p50_s), f"99 % within {short_time(report.latency.p99_s)}"
    if report.rules:
        kinds = counted(len(report.rules), "rule")
        yield "Scraped", f"{sum(rule.records for rule in report.rules):,}", f"records of {kinds}"


def _with_pages(report: Report, meaning: str) -> str:
    return f"{meaning}; {report.pages:,} with a page record"


def _run(run: Run) -> tuple[Cell, ...]:
    took = None if run.ended_at is None else run.ended_at - run.began_at
    command = tag("code", shown(run.command, _LONG_COMMAND)) if run.command else "from Python"
    return (
        Cell(moment(run.began_at), run.began_at),
        Cell(moment(run.ended_at), "" if run.ended_at is None else run.ended_at),
        span(took),
        Cell(shown(run.ended or "never said: killed, or still running")),
        Cell(command),
        Cell(shown(run.version)),
    )
