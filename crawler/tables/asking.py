"""What does a crawl answer to a question in SQL? Only the tables that it names are made ready."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError
from crawler.tables.duck import RecordsError, closed_off, duckdb, explained, one_select
from crawler.tables.links import links_table
from crawler.tables.stored import counted
from crawler.tables.views import LINKS, PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from crawler.tables.views import Crawl

T = TypeVar("T")

_TOLD = "query"
_OF_TABLES = re.compile(r"query|query_table|duckdb_\w+|pragma_\w+", re.I)  # functions


class Listed(NamedTuple):
    """A table that can be asked."""

    name: str
    rows: int
    columns: dict[str, str]  #: name -> type
    problem: str = ""  #: why it cannot be asked


def listed(crawl: Crawl) -> list[Listed]:
    """The tables of a crawl, after a look at its files; somebody else's may be among them, which are none."""
    found = []
    for name in crawl.names():
        try:
            found.append(Listed(name, _rows(crawl, name), crawl.columns(name)))
        except CrawlerError as error:
            found.append(Listed(name, 0, {}, str(error)))
    return found


def ask(
    crawl: Crawl,
    sql: str,
    folder: Path,
    use: Callable[[Any, str], T],
    *,
    to: Path | None = None,
    exact: bool = False,
) -> T:
    """Have `use` ask a database of a crawl; what it returns.

    Where a file cannot be read in its place, `use` is called once more with a copy.

    Args:
        crawl: Which is asked.
        sql: One SELECT.
        folder: For files that are there for a time.
        use: Takes a connection, and the SQL for it.
        to: The one file that may be written.
        exact: Read no file in its place.

    Raises:
        ConfigError: The SQL cannot be meant.
        CrawlerError: The crawl cannot be read.
    """
    statement = one_select(sql, _TOLD)
    wanted = _named(statement)
    made = crawl.connect(folder, wanted, exact=exact)
    try:
        closed_off(made.connection, made.paths if to is None else [*made.paths, to])
        with explained(_TOLD, lambda: _hint(crawl, wanted)):
            return use(made.connection, statement)
    except RecordsError:
        if made.is_copied:
            raise
    finally:
        made.connection.close()
    return ask(crawl, sql, folder, use, to=to, exact=True)


def _named(statement: str) -> Collection[str] | None:
    """The tables that it names; None for all, as it asks about tables, or names them in a text.

    Found in the statement as DuckDB parsed it: `get_table_names` binds columns, too, of tables that are not there yet.
    """
    module = duckdb()
    with explained(_TOLD), module.connect(":memory:") as connection:
        (told,) = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [statement]).fetchone()
    names: set[str] = set()
    nodes = [msgspec.json.decode(told)]
    while nodes:
        match nodes.pop():
            case list() as several:
                nodes += several
            case {"error": True} | {"show_type": "SHOW_SPECIAL"} | {"schema_name": "information_schema"}:
                return None
            case {"type": "TABLE_FUNCTION", "function": {"function_name": str(name)}} if _OF_TABLES.fullmatch(name):
                return None
            case dict() as one:
                if one.get("type") == "BASE_TABLE":
                    names.add(one["table_name"])
                nodes += one.values()
    return names


def _hint(crawl: Crawl, wanted: Collection[str] | None) -> str:
    """What there is to be asked."""
    asked = {name.lower() for name in wanted or ()}
    lines = []
    for name in crawl.names():
        table = crawl.tables.get(name)
        is_known = table is None or table.is_closed or name.lower() in asked
        lines.append(f"  {name}: {', '.join(crawl.columns(name))}" if is_known else f"  {name}")
    near = (get_close_matches(name, crawl.names(), 1) for name in wanted or () if name not in crawl.names())
    meant = [f"did you mean the table {found[0]}?" for found in near if found]
    if PAGES not in crawl.tables and asked & {PAGES, LINKS}:
        meant.append("there are no page records; of a crawl -o FILE, --pages FILE says where they are")
    return "\n".join(("", *meant, "tables and their columns:", *lines))


def _rows(crawl: Crawl, name: str) -> int:
    if name in crawl.stored:
        return counted(crawl.store, crawl.stored[name])
    if name in crawl.tables:
        return sum(block.count(b"\n") for block in Lines(crawl.tables[name].path).blocks())
    return sum(1 for _ in links_table(crawl.tables[PAGES]).lines())
