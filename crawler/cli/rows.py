"""How are facts laid out for a person? In rows of a label and some text, for a terminal of 80 columns.

URLs are never cut, as somebody will want to copy them. Text that comes from pages is escaped.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from crawler.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COLUMNS = 80
LABEL = 12

Row = tuple[str, str]
"""A label, empty where the row goes on with the one before, and a line of text."""


def lines_of(rows: Iterable[Row], indent: int = 0) -> Iterator[str]:
    """The rows in columns; what holds no URL is wrapped."""
    for label, text in rows:
        shown = printable(text)
        wrapped = [shown] if "://" in shown else textwrap.wrap(shown, COLUMNS - indent - LABEL, break_on_hyphens=False)
        for number, line in enumerate(wrapped):
            yield f"{'':{indent}}{'' if number else label:<{LABEL}}{line}"
