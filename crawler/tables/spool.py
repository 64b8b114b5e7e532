"""How do records reach DuckDB so that it changes nothing of them?

Its own reader of JSON rounds 1.5 where a whole number is expected, writes numbers within JSON anew and knows no lone
surrogates. So each value is looked at here (`values`), and written to a file for a time as what DuckDB reads exactly:
JSON Lines with plain names (``c0``, ``c1``, …), in which text of JSON is a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.dataset.fields import fields_of
from crawler.errors import CrawlerError
from crawler.tables.columns import JSON, quoted
from crawler.tables.values import UnfitError, spooled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from crawler.tables.columns import Column
    from crawler.tables.shape import Shape

LINE = "__line"
"""The column that numbers the records of a file, from 0, where it is asked for."""

_HALF = b"\\ud"
_NULL = b"null"
_AT_ONCE_BYTES = 1 << 20
_SLACK_BYTES = 4_096


class Spool(NamedTuple):
    """Records on their way to DuckDB."""

    path: Path
    shape: Shape
    longest: int  #: bytes of the longest line
    #: names of the columns in which half a character was met: not JSON to DuckDB
    halves: frozenset[str]


def spool(numbered: Iterable[tuple[int, bytes]], shape: Shape, source: Path, to: Path) -> Spool:
    """Write records to `to`.

    Args:
        numbered: Each with its number in its file, from 0.
        shape: Of the file.
        source: What it is called in messages.
        to: A file that is there for a time.

    Raises:
        CrawlerError: A value cannot be held by its column; names its line.
        OSError: `to` cannot be written.
    """
    places = [(column, column.field, b',"c%d":' % number) for number, column in enumerate(shape.columns)]
    halves: set[str] = set()
    longest = size = 0
    with to.open("wb") as file:
        for number, line in numbered:
            found = fields_of(line)
            parts = [b'{"n":%d' % number]
            for column, field, head in places:
                value = found.get(field)
                if value is not None and (raw := bytes(value)) != _NULL:  # most are
                    parts += head, _cell(column, raw, source, number)
                    if column.kind.type == JSON and _HALF in raw.lower():
                        halves.add(column.name)
            parts.append(b"}\n")
            made = b"".join(parts)
            longest = max(longest, len(made))
            size += file.write(made)
    return Spool(to, shape, longest, frozenset(halves))


def _cell(column: Column, raw: bytes, source: Path, number: int) -> bytes:
    try:
        return spooled(column.kind, raw)
    except UnfitError as error:
        raise unfit(column, source, number, error) from error


def unfit(column: Column, source: Path, number: int, error: UnfitError) -> CrawlerError:
    """Says which value a table cannot hold, and what can."""
    return CrawlerError(
        f"{source}:{number + 1}: field {column.field!r} does not fit a column of type {column.kind.type}: {error}; "
        "an export to .jsonl or .csv keeps it as it is"
    )


def select(made: Spool, *, as_json: bool = True, numbered: bool = False) -> str:
    """SQL that gives the columns of a spool by their names.

    Args:
        made: As `spool` returned it.
        as_json: Whether what is text of JSON is DuckDB's JSON type, or text.
        numbered: Whether there is a column `LINE`.
    """
    columns = made.shape.columns
    types = {f"c{number}": _type(column) for number, column in enumerate(columns)}
    shown = [
        f"{_shown(f'c{number}', column, as_json and column.name not in made.halves)} AS {quoted(column.name)}"
        for number, column in enumerate(columns)
    ]
    if numbered:
        shown.append(f"n AS {quoted(LINE)}")
    return f"SELECT {', '.join(shown)} FROM {reader(made.path, {'n': 'BIGINT'} | types, made.longest)}"  # noqa: S608


def reader(path: Path, types: dict[str, str], longest: int) -> str:
    """SQL that reads JSON Lines with these fields, of lines of at most so many bytes."""
    fields = ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in types.items())
    return (
        f"read_json({literal(str(path))}, format = 'newline_delimited', columns = {{{fields}}}, "
        f"maximum_object_size = {longest + _SLACK_BYTES})"
    )


def literal(text: str) -> str:
    """Text as SQL has it."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _type(column: Column) -> str:
    return "VARCHAR" if column.kind.type == JSON else column.kind.type


def _shown(place: str, column: Column, as_json: bool) -> str:  # noqa: FBT001
    return f"CAST({place} AS JSON)" if as_json and column.kind.type == JSON else place
