"""`crawler export`: the records of a crawl in a file of one's own, each key once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.completing import directories, paths, record_names
from crawler.cli.interrupting import interruptible
from crawler.cli.merging import merged_first
from crawler.cli.page import Page, pages_elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.config import CrawlConfig
    from crawler.dataset.exported import Exported
    from crawler.tables.catalog import Table
    from crawler.tables.exporting import Wanted

STDOUT = "-"
PAGES, LINKS = "pages", "links"


@click.command(cls=Page, short_help="Write records as Parquet, CSV, SQLite or JSON Lines.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=directories)
@click.argument("name", metavar="[NAME]", required=False, shell_complete=record_names)
@click.option(
    "--to",
    default=STDOUT,
    metavar="FILE|-",
    shell_complete=paths,
    help="Where to: .parquet, .sqlite or .db, .jsonl or .csv, these two also with .gz or .zst; or stdout.",
)
@click.option("--where", metavar="SQL", help="Only records for which this is true, such as 'price > 20'.")
@click.option("--select", metavar="SQL", help="Only these columns, such as 'url, lower(lang) AS lang'.")
@pages_elsewhere
@click.option("--unique", "key", multiple=True, metavar="FIELD", help="Fields of the key, in place of the rule's own.")
@click.option("--all", "keep_all", is_flag=True, help="Keep records that share a key.")
@click.option("--raw-cells", is_flag=True, help="Leave CSV cells as they are, though a spreadsheet may run them.")
@interruptible()
def export(  # noqa: PLR0917  (one parameter per option)
    directory: Path,
    name: str | None,
    to: str,
    where: str | None,
    select: str | None,
    pages: Path | None,
    key: tuple[str, ...],
    keep_all: bool,  # noqa: FBT001
    raw_cells: bool,  # noqa: FBT001
) -> None:
    """Write records of the crawl in DIR to a file, as Parquet, SQLite, CSV or JSON Lines.

    NAME is a file of records: pages, outcomes, links, a rule, and whatever else lies there. Without it, FILE.sqlite
    gets a table of each; any other FILE gets the one that is called as FILE is, else pages.

    --where and --select are SQL as DuckDB understands it. Of the records that remain and share the fields which
    `unique` of the rule names, the one with the smallest URL is written, in the order of the crawl's file. How many
    were dropped is said on standard error. FILE is there once it is whole.

    Parquet has lists and objects as they are; in CSV and SQLite they are JSON. In CSV, null is empty, and text that a
    spreadsheet would take for a formula gets a ' before it.
    """
    from crawler.cli.out import tell  # noqa: PLC0415  (help needs none of it)
    from crawler.dataset.formats import holds_tables, stem_of  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.tables.catalog import refuse_own  # noqa: PLC0415
    from crawler.tables.exporting import Wanted, export_file  # noqa: PLC0415

    if key and keep_all:
        raise ConfigError("--unique drops records and --all keeps them: expected one of them")
    path = None if to == STDOUT else Path(to)
    if path is None and raw_cells:
        raise ConfigError("--raw-cells: is for --to FILE.csv")
    merged_first(directory)
    tables, config = _tables(directory, pages)
    if path is not None:
        refuse_own(directory, tables, path)
    if name is None and path is not None and holds_tables(path):
        if where or select or key:
            raise ConfigError("--where, --select and --unique are for one table: name it, as in export DIR pages")
        tell(_all(tables, config, path, keep_all=keep_all), err=True)
        return
    if name is None:
        name = stem if path and (stem := stem_of(path)) in (*tables, LINKS) else PAGES
    table = _table(directory, tables, name)
    fields = () if keep_all else _key(config, name, key)
    wanted = Wanted(fields, where, select)
    done = _to_stdout(table, wanted) if path is None else export_file(table, path, wanted, raw_cells=raw_cells)
    tell(_told(done, fields), err=True)


def _tables(directory: Path, pages: Path | None) -> tuple[dict[str, Table], CrawlConfig | None]:
    """The tables of a crawl, and its configuration."""
    from crawler.directory import CrawlDirectory  # noqa: PLC0415
    from crawler.reopen import load_stored  # noqa: PLC0415
    from crawler.tables.catalog import tables_in  # noqa: PLC0415

    loaded = load_stored(CrawlDirectory(directory))
    config = loaded.config if loaded else None
    return tables_in(directory, config, pages), config


def _table(directory: Path, tables: Mapping[str, Table], name: str) -> Table:
    """The table of this name; links are in pages, too.

    Raises:
        ConfigError: There is none.
    """
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.tables.links import links_table  # noqa: PLC0415

    if name in tables:
        return tables[name]
    if name == LINKS and PAGES in tables:
        return links_table(tables[PAGES])
    hint = "; of a crawl -o FILE, --pages FILE says where they are" if name in (PAGES, LINKS) else ""
    raise ConfigError(f"{directory}: has no records of {name!r}; expected {', '.join(sorted(tables))}{hint}")


def _to_stdout(table: Table, wanted: Wanted) -> Exported:
    """Write records as JSON Lines to standard output."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from crawler.cli.out import data_for  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.tables.exporting import export_lines  # noqa: PLC0415

    if sys.stdout is None:
        raise ConfigError("--to - needs standard output, and it is closed")
    with open(sys.stdout.fileno(), "wb", closefd=False) as out, TemporaryDirectory(prefix="crawler-") as folder:
        shown = data_for(out)
        return export_lines(table, wanted, Path(folder), lambda lines: out.write(shown(b"\n".join((*lines, b"")))))


def _all(tables: Mapping[str, Table], config: CrawlConfig | None, path: Path, *, keep_all: bool) -> str:
    """Write all tables to one file; what is said of it."""
    from crawler.tables.exporting import export_all  # noqa: PLC0415
    from crawler.wording import counted  # noqa: PLC0415

    keys = {name: () if keep_all else _key(config, name, ()) for name in tables}
    done = export_all(((table, keys[name]) for name, table in tables.items()), path)
    lines = [f"{name}: {_told(one, keys[name])}" for name, one in done.items()]
    return "\n".join((*lines, counted(len(done), "table")))


def _key(config: CrawlConfig | None, name: str, given: tuple[str, ...]) -> tuple[str, ...]:
    """The fields that are `given`, else those that ``unique`` of the rule says.

    Raises:
        ConfigError: The rule has no such field.
    """
    from crawler.errors import ConfigError  # noqa: PLC0415

    rules = config.extract.rules if config else ()
    rule = next((rule for rule in rules if rule.name == name), None)
    if rule is None:
        return given
    if unknown := [field for field in given if field not in rule.fields and field[:1] != "_"]:
        raise ConfigError(f"--unique {unknown[0]}: rule {name} has no such field; expected {', '.join(rule.fields)}")
    return given or rule.unique


def _told(done: Exported, key: tuple[str, ...]) -> str:
    from crawler.wording import counted  # noqa: PLC0415

    records = counted(done.records - done.dropped, "record")
    if not key:
        return records
    return f"{records}; {done.dropped:,} dropped, as others have the same {', '.join(key)} and a smaller URL"
