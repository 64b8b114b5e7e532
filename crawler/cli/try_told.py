"""How does a person read a page's record, and where it leads?

A line a key, as wide as the terminal; long texts cut, with their length; lists counted, with their first items.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.cli.try_rows import LABEL, row, short
from crawler.cli.try_rules_told import rules_told
from crawler.models import PAGES, ParseFailure
from crawler.wording import counted, duration, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.cli.try_pages import Got
    from crawler.cli.try_runs import Tried
    from crawler.models import Page

_LIST_SHOWN = 3
_EMPTY: tuple[Any, ...] = ([], {}, "")
_URLS_SHOWN = 5
_OURS = frozenset(("_url", "_fetched_at", "_rule"))


def told(got: Got, tried: Tried, columns: int) -> str:
    """All there is to say of one answer, without a last newline."""
    return "\n".join(_lines(got, tried, columns))


def _lines(got: Got, tried: Tried, columns: int) -> Iterator[str]:
    yield from _page_told(got, tried, columns)
    if tried.reports:
        yield from rules_told(tried, columns)
    if not isinstance(tried.page, ParseFailure):
        yield from _hook_told(tried, columns)
        yield from _links_told(tried, tried.page, columns)


def _page_told(got: Got, tried: Tried, columns: int) -> Iterator[str]:
    records = tried.lines(PAGES)
    if not records:
        if got.response is not None:
            content_type = got.response.header(b"content-type") or "no Content-Type"
            head = f"{got.response.status}, {content_type}, {size(len(got.response.body))}"
            yield row("url", got.response.url, columns)
            yield row("answer", head, columns)
        return
    record: dict[str, Any] = msgspec.json.decode(records[0])
    absent = [key for key, value in record.items() if value is None]
    for key, value in record.items():
        if value not in _EMPTY and value is not None:
            yield row(key, _shown(value, columns - LABEL), columns)
    empty = [key for key, value in record.items() if value in _EMPTY]
    for label, keys in (("empty", empty), ("null", absent)):
        for number, line in enumerate(textwrap.wrap(", ".join(keys), columns - LABEL)):
            yield row("" if number else label, line, columns)
    yield row("", f"extracted in {duration(tried.elapsed_s)}, start of the parser included", columns)


def _shown(value: Any, room: int) -> str:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, str):
        text = " ".join(value.split())
        return text if len(text) <= room or " " not in text else f"{len(value):,} characters: {text}"
    if isinstance(value, list):
        if len(value) == 1 and not isinstance(value[0], list | dict):
            return _shown(value[0], room)
        return f"{len(value):,}: {', '.join(_item(item) for item in value[:_LIST_SHOWN])}" + (
            ", …" if len(value) > _LIST_SHOWN else ""
        )
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_item(item)}" for key, item in value.items())
    return f"{value:,}" if type(value) is int and value >= 10_000 else short(value)


def _item(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict) and "url" in value:
        text = value.get("text") or value.get("alt")
        return f"{value['url']}" + (f" ({printable(str(text), 30)})" if text else "")
    if isinstance(value, dict) and "text" in value:
        return str(value["text"])[:60]
    return short(value)


def _hook_told(tried: Tried, columns: int) -> Iterator[str]:
    """Records that are neither the page's nor a rule's."""
    rules = {name for report in tried.reports for name in (report.rule, f"{report.rule}.rejects")}
    page = tried.page
    for sink, lines in () if isinstance(page, ParseFailure) else page.records:
        if sink != PAGES and sink not in rules:
            found = lines.split(b"\n")
            yield ""
            yield f"{sink}: {counted(len(found), 'record')}"
            for line in found[:_LIST_SHOWN]:
                own = {key: value for key, value in msgspec.json.decode(line).items() if key not in _OURS}
                yield row("", short(own, columns), columns, indent=2)


def _links_told(tried: Tried, page: Page, columns: int) -> Iterator[str]:
    refused = sum(refusal.count for refusal in page.refusals)
    yield ""
    yield f"links: {len(page.links):,} would be followed, {refused:,} would not"
    for priority in sorted({link.priority for link in page.links}):
        urls = [link.url for link in page.links if link.priority == priority]
        rules = {
            report.rule for report in tried.reports for follow in report.follow or () if follow.priority == priority
        }
        by = f", by rule {', '.join(sorted(rules))}" if rules else ""
        yield row("followed", f"{len(urls):,} with priority {priority}{by}", columns, indent=2)
        for url in urls[:_URLS_SHOWN]:
            yield row("", url, columns, indent=2)
        if len(urls) > _URLS_SHOWN:
            yield row("", f"and {len(urls) - _URLS_SHOWN:,} more", columns, indent=2)
    for refusal in page.refusals:
        yield row("not followed", f"{refusal.count:,} by {refusal.rule}", columns, indent=2)
        for example in refusal.examples:
            yield row("", example, columns, indent=2)
