"""How is a table of rows shown on a terminal? In columns where they fit, else a block of lines for each row.

What is in a cell comes from pages: characters that a terminal would obey, or that move the cursor, are escaped. A long
text is cut, a URL never.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from crawler.tables.results import in_json
from crawler.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LONGEST = 72
"""Characters of a cell."""

_NULL = "null"
_NUMBERS = (int, float)


def table_lines(names: Sequence[str], batches: Iterable[list[tuple[Any, ...]]]) -> Iterator[str]:
    """Lines of text that show these rows. Widths are those of the first batch; what is wider later stands out."""
    widths: list[int] | None = None
    is_wide = False
    heads = [shown(name) for name in names]
    number = 0
    for rows in batches:
        cells = [[shown(value) for value in row] for row in rows]
        if widths is None:
            widths = [max(map(cell_len, column)) for column in zip(heads, *cells, strict=True)]
            is_wide = sum(widths) + 2 * len(widths) - 2 > shutil.get_terminal_size().columns
            if not is_wide:
                yield from (_row(heads, widths), _row(["─" * width for width in widths], widths))
        for row, texts in zip(rows, cells, strict=True):
            number += 1
            yield from _block(number, heads, texts) if is_wide else [_row(texts, widths, row)]
    if widths is None:
        yield _row(heads, [cell_len(head) for head in heads])


def shown(value: Any) -> str:  # noqa: ANN401
    """A cell's text, on one line."""
    if value is None:
        return _NULL
    text = value if isinstance(value, str) else in_json(value).decode().strip('"')
    return printable(text, None if text.startswith(("http://", "https://")) else LONGEST)


def _row(texts: Sequence[str], widths: Sequence[int], values: Sequence[Any] = ()) -> str:
    """Cells in columns; numbers to the right."""
    cells = []
    for place, (text, width) in enumerate(zip(texts, widths, strict=True)):
        blanks = " " * (width - cell_len(text))
        is_number = bool(values) and isinstance(values[place], _NUMBERS) and not isinstance(values[place], bool)
        cells.append(blanks + text if is_number else text + blanks)
    return "  ".join(cells).rstrip()


def _block(number: int, heads: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    """A row with a line for each cell."""
    width = max(map(cell_len, heads), default=0)
    yield f"── {number:,} ──"
    for head, text in zip(heads, texts, strict=True):
        yield f"{head}{' ' * (width - cell_len(head))}  {text}"
