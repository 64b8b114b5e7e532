"""What does a query answer? Its columns, and its rows some at a time, each also as a record: one line of JSON."""

from __future__ import annotations

import base64
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import msgspec

from crawler.extract.record import one_line
from crawler.tables.columns import BOOL, JSON, NUMBER, TEXT, WHOLE, Kind, distinct, plain
from crawler.tables.values import LEAST, MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ROWS_AT_ONCE = 200
HUGE = ("HUGEINT", "UHUGEINT")
"""What sums are to DuckDB, and no file format holds."""

_WHOLES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", *HUGE)
_encode = msgspec.json.encode


class Field(NamedTuple):
    """A column of an answer."""

    name: str
    type: str  #: in DuckDB's words


class Answer(NamedTuple):
    """What a query answers."""

    fields: Sequence[Field]
    rows: Iterator[list[tuple[Any, ...]]]  #: some at a time

    def each(self, write: Callable[[list[tuple[Any, ...]]], object]) -> int:
        """Hand all rows to `write`; how many there were."""
        count = 0
        for rows in self.rows:
            write(rows)
            count += len(rows)
        return count

    def begun(self, tell: Callable[[], object]) -> Answer:
        """The same; `tell` is called when the first rows are there."""

        def rows() -> Iterator[list[tuple[Any, ...]]]:
            first = next(self.rows, None)
            if first is not None:
                tell()
                yield first
                yield from self.rows

        return Answer(self.fields, rows())

    @property
    def kinds(self) -> dict[str, Kind]:
        """Column -> what it holds in a table that knows text, numbers and JSON."""
        return {field.name: _kind(field.type) for field in self.fields}


def answer(connection: Any) -> Answer:  # noqa: ANN401
    """The answer to what a connection has executed."""
    names = distinct(column[0] for column in connection.description)
    fields = [Field(name, str(column[1])) for name, column in zip(names, connection.description, strict=True)]
    return Answer(fields, iter(lambda: connection.fetchmany(_ROWS_AT_ONCE), []))


def records(fields: Sequence[Field], rows: Sequence[tuple[Any, ...]]) -> list[bytes]:
    """Rows as lines of JSON, without their newlines."""
    heads = [(b"," if number else b"{") + _encode(field.name) + b":" for number, field in enumerate(fields)]
    json = [field.type == JSON for field in fields]
    made = []
    for row in rows:
        parts: list[bytes] = []
        for head, is_json, value in zip(heads, json, row, strict=True):
            parts += head, value.encode() if is_json and value is not None else in_json(value)
        made.append(one_line(b"".join((*parts, b"}")).replace(b"\n", b" ")))
    return made


def in_json(value: Any) -> bytes:  # noqa: ANN401
    """A value of DuckDB's as JSON; of what JSON does not know, text as ISO 8601 and RFC 4648 have it."""
    return _encode(_plain(value))


def _plain(value: Any) -> Any:  # noqa: ANN401
    match value:
        case None | str() | bool() | float():
            return value
        case int():
            return value if LEAST <= value <= MOST else msgspec.Raw(str(value).encode())
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict():
            return {_key(name): _plain(one) for name, one in value.items()}
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
    return _text(value)


def _key(name: Any) -> str:  # noqa: ANN401
    return name if isinstance(name, str) else in_json(name).decode().strip('"')


def _text(value: Any) -> str:  # noqa: ANN401
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return f"P{value.days}DT{value.seconds + value.microseconds / 1e6:g}S"
        case Decimal() | UUID():
            return str(value)
    return str(value)


def _kind(type_: str) -> Kind:
    if type_ in _WHOLES:
        return plain(WHOLE)
    if type_ in ("DOUBLE", "FLOAT"):
        return plain(NUMBER)
    if type_ == "BOOLEAN":
        return plain(BOOL)
    is_nested = type_ == JSON or type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION"))
    return Kind(JSON, None) if is_nested else plain(TEXT)
