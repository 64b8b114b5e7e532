"""What became of pages since the generation before? The section of a refreshed crawl's report that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crawler.report.markup import NOTHING, Html, joined, link, shown, tag
from crawler.report.page_tables import (
    UNKNOWN,
    Cell,
    Column,
    Section,
    bar,
    legend,
    of_how_many,
    part,
    several,
    table,
    tiled,
    url,
    whole,
)
from crawler.wording import counted, meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.report.facts import Changes, Report

_KINDS: Final = {
    "new": "c-fetched",
    "changed": "c-pending",
    "unchanged": "c-unchanged",
    "gone": "c-failed",
    "back": "c-redirected",
}
_NAME: Final = 200  # characters of what a field or rule is called


def changes(report: Report) -> Section:
    """What changed, with counts and the first of each kind."""
    found = report.changes
    if found is None:  # a first generation has nothing to be compared with
        return Section("changes", "", NOTHING)
    total = found.urls
    counts = {kind: int(getattr(found, kind)) for kind in _KINDS}
    tiles = tag("dl", *(tiled(kind.capitalize(), f"{count:,}") for kind, count in counts.items()), class_="tiles")
    drawn = bar([(colour, counts[kind]) for kind, colour in _KINDS.items()], total).content
    whole_bar = tag("div", drawn, class_="whole") if total else NOTHING
    told = tag(
        "p",
        f"{counted(total, 'URL')} with content, compared with the generation before: title, description, headings, "
        "main text, language, canonical URL and the records of rules. changes.jsonl has a line for each.",
        class_="quiet",
    )
    keys = legend([(colour, kind) for kind, colour in _KINDS.items()])
    body = joined((tiles, whole_bar, keys, told, _fields(found), _changed(found), _gone(found), *_lists(found)))
    return Section("changes", "What changed", body, total - found.unchanged)


def _fields(found: Changes) -> Html:
    rows = [
        (Cell(tag("code", shown(name, _NAME))), whole(count), part(count, found.changed))
        for name, count in found.fields.items()
    ]
    columns = (Column("Field or rule"), Column("Pages", is_number=True), Column("Share", is_number=True))
    return table("Changed pages by what changed", columns, rows, by="Pages")


def _changed(found: Changes) -> Html:
    columns = (
        *(Column("Changed page", kind="wide"), Column("Fields", kind="wide", is_sortable=False)),
        *(Column("Records", kind="examples", is_sortable=False), Column("Alike", is_number=True)),
    )
    rows = [
        (
            url(one.url),
            Cell(names(one.fields)),
            Cell(several([shown(line, _NAME) for line in one.items], first=3)),
            alike(one.similarity),
        )
        for one in found.changed_pages
    ]
    caption = of_how_many("changed page", len(rows), found.changed, "the least alike first")
    return table(caption, columns, rows)


def _gone(found: Changes) -> Html:
    columns = (Column("Gone", kind="wide"), Column("Why"), Column("Leads to", kind="wide"))
    rows = [
        (
            url(one.url),
            Cell(joined((tag("code", shown(one.reason)), tag("span", " ", meaning(one.reason), class_="note")))),
            Cell(link(one.target)) if one.target else Cell(""),
        )
        for one in found.gone_urls
    ]
    return table(of_how_many("URL", len(rows), found.gone, "gone"), columns, rows)


def _lists(found: Changes) -> tuple[Html, ...]:
    return tuple(
        table(
            of_how_many("URL", len(urls), count, kind),
            (Column(title, kind="wide"),),
            [(url(one),) for one in urls],
        )
        for kind, title, urls, count in (
            ("new", "New", found.new_urls, found.new),
            ("back", "Back again", found.back_urls, found.back),
        )
    )


def names(fields: Sequence[str]) -> Html:
    """Names of fields, one after another."""
    return joined([tag("code", shown(name, _NAME)) for name in fields], ", ")


def alike(similarity: float | None) -> Cell:
    """How alike two texts are, in percent."""
    return UNKNOWN if similarity is None else Cell(f"{100 * similarity:.0f} %", similarity)
