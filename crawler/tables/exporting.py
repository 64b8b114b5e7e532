"""How do tables of a crawl get into a file: which records, which columns, and in which format?

Records first: those that ``--where`` chooses, and of those that share a key one. Without ``--select`` they are written
as they are; with it, what DuckDB makes of them.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from crawler.dataset.beside import beside, draft_in
from crawler.dataset.exported import Exported, export, kept, written
from crawler.dataset.fields import fields_of
from crawler.dataset.formats import PARQUET, format_of, holds_tables, is_table
from crawler.dataset.unique import Kept
from crawler.errors import ConfigError, CrawlerError
from crawler.tables.columns import JSON, columns, quoted
from crawler.tables.duck import closed_off, explained, one_select, opened
from crawler.tables.parquet import copy
from crawler.tables.results import answer, in_json, records
from crawler.tables.shape import shape_of
from crawler.tables.spool import LINE, select, spool, unfit
from crawler.tables.sqlite_file import database
from crawler.tables.values import UnfitError, native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from crawler.dataset.exported import Chosen
    from crawler.tables.catalog import Table
    from crawler.tables.results import Answer
    from crawler.tables.shape import Shape
    from crawler.tables.sqlite_file import Database

_ANSWER = "result"
_LINES_AT_ONCE = 2_000
_NULL = b"null"
_ROW_BYTES = 8_000  # of the answer to a query, of which nothing is known


class Wanted(NamedTuple):
    """What is to be written of a table."""

    key: Sequence[str] = ()  #: of records that share these fields one
    where: str | None = None  #: SQL: which records
    columns: str | None = None  #: SQL: what of them; None for all, as it is

    @property
    def is_plain(self) -> bool:
        """Whether nothing has to be asked in SQL."""
        return self.where is None and self.columns is None


def export_file(table: Table, to: Path, wanted: Wanted, *, raw_cells: bool = False) -> Exported:
    """Write a table to a file, which is there once it is whole.

    Args:
        table: Of the crawl.
        to: A file of a known format.
        wanted: What of it.
        raw_cells: Leave cells of CSV as they are.

    Raises:
        ConfigError: The SQL, or the name of the file, cannot be meant.
        CrawlerError: The records cannot be read, held by the format, or written.
    """
    check_cells(to, raw_cells=raw_cells)
    if wanted.is_plain and not is_table(to):
        encoding = format_of(to).encoding(table.lines(), table.path, raw_cells=raw_cells)
        with written(to) as write:
            if encoding.head:
                write(encoding.head)
            most = encoding.records
            return export(table.lines, table.path, wanted.key, lambda lines: write(encoding.encode(lines)), most=most)
    with beside(to) as folder:
        found = _found(table, wanted, folder)
        if wanted.columns is not None:
            with _selected(found, wanted.columns, folder) as (connection, sql):
                rows = write_answer(connection, sql, draft_in(folder), to, raw_cells=raw_cells)
            return Exported(rows + found.chosen.dropped, found.chosen.dropped)
        if holds_tables(to):
            with database(draft_in(folder), to) as made:
                return _into(made, found)
        if is_table(to):
            return _into_parquet(found, folder)
        encoding = format_of(to).encoding(table.lines(), table.path, raw_cells=raw_cells)
        with _lines_to(draft_in(folder), to, encoding.head) as write:
            return _each_line(found.chosen, lambda lines: write(encoding.encode(lines)))


def export_all(tables: Iterable[tuple[Table, Sequence[str]]], to: Path) -> dict[str, Exported]:
    """Write tables, each with the key of which it holds each once, to one SQLite database. Errors as `export_file`."""
    with beside(to) as folder, database(draft_in(folder), to) as made:
        return {table.name: _into(made, _found(table, Wanted(key), folder)) for table, key in tables}


def export_lines(table: Table, wanted: Wanted, folder: Path, write: Callable[[list[bytes]], object]) -> Exported:
    """Hand what is wanted of a table to `write`, as lines of JSON without their newlines. Errors as `export_file`.

    Args:
        table: Of the crawl.
        wanted: What of it.
        folder: For files that are there for a time.
        write: Takes some lines at a time.
    """
    if wanted.is_plain:
        return export(table.lines, table.path, wanted.key, write)
    found = _found(table, wanted, folder)
    if wanted.columns is None:
        return _each_line(found.chosen, write)
    with _selected(found, wanted.columns, folder) as (connection, sql):
        made = answer(connection, sql)
        rows = made.each(lambda rows: write(records(made.fields, rows)))
    return Exported(rows + found.chosen.dropped, found.chosen.dropped)


def write_answer(connection: Any, sql: str, draft: Path, to: Path, *, raw_cells: bool = False) -> int:  # noqa: ANN401
    """Write the answer to a query; how many rows.

    Args:
        connection: To the database that is asked.
        sql: The query.
        draft: A file that is not there yet.
        to: What it is going to be called, which says the format.
        raw_cells: Leave cells of CSV as they are.

    Raises:
        ConfigError: `to` is of no known format.
        CrawlerError: A value cannot be held by the format.
        OSError: It cannot be written.
        duckdb.Error: It cannot be done.
    """
    if to.name.endswith(PARQUET):
        return copy(connection, sql, draft, row_bytes=_ROW_BYTES)
    found = answer(connection, sql)
    if holds_tables(to):
        with database(draft, to) as made:
            return made.table(_ANSWER, columns(found.kinds), _native_rows(found, to))
    encoding = format_of(to).rows([field.name for field in found.fields], raw_cells=raw_cells)
    with _lines_to(draft, to, encoding.head) as write:
        return found.each(lambda rows: write(encoding.encode(records(found.fields, rows))))


def check_cells(to: Path, *, raw_cells: bool) -> None:
    """Whether a file of this name can be written.

    Raises:
        ConfigError: It is of no known format, or `raw_cells` and of one that has no cells.
    """
    if not is_table(to):
        format_of(to).check(raw_cells=raw_cells)
    elif raw_cells:
        raise ConfigError(f"--raw-cells: is for .csv; {to.name} has no such cells")


class _Found(NamedTuple):
    """Records of a table that are wanted."""

    table: Table
    shape: Shape
    chosen: Chosen


def _found(table: Table, wanted: Wanted, folder: Path) -> _Found:
    shape = shape_of(table.lines(), table.path, table.kinds)
    among = None if wanted.where is None else _matching(table, shape, wanted.where, folder)
    return _Found(table, shape, kept(table.lines, table.path, wanted.key, most=shape.records, among=among))


def _matching(table: Table, shape: Shape, where: str, folder: Path) -> Kept:
    """The numbers of the records for which the SQL `where` is true."""
    told = f"--where {where!r}"
    sql = one_select(f"SELECT {quoted(LINE)} FROM {quoted(table.name)} WHERE (\n{where}\n)", told)  # noqa: S608
    bits = bytearray(shape.records // 8 + 1)
    numbered = enumerate(table.lines())
    with _asked(table, shape, islice(numbered, shape.records), folder, numbered=True) as connection, explained(told):
        for rows in answer(connection, sql).rows:
            for (number,) in rows:
                bits[number >> 3] |= 1 << (number & 7)
    return Kept(bits, shape.records, 0)


@contextmanager
def _selected(found: _Found, columns: str, folder: Path) -> Iterator[tuple[Any, str]]:
    """A connection, and SQL that gives these columns of the records that were found."""
    told = f"--select {columns!r}"
    sql = one_select(f"SELECT\n{columns}\nFROM {quoted(found.table.name)}", told)
    with _asked(found.table, found.shape, found.chosen.lines, folder) as connection, explained(told):
        yield connection, sql


@contextmanager
def _asked(
    table: Table, shape: Shape, lines: Iterable[tuple[int, bytes]], folder: Path, *, numbered: bool = False
) -> Iterator[Any]:
    """A connection to a database of one table, which opens no other files."""
    made = spool(lines, shape, table.path, folder / "spool.jsonl")
    connection = opened(folder, made.longest, is_alone=True)
    try:
        connection.execute(f"CREATE VIEW {quoted(table.name)} AS {select(made, numbered=numbered)}")
        closed_off(connection, [made.path, draft_in(folder)])
        yield connection
    finally:
        connection.close()
        made.path.unlink()


def _into_parquet(found: _Found, folder: Path) -> Exported:
    table, shape, chosen = found
    made = spool(chosen.lines, shape, table.path, folder / "spool.jsonl")
    connection = opened(folder, made.longest, is_alone=True)
    with explained(str(table.path)), closing(connection):
        row_bytes = shape.size // max(1, shape.records)
        sql = select(made, as_json=False)
        rows = copy(connection, sql, draft_in(folder), row_bytes=row_bytes, columns=shape.columns)
    made.path.unlink()
    return Exported(rows + chosen.dropped, chosen.dropped)


def _into(made: Database, found: _Found) -> Exported:
    """Add records to a SQLite database, as a table of their own."""
    table, shape, chosen = found
    rows = made.table(table.name, shape.columns, _native(chosen.lines, shape, table.path))
    return Exported(rows + chosen.dropped, chosen.dropped)


def _native(numbered: Iterable[tuple[int, bytes]], shape: Shape, path: Path) -> Iterator[list[Any]]:
    """Records as rows of SQLite's own values."""
    for number, line in numbered:
        record = fields_of(line)
        row: list[Any] = []
        for column in shape.columns:
            value = record.get(column.field)
            if value is None or (raw := bytes(value)) == _NULL:
                row.append(None)
                continue
            try:
                row.append(native(column.kind, raw))
            except UnfitError as error:
                raise unfit(column, path, number, error) from error
        yield row


