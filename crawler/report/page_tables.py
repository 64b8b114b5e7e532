"""How do rows of facts become tables that can be read, sorted and printed?

A table is sorted as its caption says before any script runs; the page's script makes its headers buttons. What a cell
is sorted by stands in ``data-value`` where its text would not do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from crawler.models import Outcome
from crawler.report import charts
from crawler.report.markup import NOTHING, Html, joined, link, tag
from crawler.report.scales import moment_of
from crawler.summary_rules import percent
from crawler.wording import counted, duration, printable, short_time, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DASH: Final = "\N{EN DASH}"
_CARDS: Final = "full cards"
_EMPTY: Final = ("", tag("bdi"))
_TALL: Final = 24  # rows; a table with more scrolls in a box of its own, but on paper


class Section(NamedTuple):
    """A part of the page."""

    key: str  #: its id
    title: str
    #: empty: there is nothing to tell
    body: Html
    #: how much of it there is, for the table of contents
    amount: int | None = None


class Column(NamedTuple):
    """A column's head."""

    title: str
    is_number: bool = False
    #: class of the style sheet, for its width
    kind: str | None = None
    is_sortable: bool = True
    #: whether its cells bear its title where the table's head is not above them; numbers do anyway
    is_labelled: bool = False


class Cell(NamedTuple):
    """What stands in a table: text, or markup."""

    content: str
    #: what it is sorted by; None: its text; ``""``: it comes last
    key: float | Literal[""] | None = None
    is_quiet: bool = False


UNKNOWN: Final = Cell(_DASH, "", is_quiet=True)
"""What was not stored."""


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    by: str | None = None,
    is_ascending: bool = False,
    foot: Sequence[Cell] | None = None,
) -> Html:
    """Rows under their heads, sorted `by` the numbers in the column of that title; `foot` stays below them.

    Without rows: nothing.
    """
    shape = _shape(columns)
    labels = [column.title if _is_labelled(column, shape) else None for column in columns]
    body = [_row(columns, labels, row) for row in _sorted(columns, rows, by, is_ascending=is_ascending)]
    told = printable(caption)
    if not body:
        return NOTHING
    order = "ascending" if is_ascending else "descending"
    head = [_head(column, order if column.title == by else None) for column in columns]
    is_tall = len(body) > _TALL
    drawn = tag(
        "table",
        tag("caption", told),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        tag("tfoot", _row(columns, labels, foot)) if foot else None,
        class_=_classes(shape, "sortable" if len(body) > 1 else None),
    )
    return tag("div", drawn, class_="box tall" if is_tall else "box", data_name=told)


def whole(count: int) -> Cell:
    """A count."""
    return Cell(f"{count:,}", count, is_quiet=not count)


def maybe_whole(count: int | None) -> Cell:
    """A count that may not have been stored."""
    return UNKNOWN if count is None else whole(count)


def bytes_of(count: int) -> Cell:
    """A number of bytes."""
    return Cell(size(count), count, is_quiet=not count)


def seconds(value: float) -> Cell:
    """How long an answer took."""
    return Cell(short_time(value), value, is_quiet=not value)


def span(value: float | None) -> Cell:
    """How long something went on; None if nobody knows."""
    return UNKNOWN if value is None else Cell(duration(value), value, is_quiet=not value)


def part(value: float, of: float) -> Cell:
    """A share in percent."""
    return Cell(percent(charts.share(value, of)), charts.share(value, of), is_quiet=not value)


def bar(parts: Sequence[tuple[str, float]], of: float) -> Cell:
    """A bar; it is sorted by the numbers it draws, which stand beside it."""
    return Cell(charts.bar(parts, of), sum(value for _, value in parts))


def url(address: str) -> Cell:
    """A URL, as a link if it is one."""
    return Cell(link(address))


