"""How did hosts fare? How fast they answered, what they gave, how gently they were asked, and what they forbade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.report import charts
from crawler.report.charts import Label, Series
from crawler.report.markup import NOTHING, Html, joined, shown, tag
from crawler.report.page_tables import (
    UNKNOWN,
    Cell,
    Column,
    Section,
    bytes_of,
    maybe_whole,
    of_how_many,
    seconds,
    several_urls,
    span,
    table,
    tiled,
    whole,
)
from crawler.report.scales import ticks
from crawler.wording import counted, delay, short_time

if TYPE_CHECKING:
    from crawler.report.facts import Host, Latency, Report

_MOST_LABELS = 7
_SHORTEST_S = 0.0005  # the least that is told apart on the shared scale


def latency(report: Report) -> Section:
    """How long answers took, overall and by host."""
    if not report.latency.count:
        return Section("latency", "Latency", NOTHING)
    measured = [host for host in report.hosts if host.latency.count]
    body = (_overall(report.latency), _by_host(measured, report.other_hosts))
    return Section("latency", "Latency", joined(body))


def hosts(report: Report) -> Section:
    """What each host gave, and its pace."""
    columns = (
        Column("Host", kind="host"),
        *(
            Column(title, is_number=True)
            for title in ("Pages", "Size", "Redir.", "Excl.", "Failed", "Other", "Pending")
        ),
        *(Column("Requests", is_number=True), Column("Delay", kind="delay"), Column("Waited", is_number=True)),
    )
    caption = of_how_many("host", len(report.hosts), report.n_hosts, "the most pages first")
    note = (
        "Delay is the pause between requests in force at the end, and why it is that; waited is for how long something "
        "of the host was to be requested and its pace or a rest forbade it. Redir. is redirected, excl. excluded; "
        "other is what was fetched and is no page, and what is unchanged."
    )
    others = report.other_hosts
    foot = None if others is None else _host(others)
    drawn = table(caption, columns, map(_host, report.hosts), by="Pages", foot=foot)
    body = joined((tag("p", note, class_="quiet"), drawn))
    return Section("hosts", "Hosts", body if report.hosts else NOTHING, report.n_hosts)


def robots(report: Report) -> Section:
    """What robots.txt said."""
    columns = (
        *(Column("Origin", kind="host"), Column("Verdict"), Column("URLs it disallows", is_number=True)),
        *(Column("Crawl-delay", is_number=True), Column("Sitemaps", is_number=True)),
    )
    rows = [
        (
            Cell(shown(one.origin, 300)),
            Cell(shown(one.verdict, 200)),
            whole(one.disallowed),
            UNKNOWN if one.crawl_delay_s is None else Cell(delay(one.crawl_delay_s), one.crawl_delay_s),
            whole(one.sitemaps),
        )
        for one in report.robots
    ]
    caption = of_how_many("origin", len(rows), report.n_robots, "the most disallowed first")
    return Section("robots", "robots.txt", table(caption, columns, rows), report.n_robots)


def refusals(report: Report) -> Section:
    """Links that scope kept out."""
    columns = (
        *(Column("Rule"), Column("Links", is_number=True)),
        Column("Examples", kind="examples", is_sortable=False),
    )
    rows = [
        (Cell(tag("code", shown(one.rule, 300))), whole(one.count), several_urls(one.examples, one.count))
        for one in report.refusals
    ]
    total = sum(one.count for one in report.refusals)
    caption = f"{counted(total, 'link')} kept out, by the rule that did, the most first"
    return Section("refusals", "Links out of scope", table(caption, columns, rows, by="Links"), total)


def _overall(answers: Latency) -> Html:
    """Percentiles as text, and the distribution drawn."""
    values = (
        *(("Mean", answers.mean_s), ("Median", answers.p50_s), ("90 % within", answers.p90_s)),
        *(("99 % within", answers.p99_s), ("Longest", answers.max_s)),
    )
    told = tag("dl", *(tiled(name, short_time(value)) for name, value in values), class_="tiles")
    return joined((told, _distribution(answers)))


def _distribution(answers: Latency) -> Html:
    used = [place for place, count in enumerate(answers.buckets) if count]
    if not used or len(answers.buckets) != len(answers.bounds_s) + 1:
        return NOTHING
    first, last = used[0], used[-1]
    counts = answers.buckets[first : last + 1]
    ends = [*(answers.bounds_s[place] for place in range(first, min(last + 1, len(answers.bounds_s))))]
    begins = [answers.bounds_s[first - 1] if first else 0.0, *ends]
    hints = [
        f"{short_time(begins[place])} to {short_time(ends[place])}: {count:,}"
        if place < len(ends)
        else f"over {short_time(begins[place])}: {count:,}"
        for place, count in enumerate(counts)
    ]
    below = _edges(ends, len(counts))
    told = f"{counted(answers.count, 'answer')}: half within {short_time(answers.p50_s)}, 90 % within "
    told += (
        f"{short_time(answers.p90_s)}, 99 % within {short_time(answers.p99_s)}, the longest {short_time(answers.max_s)}"
    )
    drawn = charts.columns(
        "Answers by how long they took",
        told,
        [Series("answers", "c-fetched", counts)],
        axis=ticks(max(counts), 3),
        value=lambda value: f"{value:,g}",
        below=below,
        marks=[
            Label(_place(value, begins, ends, len(counts)), name)
            for name, value in (("50 %", answers.p50_s), ("90 %", answers.p90_s), ("99 %", answers.p99_s))
        ],
        hints=hints,
    )
    caption = tag(
        "figcaption", tag("b", "Answers by how long they took"), tag("span", " (logarithmic)", class_="quiet")
    )
    return tag("figure", caption, drawn)


def _edges(ends: list[float], columns: int) -> list[Label]:
    """Names of some buckets' ends, at equal distances."""
    every = max(1, -(-len(ends) // _MOST_LABELS))
    return [Label((place + 1) / columns, short_time(ends[place])) for place in range(every - 1, len(ends), every)]


def _place(value: float, begins: list[float], ends: list[float], columns: int) -> float:
    """Where a time stands among buckets of equal width."""
    for place, end in enumerate(ends):
        if value <= end:
            low = begins[place]
            within = (value - low) / (end - low) if end > low else 1.0
            return (place + min(max(within, 0.0), 1.0)) / columns
    return 1.0


def _by_host(measured: list[Host], others: Host | None) -> Html:
    columns = (
        *(Column("Host", kind="host"), Column("Answers", is_number=True)),
        *(Column(title, is_number=True) for title in ("Mean", "Median", "90 %", "99 %", "Longest")),
        Column("Median to longest", kind="drawn wide", is_sortable=False),
    )
    low = max(_SHORTEST_S, min((host.latency.p50_s for host in measured), default=0.0))
    scale = (low * 0.8, max((host.latency.max_s for host in measured), default=1.0))
    rows = [_answers(host, scale) for host in sorted(measured, key=lambda host: -host.latency.p50_s)]
    foot = _answers(others, scale) if others and others.latency.count else None
    caption = f"{counted(len(rows), 'host')}, the slowest first" + (", of those with the most pages" if others else "")
    note = tag(
        "p",
        f"Drawn from {short_time(scale[0])} to {short_time(scale[1])}, logarithmic: the upright line is the median, "
        "the thick bar goes to 90 %, the thin one to 99 %, the dot is the longest.",
        class_="quiet",
    )
    return joined((note, table(caption, columns, rows, by="Median", foot=foot))) if rows else NOTHING


def _answers(host: Host, scale: tuple[float, float]) -> tuple[Cell, ...]:
    one = host.latency
    return (
        Cell(shown(host.host, 255)),
        whole(one.count),
        *(seconds(value) for value in (one.mean_s, one.p50_s, one.p90_s, one.p99_s, one.max_s)),
        Cell(charts.spread(one.p50_s, one.p90_s, one.p99_s, one.max_s, scale)),
    )


def _host(host: Host) -> tuple[Cell, ...]:
    name = shown(host.host, 255)
    if host.retired is not None:
        name = joined((name, " ", tag("span", "given up: ", shown(host.retired, 200), class_="note")))
    why = tag("span", shown(host.why, 200), class_="note") if host.why else None
    pace = joined(part for part in (tag("span", delay(host.delay_s)), why) if part is not None)
    return (
        Cell(name),
        whole(host.pages),
        bytes_of(host.body_bytes),
        *(whole(count) for count in (host.redirected, host.excluded, host.failed, host.others, host.pending)),
        maybe_whole(host.requests),
        Cell(pace, host.delay_s) if host.why or host.delay_s else UNKNOWN,
        span(host.waited_s),
    )
