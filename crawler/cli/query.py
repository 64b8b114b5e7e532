"""`crawler query`: SQL on the records of a crawl and on what its store knows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from crawler.cli.completing import directories, paths
from crawler.cli.interrupting import interruptible
from crawler.cli.merging import merged_first
from crawler.cli.page import Page, pages_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.tables.asking import Listed
    from crawler.tables.results import Answer
    from crawler.tables.views import Crawl

STDIN: Final = "-"
FORMATS: Final = ("table", "jsonl", "csv", "json")


@click.command(cls=Page, short_help="Ask a crawl in SQL.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=directories)
@click.argument("sql", metavar="[SQL|-]", required=False)
@click.option(
    "-f", "--file", type=click.Path(path_type=Path), metavar="FILE", shell_complete=paths, help="Read the SQL there."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    metavar="FORMAT",
    help="table, jsonl, csv or json. Default: a table on a terminal, else jsonl.",
)
@click.option(
    "--to", metavar="FILE", shell_complete=paths, help="Write to a file, as export does: its name says the format."
)
@pages_elsewhere
@click.option("--exact", is_flag=True, help="Copy files first, each value looked at: slower.")
@interruptible()
def query(  # noqa: PLR0917  (one parameter per option)
    directory: Path,
    sql: str | None,
    file: Path | None,
    format_: str | None,
    to: str | None,
    pages: Path | None,
    exact: bool,  # noqa: FBT001
) -> None:
    """Run a SELECT of DuckDB's on the crawl in DIR, and print what it answers.

    There is a table of each file of records: pages, outcomes, links (from pages where there is no such file), seeds,
    each rule and whatever else lies there; and of what crawl.db knows: ledger, host and more. Without SQL, they are
    listed with their columns. A name that is no plain word needs double quotes.

    The crawl is only read, and may run meanwhile; nothing else on this machine can be read.
    """
    from crawler.cli.out import tell  # noqa: PLC0415  (help needs none of it)
    from crawler.directory import CrawlDirectory  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.reopen import load_stored  # noqa: PLC0415
    from crawler.tables.views import Crawl  # noqa: PLC0415
    from crawler.wording import counted  # noqa: PLC0415

    if to is not None and format_ is not None:
        raise ConfigError(f"--format {format_}: the name after --to says the format; expected one of them")
    asked = _sql(sql, file)
    merged_first(directory)
    loaded = load_stored(CrawlDirectory(directory))
    crawl = Crawl(directory, loaded.config if loaded else None, pages)
    if asked is None:
        from crawler.tables.asking import listed  # noqa: PLC0415

        if to is not None:
            raise ConfigError("--to: there is nothing to write without SQL")
        _tell_tables(listed(crawl), format_ or _default())
    elif to is None:
        _print(crawl, asked, format_ or _default(), exact=exact)
    else:
        tell(counted(_write(crawl, asked, Path(to), exact=exact), "row"), err=True)


def _sql(given: str | None, file: Path | None) -> str | None:
    """The SQL, wherever it stands; None if there is none."""
    from crawler.errors import ConfigError  # noqa: PLC0415

    if given is not None and file is not None:
        raise ConfigError(f"-f {file}: and SQL is given, too; expected one of them")
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        return sys.stdin.buffer.read().decode() if given == STDIN else given
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file or 'standard input'}: expected SQL in UTF-8: {error}") from error
    except OSError as error:
        raise ConfigError(f"-f {file}: cannot be read: {error.strerror}") from error


def _default() -> str:
    return "table" if sys.stdout is not None and sys.stdout.isatty() else "jsonl"


def _print(crawl: Crawl, sql: str, format_: str, *, exact: bool) -> None:
    """Write the answer to standard output."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.tables.asking import ask  # noqa: PLC0415
    from crawler.tables.duck import RecordsError  # noqa: PLC0415
    from crawler.tables.results import answer  # noqa: PLC0415

    if sys.stdout is None:
        raise ConfigError("query needs standard output, and it is closed; expected --to FILE")
    begun: list[bool] = []

    def use(connection: Any, statement: str) -> None:  # noqa: ANN401
        if begun:
            raise RecordsError("query: a record cannot be read in its place, and rows are printed; add --exact")
        found = answer(connection, statement)
        rows = found.begun(lambda: begun.append(True))
        _PRINTERS[format_](rows)

    with TemporaryDirectory(prefix="crawler-") as folder:
        ask(crawl, sql, Path(folder), use, exact=exact)


