"""How does a crawl become a database? A view of each of its files, by which DuckDB reads them when it is asked.

A file that is whole and stays as it is is read in its place. One that is compressed, still written, torn, or whose
fields no schema tells of all, is first copied, as far as it is whole, to a file that is there for a time (`spool`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError
from crawler.tables.catalog import stored_config, tables_in
from crawler.tables.columns import columns, distinct, quoted
from crawler.tables.duck import explained, opened
from crawler.tables.shape import shape_of
from crawler.tables.spool import reader, select, spool
from crawler.tables.stored import store_spool, stored_types

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.tables.catalog import Table

_LONGEST_IN_PLACE = 16 << 20
"""Bytes of a record in a file that nobody has looked at; each of DuckDB's threads makes room for two. A file with a
longer one is read by way of a copy."""

_LINKS = """
SELECT pages.url AS source, link.url AS target, link.text AS text, link.rel AS rel
FROM pages, unnest(pages.links) AS listed(link)
"""
LINKS, PAGES = "links", "pages"


class Made(NamedTuple):
    """A view of a file."""

    sql: str
    path: Path  #: which it reads
    longest: int  #: bytes of the longest line it may meet
    in_place: bool


class Connected(NamedTuple):
    """A database made of a crawl."""

    connection: Any  #: `duckdb.DuckDBPyConnection`; whoever asked for it closes it
    paths: list[Path]  #: all it reads
    is_copied: bool  #: whether no file is read in its place


class Crawl:
    """The tables of one crawl, by name. Creating it reads names and the configuration only.

    Args:
        directory: Of the crawl.
        config: Its configuration; where None, the one in the directory.
        pages: Its page records, where they are not in it and no store says where.

    Raises:
        ConfigError: There are none.
        CrawlerError: The directory, or its store, cannot be read.
    """

    def __init__(self, directory: Path, config: CrawlConfig | None = None, pages: Path | None = None) -> None:
        self.directory = directory
        self.tables = tables_in(directory, config or stored_config(directory), pages)
        self.store = CrawlDirectory(directory).store
        self._stored = stored_types(self.store)
        taken = {name.lower() for name in self.tables}
        #: name of a view -> table of the store; where a file has its name, it is called ``db_NAME``
        self.stored = {(f"db_{name}" if name in taken else name): name for name in self._stored}

    def names(self) -> list[str]:
        """Of all views there can be."""
        links = [LINKS] if LINKS not in self.tables and PAGES in self.tables else []
        return [*self.tables, *links, *self.stored]

    def columns(self, name: str) -> dict[str, str]:
        """Column -> type of a view; of what no schema tells all of, after a look at all records.

        Raises:
            CrawlerError: They cannot be read.
        """
        if name in self.stored:
            return self._stored[self.stored[name]]
        if name not in self.tables:
            return dict.fromkeys(("source", "target", "text", "rel"), "VARCHAR")
        table = self.tables[name]
        known = table.kinds
        if not table.is_closed:
            known = {one.field: one.kind for one in shape_of(table.lines(), table.path, known).columns}
        return {one.name: one.kind.type for one in columns({field: kind for field, kind in known.items() if kind})}

    def connect(self, folder: Path, wanted: Collection[str] | None = None, *, exact: bool = False) -> Connected:
        """A DuckDB database in memory with these views.

        Args:
            folder: For files that are there as long as it is used.
            wanted: Names of views, in any case of letters; None for all.
            exact: Read no file in its place.

        Raises:
            ConfigError: DuckDB is not installed.
            CrawlerError: Files cannot be read, or hold what a table cannot.
        """
        try:
            made = {name: self._made(name, folder, exact=exact) for name in self._chosen(wanted)}
        except OSError as error:
            told = "copies of files cannot be written here (of a query that prints, TMPDIR says where)"
            raise CrawlerError(f"{folder}: {told}: {error.strerror}") from error
        connection = opened(folder, max((one.longest for one in made.values() if not one.in_place), default=0))
        with explained(str(self.directory)):
            for name, one in zip(distinct(made), made.values(), strict=True):
                connection.execute(f"CREATE VIEW {quoted(name)} AS {one.sql}")
            if LINKS not in self.tables and PAGES in made:
                connection.execute(f"CREATE VIEW {LINKS} AS {_LINKS}")
        is_copied = not any(one.in_place for one in made.values())
        return Connected(connection, [one.path for one in made.values()], is_copied)

    def _chosen(self, wanted: Collection[str] | None) -> Iterator[str]:
        asked = None if wanted is None else {name.lower() for name in wanted}
        for name in (*self.tables, *self.stored):
            if asked is None or name.lower() in asked or (name == PAGES and LINKS in asked):
                yield name

    def _made(self, name: str, folder: Path, *, exact: bool) -> Made:
        to = folder / f"{len(list(folder.iterdir()))}.jsonl"
        if name in self.stored:
            stored = store_spool(self.store, self.stored[name], to)
            return Made(stored.select(), to, stored.longest, in_place=False)
        table = self.tables[name]
        if table.is_readable and not exact:
            return _in_place(table)
        shape = shape_of(table.lines(), table.path, table.kinds)
        numbered = zip(range(shape.records), table.lines(), strict=False)
        made = spool(numbered, shape, table.path, to)
        return Made(select(made), to, made.longest, in_place=False)


def _in_place(table: Table) -> Made:
    """A view of a file as it is."""
    path = table.path.resolve()
    found = columns({field: kind for field, kind in table.kinds.items() if kind is not None})
    shown = ", ".join(quoted(one.field) + (f" AS {quoted(one.name)}" if one.name != one.field else "") for one in found)
    longest = min(path.stat().st_size, _LONGEST_IN_PLACE)
    source = reader(path, {one.field: one.kind.type for one in found}, longest)
    return Made(f"SELECT {shown} FROM {source}", path, longest, in_place=True)  # noqa: S608  (quoted)
