"""How are facts of a page laid out, for terminals of any width?

Text that comes from pages is escaped.
"""

from __future__ import annotations

import json
import shutil
from typing import Any

from crawler.wording import printable

MIN_WIDTH = 60
LABEL = 16
_MAX_WIDTH = 200


def width() -> int:
    """Columns to write in."""
    return max(MIN_WIDTH, min(_MAX_WIDTH, shutil.get_terminal_size().columns))


def short(value: Any, limit: int = 60) -> str:  # noqa: ANN401
    """A value on one line, as JSON unless it is text, cut to `limit` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return printable(" ".join(text.split()), limit)


def row(label: str, text: str, columns: int, indent: int = 0, *, is_whole: bool = False) -> str:
    """``label  text``, cut to the terminal unless somebody may want to copy it: a URL alone, or what `is_whole`."""
    start = f"{'':{indent}}{printable(label):<{LABEL}}"
    is_whole = is_whole or ("://" in text and " " not in text)
    return f"{start}{printable(text, None if is_whole else max(20, columns - len(start)))}".rstrip()
