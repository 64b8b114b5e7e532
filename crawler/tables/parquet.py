"""How does a table become a Parquet file, in groups of rows that are small enough to be held in memory?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from crawler.tables.columns import quoted
from crawler.tables.results import HUGE
from crawler.tables.spool import literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crawler.tables.columns import Column

GROUP_BYTES = 16 << 20
"""Of records as JSON; a reader takes one group at a time, too."""

COLUMNS_KEY = "crawler.columns"
"""In the file's metadata: JSON, an object for each column with its name, its field and its type, ``JSON`` for a text of
JSON."""

_MOST_ROWS, _FEWEST_ROWS = 122_880, 2_048


def copy(connection: Any, sql: str, to: Path, *, row_bytes: int, columns: Sequence[Column] = ()) -> int:  # noqa: ANN401
    """Write what a query answers to `to`; how many rows.

    Args:
        connection: To the database that is asked.
        sql: The query.
        to: A new file.
        row_bytes: How long a record is, about.
        columns: What is told of them in the file.

    Raises:
        duckdb.Error: It cannot be done.
    """
    rows = max(_FEWEST_ROWS, min(_MOST_ROWS, GROUP_BYTES // max(1, row_bytes)))
    rows -= rows % _FEWEST_ROWS  # of which DuckDB makes its vectors
    told = [{"name": one.name, "field": one.field, "type": one.kind.type} for one in columns]
    options = [f"ROW_GROUP_SIZE {rows}", "FORMAT parquet", "COMPRESSION zstd"]
    if told:
        text = msgspec.json.encode(told).decode()
        options.append(f"KV_METADATA {{{literal(COLUMNS_KEY)}: {literal(text)}}}")
    answer = connection.execute(f"COPY ({_held(connection, sql)}) TO {literal(str(to))} ({', '.join(options)})")
    return int(answer.fetchone()[0])


def _held(connection: Any, sql: str) -> str:  # noqa: ANN401
    """The query with sums, which DuckDB counts in 128 bits and Parquet would round, in 64, or an error."""
    rows = connection.execute(f"DESCRIBE {sql}").fetchall()
    huge = [name for name, type_, *_ in rows if type_ in HUGE]
    if not huge:
        return sql
    casts = ", ".join(f"CAST({quoted(name)} AS BIGINT) AS {quoted(name)}" for name in huge)
    return f"SELECT * REPLACE ({casts}) FROM (\n{sql}\n)"  # noqa: S608  (the user's own query)