def _native_rows(found: Answer, to: Path) -> Iterator[list[Any]]:
    """Rows of an answer likewise."""
    kinds = list(found.kinds.items())
    is_json = [field.type == JSON for field in found.fields]
    for rows in found.rows:
        for row in rows:
            cells = []
            for value, (name, kind), as_it_is in zip(row, kinds, is_json, strict=True):
                try:
                    cells.append(value if as_it_is or value is None else native(kind, in_json(value)))
                except UnfitError as error:
                    raise CrawlerError(f"{to}: column {name!r} of type {kind.type}: {error}") from error
            yield cells


def _each_line(chosen: Chosen, write: Callable[[list[bytes]], object]) -> Exported:
    count = 0
    while batch := [line for _, line in islice(chosen.lines, _LINES_AT_ONCE)]:
        write(batch)
        count += len(batch)
    return Exported(count + chosen.dropped, chosen.dropped)


@contextmanager
def _lines_to(draft: Path, to: Path, head: list[bytes]) -> Iterator[Callable[[list[bytes]], object]]:
    """What writes lines to `draft` in the format that `to` names."""
    packing = format_of(to).packing
    with draft.open("wb") as file:
        if head:
            file.write(packing.pack(head))
        yield lambda lines: file.write(packing.pack(lines))
        if not file.tell():
            file.write(packing.pack([]))
