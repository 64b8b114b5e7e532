"""How do two crawls differ, as a page? The comparison's counts, and the first of the differences of each kind."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from crawler.report.markup import NOTHING, Html, joined, link, shown, tag
from crawler.report.page import MAX_BYTES, document
from crawler.report.page_changes import alike, names
from crawler.report.page_tables import Cell, Column, Section, moment, of_how_many, several, table, tiled, url, whole
from crawler.wording import meaning, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.diff.record import Comparison, Counts, DiffRecord

MAX_SHOWN: Final = 100
"""Of each kind of difference."""
_BOUNDS: Final = (MAX_SHOWN, 30, 10, 3)
_MAX_RULES: Final = 50
_BOTH: Final = tuple(
    Column(title, kind="examples", is_sortable=False, is_labelled=True) for title in ("Before", "After")
)
_VALUE: Final = 300  # characters
_MAX_FIELDS: Final = 12
_CHANGES: Final = ("changed", "added", "removed")


class Seen:
    """The first differences of each kind, for the page."""

    def __init__(self) -> None:
        self._of: defaultdict[tuple[str, str], list[DiffRecord]] = defaultdict(list)

    def add(self, record: DiffRecord) -> None:
        """Consider one, as they come."""
        kept = self._of[record.rule or record.what, record.change]
        if len(kept) < MAX_SHOWN:
            kept.append(record)

    def of(self, name: str, change: str) -> Sequence[DiffRecord]:
        """Those of pages (``page``), links (``link``) or a rule."""
        return self._of.get((name, change), ())

    def first(self, most: int) -> Seen:
        """The same, with no more than so many of each kind."""
        fewer = Seen()
        fewer._of.update({kind: records[:most] for kind, records in self._of.items()})
        return fewer


def html(before: Path, after: Path, told: Comparison, seen: Seen) -> bytes:
    """The page, UTF-8, which needs no other file and no network; with fewer differences where it would be large.

    Args:
        before: The directory of the first crawl.
        after: That of the second.
        told: What the comparison came to.
        seen: Some of the differences.
    """
    page = b""
    for most in _BOUNDS:
        page = _page(before, after, told, seen.first(most))
        if len(page) <= MAX_BYTES:
            break
    return page


def _page(before: Path, after: Path, told: Comparison, seen: Seen) -> bytes:
    sections = [
        Section("notes", "Not compared", _notes(told)),
        Section("counts", "Counts", _counts(told)),
        *_pages(told, seen),
        *_items(told, seen),
        *_links(told, seen),
    ]
    title = f"{printable(before.name or str(before), 80)} and {printable(after.name or str(after), 80)}: comparison"
    foot = tag(
        "footer", tag("p", "Made at ", moment(time.time()), " UTC. The first differences of each kind are shown.")
    )
    return document(title, _head(before, after, told), sections, foot).encode("utf-8", "backslashreplace")


def _head(before: Path, after: Path, told: Comparison) -> Html:
    tiles = [
        tiled(f"Pages {change}", f"{getattr(told.pages, change):,}") for change in _CHANGES if told.pages is not None
    ]
    return tag(
        "header",
        tag("p", "Comparison of two crawls", class_="kind"),
        tag("h1", shown(before.name or str(before), 200), " and ", shown(after.name or str(after), 200)),
        tag(
            "p", "Before: ", tag("code", shown(str(before), 500)), ". After: ", tag("code", shown(str(after), 500)), "."
        ),
        tag("dl", *tiles, class_="tiles") if tiles else None,
    )


def _notes(told: Comparison) -> Html:
    notes = [tag("li", shown(note, 500)) for note in told.notes[:MAX_SHOWN]]
    return tag("ul", *notes, class_="warnings") if notes else NOTHING


def _counts(told: Comparison) -> Html:
    titles = ("Before", "After", "Added", "Removed", "Changed", "Unchanged")
    columns = (Column("What"), *(Column(title, is_number=True) for title in titles))
    each = _each(told)
    rows = [
        (
            Cell(shown(name, 200)),
            *(whole(count) for count in (of.before, of.after, of.added, of.removed, of.changed, of.unchanged)),
        )
        for name, of in each
    ]
    fields = [table(f"Changed {name} by what changed", _FIELD_COLUMNS, _field_rows(of)) for name, of in each]
    return joined((table("What was compared", columns, rows), tag("div", *fields, class_="beside")))


_FIELD_COLUMNS: Final = (Column("Field"), Column("In", is_number=True))


def _field_rows(of: Counts) -> list[tuple[Cell, Cell]]:
    return [(Cell(tag("code", shown(name, 200))), whole(count)) for name, count in of.fields.most_common(MAX_SHOWN)]


def _each(told: Comparison) -> list[tuple[str, Counts]]:
    found = [("pages", told.pages), *list(told.items.items())[:_MAX_RULES], ("links", told.links)]
    return [(name, of) for name, of in found if of is not None]


def _pages(told: Comparison, seen: Seen) -> Iterator[Section]:
    if told.pages is None:
        return
    columns = (
        *(Column("Page", kind="wide"), Column("Fields", kind="wide"), Column("Alike", is_number=True)),
        *_BOTH,
    )
    rows = [
        (url(one.url), Cell(names(one.fields)), alike(one.similarity), _values(one.before), _values(one.after))
        for one in seen.of("page", "changed")
    ]
    caption = of_how_many("changed page", len(rows), told.pages.changed, "by URL")
    yield Section("changed", "Pages changed", table(caption, columns, rows), told.pages.changed)
    for change in ("added", "removed"):
        yield _alone(change, getattr(told.pages, change), seen.of("page", change))


def _alone(change: str, total: int, found: Sequence[DiffRecord]) -> Section:
    """Pages that one crawl has."""
    other = "In the crawl before" if change == "added" else "In the crawl after"
    rows = []
    for one in found:
        values = one.after if change == "added" else one.before
        end = "not known" if one.ended is None else one.ended.reason or one.ended.outcome
        target = link(one.ended.target) if one.ended and one.ended.target else NOTHING
        why = joined((tag("code", shown(end)), tag("span", " ", meaning(end), class_="note"), target))
        rows.append((url(one.url), Cell(shown(str((values or {}).get("title") or ""), _VALUE)), Cell(why)))
    columns = (Column("Page", kind="wide"), Column("Title", kind="wide"), Column(other, kind="wide"))
    caption = of_how_many("page", len(rows), total, f"{change}, by URL")
    return Section(change, f"Pages {change}", table(caption, columns, rows), total)


def _items(told: Comparison, seen: Seen) -> Iterator[Section]:
    for number, (rule, of) in enumerate(list(told.items.items())[:_MAX_RULES]):
        columns = (
            *(Column("Page", kind="wide"), Column("Key", kind="wide")),
            *(
                Column("Before", kind="examples", is_sortable=False),
                Column("After", kind="examples", is_sortable=False),
            ),
        )
        drawn = []
        for change in _CHANGES:
            rows = [
                (url(one.url), _values(one.key), _values(one.before), _values(one.after))
                for one in seen.of(rule, change)
            ]
            drawn.append(table(of_how_many("record", len(rows), getattr(of, change), change), columns, rows))
        amount = of.added + of.removed + of.changed
        yield Section(f"rule-{number}", f"Records of {printable(rule, 100)}", joined(drawn), amount)


def _links(told: Comparison, seen: Seen) -> Iterator[Section]:
    if told.links is None:
        return
    columns = (
        *(Column("Page", kind="wide"), Column("Leads to", kind="wide")),
        *_BOTH,
    )
    drawn = []
    for change in _CHANGES:
        rows = [
            (url(one.url), Cell(link(one.target or "")), _values(one.before), _values(one.after))
            for one in seen.of("link", change)
        ]
        drawn.append(table(of_how_many("link", len(rows), getattr(told.links, change), change), columns, rows))
    amount = told.links.added + told.links.removed + told.links.changed
    yield Section("links", "Links", joined(drawn), amount)


def _values(found: dict[str, Any] | None) -> Cell:
    """Values by the names of their fields."""
    if not found:
        return Cell("")
    each = [
        joined((tag("code", shown(name, 200)), " ", shown(_text(value), _VALUE)))
        for name, value in list(found.items())[:_MAX_FIELDS]
        if value is not None or len(found) == 1
    ]
    return Cell(several(each, len(found), first=3))


def _text(value: Any) -> str:  # noqa: ANN401  (of a record)
    if value is None:
        return "\N{EN DASH}"
    # white space does not count, and a line break would be shown as the two characters that stand for it
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[: _VALUE * 2]
