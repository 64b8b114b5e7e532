"""How does a person read how rules did on a page? What matched how often, what nearly did, and what was rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.cli.try_rows import row, short
from crawler.wording import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.cli.try_runs import Tried
    from crawler.extract.near_misses import NearMiss
    from crawler.extract.rule_report import FieldReport, FollowReport, RuleReport, SourceReport

_VALUES_SHOWN = 3
_REJECTS_SHOWN = 3
_URLS_SHOWN = 3
_VALUE_CHARS = 50


def rules_told(tried: Tried, columns: int) -> Iterator[str]:
    """Each rule, after an empty line."""
    for report in tried.reports:
        yield ""
        yield from _rule_told(report, tried.near, columns)


def _rule_told(report: RuleReport, near: dict[str, tuple[NearMiss, ...]], columns: int) -> Iterator[str]:
    took = f"{report.elapsed_s * 1000:.1f} ms"
    if not report.is_matched:
        yield f"rule {report.rule}: not for this page ({took})"
        yield f"  {printable(str(report.why_not))}"
        return
    records, rejects = counted(len(report.records), "record"), counted(len(report.rejects), "reject")
    yield f"rule {report.rule}: {counted(report.items, 'item')}, {records}, {rejects} ({took})"
    for field in report.fields:
        yield from _field_told(field, near, columns)
    yield from _rejects_told(report, columns)
    if report.follow is not None:
        yield from _follow_told(report.follow, near, columns)


def _field_told(field: FieldReport, near: dict[str, tuple[NearMiss, ...]], columns: int) -> Iterator[str]:
    values = " | ".join(_value(value) for value in field.values[:_VALUES_SHOWN])
    filled = "" if field.objects <= 1 and field.filled else f"{field.filled:,} of {field.objects:,}: "
    more = " | …" if len(field.values) > _VALUES_SHOWN else ""
    yield row(field.name, f"{filled}{values}{more}" if field.filled else "no value", columns, indent=2)
    for source in field.sources:
        yield row("", _source(source), columns, indent=2)
        for miss in near.get(source.expression, ()) if source.kind == "css" and not source.found else ():
            yield row("", _miss(miss), columns, indent=2)


def _source(source: SourceReport) -> str:
    if source.kind in ("const", "url", "carried"):
        return f"{source.kind} {source.expression}"
    found = f"matches {source.found:,}" if source.found else "matches nothing"
    within = f" in {source.within}" if source.within else ""
    problem = f": {source.problem}" if source.problem else ""
    expression = source.expression or "the item itself"
    return f"{source.kind} {expression}{within} {found}{problem}"


def _miss(miss: NearMiss) -> str:
    return f"  but {miss.css} matches {miss.found:,}: {miss.why}"


def _rejects_told(report: RuleReport, columns: int) -> Iterator[str]:
    for number, reject in enumerate(report.rejects[:_REJECTS_SHOWN], 1):
        for error in reject.get("_errors", ()):
            got = "" if error["value"] is None else f"{_value(error['value'])}: "
            field = f"{error['field']}: " if error["field"] else ""
            yield row(f"reject {number}", f"{field}{got}expected {error['expected']}", columns, indent=2)
    if len(report.rejects) > _REJECTS_SHOWN:
        yield row("", f"and {len(report.rejects) - _REJECTS_SHOWN:,} more rejects", columns, indent=2)


def _follow_told(
    follows: tuple[FollowReport, ...], near: dict[str, tuple[NearMiss, ...]], columns: int
) -> Iterator[str]:
    if not follows:
        yield row("follow", "none of the links of these pages", columns, indent=2)
    for follow in follows:
        found = counted(follow.found, "link") if follow.found else "no link"
        text = f"{follow.expression}: {found}, priority {follow.priority}"
        yield row("follow", text, columns, indent=2)
        for miss in () if follow.found else near.get(follow.expression, ()):
            yield row("", _miss(miss), columns, indent=2)
        for url in follow.urls[:_URLS_SHOWN]:
            yield row("", url, columns, indent=2)


def _value(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return short(value, _VALUE_CHARS)
