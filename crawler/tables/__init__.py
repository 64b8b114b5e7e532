"""What a crawl wrote as tables: asked in SQL, and written in the formats that tables come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from os import PathLike

    from duckdb import DuckDBPyConnection


def connect(
    directory: str | PathLike[str],
    *,
    tables: Collection[str] | None = None,
    pages: str | PathLike[str] | None = None,
    exact: bool = False,
) -> DuckDBPyConnection:
    """A DuckDB database in memory that has a view for each file of records of a crawl, and for tables of its store.

    As in `crawler query`: ``pages``, ``outcomes``, ``links``, each rule, ``ledger``, …. The crawl is only read, and
    may still run: a view then shows what was whole when this was called. Close the connection when done.

    Args:
        directory: Of the crawl.
        tables: Names of those that are wanted, in any case of letters; None for all. Those that cannot be read in
            their place, such as ``ledger`` and compressed files, are copied first, so naming a few saves time.
        pages: Page records of ``crawl -o FILE``, where no store says where they are.
        exact: Copy all files first, each value looked at: slower, and reads what DuckDB's own reader does not.

    Raises:
        ConfigError: DuckDB is not installed (``pip install 'crawler[data]'``), or no crawl lies there.
        CrawlerError: Something in it cannot be read, or held by a table; names file and line.
    """
    import weakref  # noqa: PLC0415 - nothing of this is needed to import the package
    from pathlib import Path  # noqa: PLC0415
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from crawler.tables.duck import duckdb  # noqa: PLC0415
    from crawler.tables.views import Crawl  # noqa: PLC0415

    duckdb()
    folder = TemporaryDirectory(prefix="crawler-")
    try:
        crawl = Crawl(Path(directory), pages=None if pages is None else Path(pages))
        made = crawl.connect(Path(folder.name), tables, exact=exact)
    except BaseException:
        folder.cleanup()
        raise
    weakref.finalize(made.connection, folder.cleanup)
    return made.connection  # type: ignore[no-any-return]