def _write(crawl: Crawl, sql: str, to: Path, *, exact: bool) -> int:
    """Write the answer to a file; how many rows."""
    from crawler.dataset.beside import beside, draft_in  # noqa: PLC0415
    from crawler.tables.asking import ask  # noqa: PLC0415
    from crawler.tables.catalog import refuse_own  # noqa: PLC0415
    from crawler.tables.exporting import check_cells, write_answer  # noqa: PLC0415

    check_cells(to, raw_cells=False)
    refuse_own(crawl.directory, crawl.tables, to)
    with beside(to) as folder:
        draft = draft_in(folder)

        def use(connection: Any, statement: str) -> int:  # noqa: ANN401
            draft.unlink(missing_ok=True)
            return write_answer(connection, statement, draft, to)

        return ask(crawl, sql, folder, use, to=draft, exact=exact)


def _print_table(found: Answer) -> None:
    from crawler.cli.out import tell  # noqa: PLC0415
    from crawler.cli.table_shown import table_lines  # noqa: PLC0415

    for line in table_lines([field.name for field in found.fields], found.rows):
        tell(line)


def _print_jsonl(found: Answer) -> None:
    from crawler.tables.results import records  # noqa: PLC0415

    write = _stdout()
    found.each(lambda rows: write(b"\n".join((*records(found.fields, rows), b""))))


def _print_json(found: Answer) -> None:
    from crawler.tables.results import records  # noqa: PLC0415

    write = _stdout()
    between = b"[\n"
    for rows in found.rows:
        write(between + b",\n".join(records(found.fields, rows)))
        between = b",\n"
    write(b"[]\n" if between == b"[\n" else b"\n]\n")


def _print_csv(found: Answer) -> None:
    from crawler.dataset.formats import format_of  # noqa: PLC0415
    from crawler.tables.results import records  # noqa: PLC0415

    encoding = format_of(Path("stdout.csv")).rows([field.name for field in found.fields])
    write = _stdout(lines_end=b"\r\n")
    write(b"\n".join((*encoding.head, b"")))
    found.each(lambda rows: write(b"\n".join((*encoding.encode(records(found.fields, rows)), b""))))


_PRINTERS: Final[dict[str, Callable[[Answer], None]]] = {
    "table": _print_table,
    "jsonl": _print_jsonl,
    "csv": _print_csv,
    "json": _print_json,
}


def _stdout(lines_end: bytes = b"\n") -> Callable[[bytes], object]:
    """What writes data to standard output: to a terminal nothing that it would obey."""
    from crawler.cli.out import data_for, safe_lines  # noqa: PLC0415

    out = sys.stdout.buffer
    if lines_end != b"\n" and sys.stdout.isatty():
        return lambda data: out.write(safe_lines(data.decode().replace("\r\n", "\n")).encode())
    shown = data_for(sys.stdout)
    return lambda data: out.write(shown(data))


def _tell_tables(tables: list[Listed], format_: str) -> None:
    """Print which tables there are."""
    from crawler.cli.out import remark, tell  # noqa: PLC0415
    from crawler.tables.results import in_json  # noqa: PLC0415
    from crawler.wording import counted, printable  # noqa: PLC0415

    if format_ not in ("table", "jsonl"):
        from crawler.errors import ConfigError  # noqa: PLC0415

        raise ConfigError(f"--format {format_}: the list of tables is a table or jsonl")
    for table in tables:
        if table.problem:
            remark(f"{printable(table.name)}: cannot be asked: {printable(table.problem)}")
        elif format_ == "jsonl":
            columns = [{"name": name, "type": type_} for name, type_ in table.columns.items()]
            tell(in_json({"table": table.name, "rows": table.rows, "columns": columns}).decode())
        else:
            tell(f"{table.name}: {counted(table.rows, 'row')}")
            width = max(map(len, table.columns), default=0)
            tell("\n".join(f"  {name:<{width}}  {type_}" for name, type_ in table.columns.items()))
