"""Which columns does this file make, and how large are its records? One look at all of them.

A file that grows meanwhile is read no further later: what comes after the records counted here is for another time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.dataset.fields import BAD_LINES, fields_of
from crawler.errors import CrawlerError
from crawler.tables.columns import ANY, JSON, Column, Kind, columns, plain
from crawler.tables.values import common, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MAX_COLUMNS = 2_000
"""As of SQLite, and more than any tool likes. A function of the user's may name fields by what pages say."""
_PLACE_HOLDER = "url"


class Shape(NamedTuple):
    """What a file of records is as a table."""

    columns: list[Column]  #: one at least
    records: int
    size: int  #: bytes of all lines
    longest: int  #: bytes of the longest line


def shape_of(lines: Iterable[bytes], path: Path, kinds: Mapping[str, Kind | None]) -> Shape:
    """Look at all records.

    Args:
        lines: Without their newlines.
        path: What the file is called in messages.
        kinds: What is known of its fields: these come first, in this order.

    Raises:
        CrawlerError: A line is no record, or there are more fields than a table can have.
    """
    types: dict[str, set[str]] = {field: set() for field, kind in kinds.items() if kind is None}
    known = {field for field, kind in kinds.items() if kind is not None}
    records = size = longest = 0
    for records, line in enumerate(lines, 1):
        try:
            found = fields_of(line)
        except BAD_LINES as error:
            raise CrawlerError(f"{path}:{records}: not a record: {error}") from error
        size += len(line)
        longest = max(longest, len(line))
        if types or found.keys() - known:
            for field, value in found.items():
                if field not in known:
                    types.setdefault(field, set()).add(type_of(bytes(value)))
        if len(types) + len(known) > MAX_COLUMNS:
            raise CrawlerError(f"{path}: its records have over {MAX_COLUMNS:,} different fields, too many for a table")
    told = {field: _plain(common(seen)) for field, seen in types.items()}
    whole = {field: kind or told[field] for field, kind in kinds.items()} | {
        field: kind for field, kind in told.items() if field not in kinds
    }
    return Shape(columns(whole or {_PLACE_HOLDER: plain("VARCHAR")}), records, size, longest)


def _plain(type_: str) -> Kind:
    return ANY if type_ == JSON else plain(type_)
