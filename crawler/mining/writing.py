"""How do rows become a file of lines?"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from crawler.extract.record import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ROWS_AT_ONCE = 2_000
_encoder = msgspec.json.Encoder()


def write_rows(path: Path, rows: Iterable[msgspec.Struct]) -> int:
    """Write a line for each; how many there were."""
    count = 0
    rest = iter(rows)
    with path.open("wb") as out:
        while some := list(islice(rest, _ROWS_AT_ONCE)):
            out.write(one_line(_encoder.encode_lines(some)))
            count += len(some)
    return count
