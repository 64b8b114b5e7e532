"""What came when? Throughput and errors by time, drawn and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.report import charts
from crawler.report.charts import Label, Series
from crawler.report.markup import NOTHING, Html, joined, tag
from crawler.report.page_tables import Cell, Column, Section, bytes_of, legend, moment, table, whole
from crawler.report.scales import moment_of, size_ticks, ticks, time_name, time_ticks
from crawler.wording import short_time, size

if TYPE_CHECKING:
    from crawler.report.facts import Report, Timeline

_MOST_COLUMNS: Final = 240
_MOST_ROWS: Final = 30
_RATES: Final = ((1, "s"), (60, "min"), (3600, "h"), (86_400, "day"))


def timeline(report: Report) -> Section:
    """Throughput and errors by time."""
    line = report.timeline
    if not (any(line.pages) or any(line.failed) or any(line.others)):
        return Section("timeline", "Timeline", NOTHING)
    steps = _Steps.of(line, _MOST_COLUMNS)
    days = _days(line)
    body = (
        tag("p", f"Each column is {short_time(steps.each_s)}. Times are UTC{days}.", class_="quiet"),
        legend((("c-fetched", "pages"), ("c-other", "other URLs: redirects, exclusions, what is no page"))),
        _rate_chart(
            steps, "Throughput", [("pages", "c-fetched", steps.pages), ("other URLs", "c-other", steps.others)]
        ),
        _rate_chart(steps, "Failures", [("failures", "c-failed", steps.failed)], height=56),
        _size_chart(steps),
        tag("details", tag("summary", "The same as a table"), _rows(_Steps.of(line, _MOST_ROWS))),
    )
    return Section("timeline", "Timeline", joined(body))


class _Steps(NamedTuple):
    """A timeline in few enough steps."""

    began_at: float
    each_s: float
    length_s: float
    pages: list[float]
    failed: list[float]
    others: list[float]
    sizes: list[float]

    @classmethod
    def of(cls, line: Timeline, most: int) -> _Steps:
        """At most `most` steps, each as many of the timeline's as all others but the last."""
        longest = max(len(line.pages), len(line.failed), len(line.others), len(line.body_bytes))
        filled = [
            (*one, *[0] * (longest - len(one))) for one in (line.pages, line.failed, line.others, line.body_bytes)
        ]
        merged = [charts.gathered(one, most) for one in filled]
        sums = [values for values, _ in merged]
        each_s = line.step_s * merged[0][1]
        return cls(line.began_at, each_s, each_s * len(sums[0]), sums[0], sums[1], sums[2], sums[3])

    def name(self, place: int) -> str:
        """When a step began."""
        when = moment_of(self.began_at + place * self.each_s)
        return "" if when is None else f"{when:%Y-%m-%d %H:%M:%S}"

    def labels(self) -> list[Label]:
        """Times along the axis."""
        return [Label(*tick) for tick in time_ticks(self.began_at, self.length_s)]


def _rate_chart(steps: _Steps, title: str, parts: list[tuple[str, str, list[float]]], height: int = 120) -> Html:
    """Counts as rates, in the unit that makes them readable."""
    totals = [sum(values) for values in zip(*(values for _, _, values in parts), strict=True)]
    peak = max(totals)
    each_s = steps.each_s or 1.0
    unit_s, unit = next((rate for rate in _RATES if peak / each_s * rate[0] >= 1), _RATES[-1])
    if not peak:
        unit_s, unit = _RATES[0]
    scale = unit_s / each_s
    at = steps.name(totals.index(peak))
    whole_sum = sum(totals)
    told = f"{whole_sum:,.0f} in all"
    if peak:
        mean = whole_sum / len(totals)
        told += f"; most at {at} UTC: {peak * scale:,.1f} per {unit}; mean {mean * scale:,.2f} per {unit}"
    hints = [
        f"{steps.name(place)}\n" + "\n".join(f"{name}: {values[place]:,.0f}" for name, _, values in parts)
        for place in range(len(totals))
    ]
    drawn = charts.columns(
        title,
        told,
        [Series(name, colour, [value * scale for value in values]) for name, colour, values in parts],
        axis=ticks(peak * scale, 4 if height > 80 else 2),
        value=lambda value: f"{value:,g}",
        below=steps.labels(),
        hints=hints,
        height=height,
    )
    return _figure(f"{title}, URLs per {unit}", told, drawn)


def _size_chart(steps: _Steps) -> Html:
    if not any(steps.sizes):
        return NOTHING
    each_s = steps.each_s or 1.0
    peak = max(steps.sizes)
    at = steps.name(steps.sizes.index(peak))
    told = f"{size(sum(steps.sizes))} in all; most at {at} UTC: {size(peak / each_s)} per s"
    drawn = charts.columns(
        "Bodies after decoding",
        told,
        [Series("bytes", "c-bytes", [value / each_s for value in steps.sizes])],
        axis=size_ticks(peak / each_s, 2),
        value=_round_size,
        below=steps.labels(),
        hints=[f"{steps.name(place)}\n{size(value)}" for place, value in enumerate(steps.sizes)],
        height=56,
    )
    return _figure("Bodies after decoding, bytes per s", told, drawn)


def _rows(steps: _Steps) -> Html:
    columns = (Column("From"), *(Column(name, is_number=True) for name in ("Pages", "Others", "Failed", "Bodies")))
    rows = [
        (
            Cell(moment(steps.began_at + place * steps.each_s), steps.began_at + place * steps.each_s),
            *(whole(int(values[place])) for values in (steps.pages, steps.others, steps.failed)),
            bytes_of(int(steps.sizes[place])),
        )
        for place in range(len(steps.pages))
    ]
    return table(f"What came in steps of {short_time(steps.each_s)}", columns, rows, by="From", is_ascending=True)


def _figure(title: str, told: str, drawn: Html) -> Html:
    return tag("figure", tag("figcaption", tag("b", title), " ", tag("span", told, class_="quiet")), drawn)


def _days(line: Timeline) -> str:
    """The day, where all of it is one."""
    length_s = line.step_s * len(line.pages)
    began, ended = moment_of(line.began_at), moment_of(line.began_at + length_s)
    if began is None or ended is None or began.date() != ended.date():
        return ""
    return f", {time_name(began.replace(hour=0, minute=0, second=0, microsecond=0).timestamp(), 86_400)} {began.year}"


def _round_size(value: float) -> str:
    return size(value).replace(".0 ", " ")
