"""What was found? Scraped records, the pages that stand out, dead links, duplicates, what was cut, and traps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.report.markup import Html, joined, link, shown, tag
from crawler.report.page_tables import (
    UNKNOWN,
    Cell,
    Column,
    Section,
    bar,
    bytes_of,
    of_how_many,
    part,
    seconds,
    several,
    several_urls,
    table,
    url,
    whole,
)
from crawler.wording import counted, meaning

if TYPE_CHECKING:
    from crawler.report.facts import PageFacts, Report, Rule

_SAMPLE = 160  # characters of a value
_TITLE = 200
_NARROW_RULES = 8  # with more rules than this, each is folded


def rules(report: Report) -> Section:
    """How each scraping rule fared, field by field."""
    overview = table(
        f"{counted(len(report.rules), 'rule')} by what they found",
        (Column("Rule"), *(Column(title, is_number=True) for title in ("Pages matched", "Records", "Rejects"))),
        [
            (Cell(shown(rule.name, 200)), whole(rule.pages), whole(rule.records), whole(rule.rejects))
            for rule in report.rules
        ],
    )
    is_folded = len(report.rules) > _NARROW_RULES
    each = [_rule(rule, is_folded=is_folded) for rule in report.rules]
    return Section("rules", "Scraping rules", joined((overview, *each)), len(report.rules))


def standing_out(report: Report) -> Section:
    """The biggest and the slowest pages."""
    body = joined(
        (
            _pages("The biggest pages, by bytes after decoding", report.biggest, "Size"),
            _pages("The slowest pages, by time to the last byte", report.slowest, "Took"),
        )
    )
    return Section("pages", "Biggest and slowest pages", body)


def dead_links(report: Report) -> Section:
    """What is not there, and who says it is."""
    columns = (
        *(Column("Dead link", kind="wide"), Column("Reason"), Column("Linked from", is_number=True)),
        Column("Pages that link to it", kind="examples", is_sortable=False),
    )
    rows = [
        (
            url(dead.url),
            Cell(joined((tag("code", shown(dead.reason)), tag("span", " ", meaning(dead.reason), class_="note")))),
            whole(max(dead.n_linked_from, len(dead.linked_from))),
            several_urls(dead.linked_from, dead.n_linked_from),
        )
        for dead in report.dead_links
    ]
    caption = of_how_many("dead link", len(rows), report.n_dead_links)
    return Section("dead", "Dead links", table(caption, columns, rows), report.n_dead_links)


def duplicates(report: Report) -> Section:
    """Pages with the same bytes."""
    found = report.duplicates
    rows = [(whole(count), several_urls(urls, count)) for count, urls in found.largest]
    groups = counted(found.groups, "group")
    caption = f"{counted(found.pages, 'page')} in {groups} with the same bytes, the largest first"
    columns = (Column("Pages", is_number=True), Column("Among them", kind="wide", is_sortable=False))
    return Section("duplicates", "Exact duplicates", table(caption, columns, rows, by="Pages"), found.groups)


def truncated(report: Report) -> Section:
    """What records lack because it was too much."""
    rows = [
        (Cell(tag("code", shown(what))), whole(count), part(count, report.pages))
        for what, count in report.truncated.items()
    ]
    columns = (Column("What was cut"), Column("Pages", is_number=True), Column("Share", is_number=True))
    return Section("truncated", "Truncated records", table("Pages by what was cut of their records", columns, rows))


def traps(report: Report) -> Section:
    """Patterns that were stopped, and by what evidence."""
    columns = (
        *(Column("Pattern", kind="wide"), Column("Kind", kind="word"), Column("URLs excluded", is_number=True)),
        *(Column("Evidence", kind="wide"), Column("Examples", kind="examples", is_sortable=False)),
    )
    rows = [
        (
            Cell(tag("code", shown(trap.pattern, 300))),
            Cell(str(trap.kind)),
            whole(trap.excluded),
            Cell(shown(trap.evidence, 500)),
            several_urls(trap.examples),
        )
        for trap in report.traps
    ]
    note = tag("p", "traps.allow lets through what is none.", class_="quiet")
    body = table(f"{counted(len(rows), 'trap')} stopped", columns, rows)
    return Section("traps", "Traps", joined((note, body)) if rows else body, len(rows))


def _rule(rule: Rule, *, is_folded: bool) -> Html:
    """One rule's fields, and some of what it rejected."""
    columns = (
        *(Column("Field"), Column("Filled", is_number=True), Column("Rate", is_number=True)),
        *(Column("Part", kind="drawn", is_sortable=False), Column("Samples", kind="examples", is_sortable=False)),
    )
    rows = [
        (
            Cell(shown(field.name, 200)),
            *_filled(field.filled, rule.items),
            Cell(several([tag("code", shown(sample, _SAMPLE)) for sample in field.samples], first=3)),
        )
        for field in rule.fields
    ]
    name = shown(rule.name, 200)
    found = (
        f"{counted(rule.records, 'record')}, {counted(rule.rejects, 'reject')}, {counted(rule.pages, 'page')} matched"
    )
    rejected = table(
        f"Some rejects of {rule.name}",
        (Column("Why"), Column("Page", kind="wide")),
        [(Cell(shown(why, 300)), url(address)) for why, address in rule.rejected],
    )
    of = "records" if rule.records == rule.items else "records and rejects"
    body = joined((table(f"Fields of {rule.name}: in how many {of} each is filled", columns, rows), rejected))
    if is_folded:
        return tag("details", tag("summary", name, " ", tag("small", found)), body) if body else Html("")
    return joined((tag("h3", name, " ", tag("small", found)), body)) if body else Html("")


def _filled(count: int | None, of: int) -> tuple[Cell, Cell, Cell]:
    """In how many a field is filled, their share, and that as a bar."""
    if count is None:
        return (UNKNOWN, UNKNOWN, Cell(""))
    return (whole(count), part(count, of), bar([("c-fetched" if count else "c-failed", count)], of))


def _pages(caption: str, pages: tuple[PageFacts, ...], by: str) -> Html:
    columns = (Column("Page", kind="wide"), Column("Size", is_number=True), Column("Took", is_number=True))
    rows = [(Cell(_page(page)), bytes_of(page.body_bytes), seconds(page.elapsed_s)) for page in pages]
    return table(caption, columns, rows, by=by)


def _page(page: PageFacts) -> Html:
    title = tag("div", shown(page.title, _TITLE)) if page.title else None
    return joined(part for part in (title, link(page.url)) if part is not None)
