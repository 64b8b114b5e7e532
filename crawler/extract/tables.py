"""What do the tables of a page hold? Rows of texts, with cells that span in each place they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.html import text_of
from crawler.extract.record_parts import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_TABLES = 100
MAX_ROWS = 1_000
MAX_COLUMNS = 200
MAX_CHARS = 1024**2
"""Of all tables of a page, spanned places counted."""
_MAX_CELL_CHARS = 2_000

_CAPTION, _TABLE, _TD, _TH, _TR = (create_tag(name).tag_id for name in ("caption", "table", "td", "th", "tr"))
_SECTIONS = frozenset(create_tag(name).tag_id for name in ("thead", "tbody", "tfoot"))


def tables(tree: LexborHTMLParser) -> tuple[tuple[Table, ...], bool]:
    """The tables of at least two rows and two columns that hold no other table; and whether something was cut.

    Tables around tables, and those with one row or one column, lay out a page and hold no data.
    """
    nodes = tree.css("table")
    around = {id_ for node in nodes if (id_ := _table_around(node)) is not None}
    found: list[Table] = []
    budget = _Budget()
    for node in nodes:
        if node.mem_id in around or (node.attributes.get("role") or "").lower() in {"presentation", "none"}:
            continue
        if len(found) == MAX_TABLES or budget.characters <= 0:
            budget.was_cut = True
            break
        caption, rows = _read(node, budget)
        if len(rows) > 1 and len(rows[0]) > 1 and any(any(row) for row in rows):
            found.append(Table(caption, rows))
    return tuple(found), budget.was_cut


class _Budget:
    """What all tables of a page may take together."""

    def __init__(self) -> None:
        self.characters = MAX_CHARS
        self.was_cut = False

    def cut(self, text: str, limit: int = _MAX_CELL_CHARS) -> str:
        """As much of `text` as is left, at most `limit` characters."""
        limit = min(limit, max(0, self.characters))
        if len(text) > limit:
            text = text[:limit]
            self.was_cut = True
        self.characters -= len(text) + 1
        return text


def _table_around(table: LexborNode) -> int | None:
    """The `mem_id` of the next table around one, if it is not far up."""
    at = table.parent
    for _ in range(50):
        if at is None:
            return None
        if at.tag_id == _TABLE:
            return at.mem_id
        at = at.parent
    return None


def _read(table: LexborNode, budget: _Budget) -> tuple[str | None, tuple[tuple[str, ...], ...]]:
    caption = None
    rows: list[list[str]] = []
    pending: dict[int, tuple[str, int]] = {}  # column -> text of a cell above, and for how many rows to come
    for child in _rows(table):
        if child.tag_id == _CAPTION:
            caption = caption or budget.cut(text_of(child)) or None
            continue
        if len(rows) == MAX_ROWS or budget.characters <= 0:
            budget.was_cut = True
            break
        rows.append(_row(child, pending, budget))
    width = max(map(len, rows), default=0)
    return caption, tuple(tuple(row + [""] * (width - len(row))) for row in rows)


def _rows(table: LexborNode) -> Iterator[LexborNode]:
    """Its caption and rows, in order."""
    child = table.first_child
    while child is not None:
        tag = child.tag_id
        if tag in (_TR, _CAPTION):
            yield child
        elif tag in _SECTIONS:
            row = child.first_child
            while row is not None:
                if row.tag_id == _TR:
                    yield row
                row = row.next
        child = child.next


def _row(row: LexborNode, pending: dict[int, tuple[str, int]], budget: _Budget) -> list[str]:
    cells: list[str] = []

    def from_above() -> None:
        while (above := pending.get(len(cells))) is not None and len(cells) < MAX_COLUMNS:
            text, left = above
            if left > 1:
                pending[len(cells)] = (text, left - 1)
            else:
                del pending[len(cells)]
            cells.append(budget.cut(text))

    cell = row.first_child
    while cell is not None:
        if cell.tag_id in (_TD, _TH):
            from_above()
            attributes = cell.attributes
            text = budget.cut(text_of(cell))
            below = _span(attributes.get("rowspan"), MAX_ROWS)
            for _ in range(_span(attributes.get("colspan"), MAX_COLUMNS)):
                if len(cells) >= MAX_COLUMNS:
                    budget.was_cut = True
                    break
                if below > 1:
                    pending[len(cells)] = (text, below - 1)
                budget.characters -= len(text) + 1
                cells.append(text)
        cell = cell.next
    from_above()
    return cells


def _span(value: str | None, limit: int) -> int:
    """HTML, 4.9.11: a number from 1; what is none counts as 1. ``rowspan=0`` lasts to the end of the section."""
    digits = (value or "").strip()[:6]
    if not digits.isascii() or not digits.isdigit():
        return 1
    return min(int(digits), limit) or 1
