"""Which tables hold data, and how do they stand in Markdown? As GFM has tables; the others are layout, and become text.

A table without a header gets an empty one, as GFM knows no other. A cell that spans columns or rows is followed by
empty ones in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from selectolax.lexbor import create_tag

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_COLUMNS: Final = 200
MAX_CELLS: Final = 100_000

_CELL_CHARS: Final = 1_000
"""As much as a cell holds in a table that has no header and is no layout."""


def _tags(names: str) -> frozenset[int]:
    return frozenset(create_tag(name).tag_id for name in names.split())


_TABLE, _TR, _TH, _TD = (create_tag(name).tag_id for name in ("table", "tr", "th", "td"))
_NEVER_WITHIN = _tags("table h1 h2 h3 h4 h5 h6 pre form hr article section blockquote")
_ONLY_WITH_HEADER = _tags("ul ol dl")


def is_data(table: LexborNode) -> bool:
    """Whether a table is one to a reader. Looks at what is within it up to the first thing that denies it."""
    if (table.attributes.get("role") or "") in ("presentation", "none"):
        return False
    rows = cells = chars = 0
    has_header = has_lists = is_wide = False
    nodes = table.traverse(include_text=True)
    next(nodes)  # itself
    for node in nodes:
        tag = node.tag_id
        if tag in _NEVER_WITHIN:
            return False
        if tag == _TR:
            rows += 1
        elif tag in (_TH, _TD):
            cells += 1
            has_header = has_header or tag == _TH
            chars = 0
        elif node.is_text_node:
            chars += len(node.text_content or "")
            is_wide = is_wide or chars > _CELL_CHARS
        elif tag in _ONLY_WITH_HEADER:
            has_lists = True
    if has_header:
        return cells > 1
    return rows > 1 and cells > rows and not has_lists and not is_wide


class Table:
    """A table of data as it is met, cell by cell."""

    __slots__ = ("_are_headers", "_coming", "_n_cells", "_rows", "_taken")

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        #: of each row, whether all its cells are
        self._are_headers: list[bool] = []
        #: columns that cells of rows above take -> in how many rows, this one included
        self._taken: dict[int, int] = {}
        #: the same, of cells in this row, from the next one on
        self._coming: dict[int, int] = {}
        self._n_cells = 0

    def start_row(self) -> None:
        """Cells that follow are of a new row."""
        self._rows.append([])
        self._are_headers.append(True)
        self._taken = {column: rows - 1 for column, rows in self._taken.items() if rows > 1} | self._coming
        self._coming = {}

    def add(self, text: str, cell: LexborNode) -> None:
        """Add a cell of one line."""
        if not self._rows:
            self.start_row()
        row = self._rows[-1]
        while len(row) in self._taken:
            row.append("")
        attributes = cell.attributes
        columns = min(_span(attributes.get("colspan")), MAX_COLUMNS - len(row), MAX_CELLS - self._n_cells)
        if columns < 1:
            return
        rows = _span(attributes.get("rowspan"))
        if rows > 1:
            self._coming.update(dict.fromkeys(range(len(row), len(row) + columns), rows - 1))
        row += [text.replace("|", "\\|"), *[""] * (columns - 1)]
        self._n_cells += columns
        self._are_headers[-1] = self._are_headers[-1] and cell.tag_id == _TH

    def lines(self) -> list[str]:
        """The table; none if there is nothing in it."""
        rows = [pair for pair in zip(self._rows, self._are_headers, strict=True) if any(pair[0])]
        if not rows:
            return []
        width = max(len(row) for row, _ in rows)
        header = rows.pop(0)[0] if rows[0][1] else []
        return [
            _line([*header, *[""] * (width - len(header))]),
            f"|{' --- |' * width}",
            *[_line(row) for row, _ in rows],  # GFM fills those up that have fewer cells than the header
        ]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _span(written: str | None) -> int:
    return int(written) if written and written.isdecimal() and len(written) < 4 else 1
