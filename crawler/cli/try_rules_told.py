"""How does a person read how rules did on a page? What matched how often, what nearly did, and what was rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from crawler.cli.try_rows import LABEL, row, short
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
        yield from _rule_told(report, tried, columns)


def _rule_told(report: RuleReport, tried: Tried, columns: int) -> Iterator[str]:
    near = tried.near
    took = f"{report.elapsed_s * 1000:.1f} ms"
    if not report.is_matched:
        yield f"rule {report.rule}: not for this page ({took})"
        yield f"  {printable(str(report.why_not))}"
        for miss in near.get(tried.kept_by.get(report.rule, ""), ()):
            yield f"  {printable(_miss(miss))}"
        return
    # what the crawl would write says also what is wrong with the whole answer, such as that it is no JSON
    rejects = [msgspec.json.decode(line) for line in tried.lines(f"{report.rule}.rejects")] or [*report.rejects]
    told = (
        f"{counted(report.items, 'item')}, {counted(len(report.records), 'record')}, {counted(len(rejects), 'reject')}"
    )
    yield f"rule {report.rule}: {told} ({took})"
    if each := tried.each.get(report.rule):
        yield from _source_told("each", each, near, columns)
    for field in report.fields if report.items else ():
        yield from _field_told(field, near, columns)
    yield from _rejects_told(rejects, columns)
    if report.follow is not None:
        yield from _follow_told(report.follow, near, columns)


def _field_told(field: FieldReport, near: dict[str, tuple[NearMiss, ...]], columns: int) -> Iterator[str]:
    values = " | ".join(_value(value) for value in field.values[:_VALUES_SHOWN])
    filled = "" if field.objects <= 1 and field.filled else f"{field.filled:,} of {field.objects:,}: "
    more = " | …" if len(field.values) > _VALUES_SHOWN else ""
    yield row(field.name, f"{filled}{values}{more}" if field.filled else "no value", columns, indent=2)
    for source in field.sources:
        yield from _source_told("", source, near, columns)


def _source_told(
    label: str, source: SourceReport, near: dict[str, tuple[NearMiss, ...]], columns: int
) -> Iterator[str]:
    """Cut in the selector, if need be, so that how often it matched can be seen."""
    expression = f"{source.kind} {source.expression or 'the item itself'}"
    if source.within:
        expression += f" in {source.within}"
    if source.kind in ("const", "url", "carried"):
        yield row(label, expression, columns, indent=2)
        return
    found = f" matches {source.found:,}" if source.found else " matches nothing"
    room = columns - LABEL - 2 - len(found)
    yield row(label, f"{short(expression, max(20, room))}{found}", columns, indent=2)
    if source.problem:
        yield row("", f"  {source.problem}", columns, indent=2)
    for miss in near.get(source.expression, ()) if source.kind == "css" and not source.found else ():
        yield row("", _miss(miss), columns, indent=2, is_whole=True)


def _miss(miss: NearMiss) -> str:
    return f"  but {miss.css} matches {miss.found:,}: {miss.why}"


def _rejects_told(rejects: list[dict[str, Any]], columns: int) -> Iterator[str]:
    for number, reject in enumerate(rejects[:_REJECTS_SHOWN], 1):
        for error in reject.get("_errors", ()):
            is_told = error["value"] is None or ", not " in error["expected"]
            got = "" if is_told else f"{_value(error['value'])}: "
            field = f"{error['field']}: " if error["field"] else ""
            yield row(f"reject {number}", f"{field}{got}expected {error['expected']}", columns, indent=2)
    if len(rejects) > _REJECTS_SHOWN:
        yield row("", f"and {len(rejects) - _REJECTS_SHOWN:,} more rejects", columns, indent=2)


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
            yield row("", _miss(miss), columns, indent=2, is_whole=True)
        for url in follow.urls[:_URLS_SHOWN]:
            yield row("", url, columns, indent=2)


def _value(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return short(value, _VALUE_CHARS)
