"""What did servers answer? How URLs ended and why, statuses and types, depth, languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crawler.models import Outcome
from crawler.report.markup import NOTHING, Html, joined, shown, tag
from crawler.report.page_tables import (
    Cell,
    Column,
    Section,
    bar,
    legend,
    outcome_colour,
    part,
    several_urls,
    table,
    whole,
)
from crawler.wording import counted, meaning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.report.facts import Report

_MOST_KINDS: Final = 12  # rows of a small table; the others are counted together

DRAWN: Final = Column("Part", kind="drawn", is_sortable=False)
URLS: Final = Column("URLs", is_number=True)
SHARE: Final = Column("Share", is_number=True)


def reasons(report: Report) -> Section:
    """Every reason a URL ended for, with examples."""
    columns = (
        *(
            Column("Reason", kind="word"),
            Column("Outcome", kind="word"),
            URLS,
            Column("Share of outcome", is_number=True),
        ),
        *(Column("Meaning", kind="wide"), Column("Examples", kind="examples", is_sortable=False)),
    )
    rows = [
        (
            Cell(tag("code", shown(reason.reason))),
            Cell(joined((tag("i", class_=f"key {outcome_colour(reason.outcome)}"), shown(reason.outcome)))),
            whole(reason.count),
            part(reason.count, report.outcomes.get(reason.outcome, 0)),
            Cell(shown(reason.meaning)),
            several_urls(reason.examples, reason.count),
        )
        for reason in report.reasons
    ]
    body = table("Why URLs ended as they did, the most first", columns, rows, by="URLs")
    return Section("reasons", "Reasons", body, len(rows))


def answers(report: Report) -> Section:
    """What servers sent, by status and by type."""
    total = sum(report.statuses.values())
    columns = (Column("Status"), Column("Answers", is_number=True), SHARE, DRAWN)
    rows = [
        (
            Cell(_status(status), status),
            whole(count),
            part(count, total),
            bar([(_status_colour(status), count)], total),
        )
        for status, count in sorted(report.statuses.items())
    ]
    by_status = table(f"{counted(total, 'answer')} by HTTP status", columns, rows, by="Status", is_ascending=True)
    types = kinds("Media type", "Pages by media type, the most first", report.content_types)
    return Section("answers", "Status and content types", side_by_side(by_status, types))


def depth(report: Report) -> Section:
    """How far from a seed URLs were found."""
    most = max((pages + others for pages, others in report.depths.values()), default=0)
    columns = (
        *(Column("Depth"), Column("Pages", is_number=True), Column("Others", is_number=True)),
        DRAWN._replace(kind="drawn wide"),
    )
    rows = [
        (
            Cell(f"{level:,}", level),
            whole(pages),
            whole(others),
            bar([("c-fetched", pages), ("c-other", others)], most),
        )
        for level, (pages, others) in sorted(report.depths.items())
    ]
    body = table("URLs by links from a seed", columns, rows, by="Depth", is_ascending=True)
    colours = legend((("c-fetched", "pages"), ("c-other", "URLs that ended otherwise")))
    return Section("depth", "Depth", joined((colours, body)) if rows else NOTHING)


def languages(report: Report) -> Section:
    """What pages are written in, and how it was encoded."""
    spoken = kinds("Language", "Pages by language, the most first", report.languages, "could not be told")
    written = kinds("Charset", "Pages by charset, the most first", report.charsets, "none")
    return Section("languages", "Languages and charsets", side_by_side(spoken, written))


def kinds(title: str, caption: str, counts: Mapping[str, int], unnamed: str = "none given") -> Html:
    """Pages by something they have one of; the rare ones are counted together."""
    total = sum(counts.values())
    most = list(counts.items())[:_MOST_KINDS]
    rest = total - sum(count for _, count in most)
    rows = [
        (
            Cell(shown(name, 100) if name else tag("em", unnamed), None if name else ""),
            whole(count),
            part(count, total),
            bar([("c-fetched", count)], total),
        )
        for name, count in most
    ]
    if rest:
        name = f"{len(counts) - len(most):,} others"
        rows.append((Cell(tag("em", name)), whole(rest), part(rest, total), bar([("c-other", rest)], total)))
    columns = (Column(title), Column("Pages", is_number=True), SHARE, DRAWN)
    return table(caption, columns, rows, by="Pages")


def side_by_side(*parts: Html) -> Html:
    """Small tables beside each other where there is room; nothing if all are empty."""
    drawn = [part for part in parts if part]
    return tag("div", *drawn, class_="beside") if drawn else NOTHING


def _status(status: int) -> Html:
    told = meaning(f"http_{status}") or "not registered"
    return joined((str(status), " ", tag("span", told, class_="quiet")))


def _status_colour(status: int) -> str:
    by_class = {2: "c-fetched", 3: "c-redirected", 4: "c-failed", 5: "c-failed"}
    return by_class.get(status // 100, "c-other") if status != 304 else f"c-{Outcome.UNCHANGED}"
