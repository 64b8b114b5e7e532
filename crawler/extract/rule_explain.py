"""How did fields and links of one rule do on a page, in the order they are written? Made of what was traced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.rule_report import FieldReport, FollowReport, SourceReport
from crawler.extract.rule_source import AnyOf
from crawler.extract.rule_trace import FieldTrace, SourceTrace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.extract.rule_field import Field
    from crawler.extract.rule_follow import Follow
    from crawler.extract.rule_page import RulePage
    from crawler.extract.rule_trace import Trace

_MAX_URLS = 10


def field_reports(fields: dict[str, Field], trace: Trace) -> Iterator[FieldReport]:
    """Of each field, after an object of those within it."""
    for field in fields.values():
        traced = trace.fields.get(id(field)) or FieldTrace()
        yield FieldReport(
            name=field.name,
            sources=tuple(_sources(field, trace)),
            filled=traced.filled,
            objects=traced.objects,
            values=tuple(traced.values),
            errors=tuple(traced.errors),
        )
        yield from field_reports(field.below, trace)
        for alternative in field.alternatives:
            yield from field_reports(alternative.below, trace)


def follow_reports(follows: Sequence[Follow], trace: Trace, page: RulePage) -> Iterator[FollowReport]:
    """Of each entry of ``follow``."""
    for follow in follows:
        hrefs = trace.hrefs.get(id(follow), [])
        urls = [url for href in hrefs[:_MAX_URLS] if (url := page.resolve(href)) is not None]
        yield FollowReport(expression=follow.expression, found=len(hrefs), priority=follow.priority, urls=tuple(urls))


def _sources(field: Field, trace: Trace) -> Iterator[SourceReport]:
    source = field.source
    if isinstance(source, AnyOf):
        for alternative in field.alternatives:
            yield from _sources(alternative, trace)
    elif source is not None:
        traced = trace.sources.get(id(source)) or SourceTrace()
        kind, expression, within = source.label
        yield SourceReport(
            kind=kind, expression=expression, within=within, found=int(traced.found), problem=traced.problem
        )