def several(items: Sequence[str], total: int | None = None, *, first: int = 1) -> Html:
    """The first of some items (markup), and the others where they are asked for, which may be some of a `total`."""
    if not items:
        return NOTHING
    more = len(items) - first
    unknown = max(0, (total or 0) - len(items))
    shown = [tag("div", item) for item in items[:first]]
    if more > 0:
        told = f"{more:,} more" + (f" of {more + unknown:,}" if unknown else "")
        shown.append(tag("details", tag("summary", told), *(tag("div", item) for item in items[first:])))
    elif unknown:
        shown.append(tag("div", f"and {unknown:,} more", class_="quiet"))
    return joined(shown)


def several_urls(urls: Sequence[str], total: int | None = None) -> Cell:
    """Some URLs as examples."""
    return Cell(several([link(one) for one in urls], total))


def of_how_many(what: str, shown: int, total: int, order: str = "") -> str:
    """``12 hosts``, ``The first 200 of 1,234 hosts, by pages``: a caption."""
    noun = counted(total, what)
    told = noun if shown >= total else f"The first {shown:,} of {noun}"
    return f"{told}, {order}" if order else told


def tiled(name: str, value: str, note: str = "") -> Html:
    """A number that is to be seen at once."""
    return tag("div", tag("dt", name), tag("dd", value, tag("small", note) if note else None))


def legend(parts: Sequence[tuple[str, str]]) -> Html:
    """What each colour stands for, as (colour, name)."""
    return tag("p", *(tag("span", tag("i", class_=f"key {colour}"), name) for colour, name in parts), class_="legend")


def moment(at: float | None) -> Html:
    """``2026-11-27 22:57:10``; always UTC, which the page says once."""
    when = None if at is None else moment_of(at)
    if when is None:
        return Html(_DASH)
    return tag("time", f"{when:%Y-%m-%d %H:%M:%S}", datetime=f"{when:%Y-%m-%dT%H:%M:%SZ}")


def _head(column: Column, order: str | None) -> Html:
    kinds = _classes("n" if column.is_number else None, column.kind)
    return tag("th", column.title, scope="col", class_=kinds, aria_sort=order, data_fixed=not column.is_sortable)


def _sorted(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell]], by: str | None, *, is_ascending: bool
) -> Iterable[Sequence[Cell]]:
    if by is None:
        return rows
    place = next(place for place, column in enumerate(columns) if column.title == by)
    return sorted(rows, key=lambda row: float(row[place].key or 0), reverse=not is_ascending)


def outcome_colour(outcome: str) -> str:
    """Of how a URL ended; of what is none of ours, as of others."""
    return f"c-{outcome}" if outcome in {*Outcome, "pending"} else "c-other"


def _row(columns: Sequence[Column], labels: Sequence[str | None], row: Sequence[Cell]) -> Html:
    cells = []
    for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
        kinds = _classes("n" if column.is_number else None, column.kind, "quiet" if cell.is_quiet else None)
        key = f"{cell.key:.12g}" if isinstance(cell.key, float) else cell.key
        name, scope = ("td", None) if place else ("th", "row")
        attributes = {"scope": scope, "class": kinds, "data-value": key, "data-label": labels[place]}
        content = (
            cell.content if place or cell.content not in _EMPTY else tag("em", "empty")
        )  # what names a row is there
        cells.append(tag(name, content, **attributes))
    return tag("tr", *cells)


def _shape(columns: Sequence[Column]) -> str | None:
    """As wide as the page, and then a card a row where that is narrow, if there is much to tell in a row."""
    kinds = {column.kind for column in columns} - {None}
    if kinds & {"wide", "examples", "delay"}:
        return _CARDS
    return "full" if kinds else None


def _is_labelled(column: Column, shape: str | None) -> bool:
    """Whether its cells bear its title where the table's head is not above them."""
    return shape == _CARDS and (column.is_number or column.is_labelled or column.kind == "delay")


def _classes(*names: str | None) -> str | None:
    return " ".join(name for name in names if name) or None
