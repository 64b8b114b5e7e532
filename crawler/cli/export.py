"""`crawler export`: the records of a crawl, each key once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.completing import directories, paths, record_names
from crawler.cli.page import Page

if TYPE_CHECKING:
    from crawler.dataset.exported import Exported

STDOUT = "-"


@click.command(cls=Page, short_help="Write the records of a rule, or pages, without doubles.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=directories)
@click.argument("name", metavar="RULE|pages", shell_complete=record_names)
@click.option(
    "--to",
    default=STDOUT,
    metavar="FILE|-",
    shell_complete=paths,
    help="Where to: .jsonl or .csv, also with .gz or .zst; or stdout.",
)
@click.option("--unique", "key", multiple=True, metavar="FIELD", help="Fields of the key, in place of the rule's own.")
@click.option("--all", "keep_all", is_flag=True, help="Keep records that share a key.")
@click.option("--raw-cells", is_flag=True, help="Leave CSV cells as they are, though a spreadsheet may run them.")
def export(  # noqa: PLR0917  (one parameter per option)
    directory: Path,
    name: str,
    to: str,
    key: tuple[str, ...],
    keep_all: bool,  # noqa: FBT001
    raw_cells: bool,  # noqa: FBT001
) -> None:
    """Write the records of a rule of the crawl in DIR, or its pages, as JSON Lines or CSV.

    Of records that share the fields which `unique` of the rule names, the one with the smallest URL is written, in the
    order of the crawl's file. How many were dropped is said on standard error. FILE is there once it is whole.

    In CSV, lists and objects are JSON, null is empty, and text that a spreadsheet would take for a formula gets a '
    before it.
    """
    from crawler.cli.out import data_for, tell  # noqa: PLC0415
    from crawler.dataset.exported import export as exported  # noqa: PLC0415  (help needs none of it)
    from crawler.dataset.exported import source, written  # noqa: PLC0415
    from crawler.dataset.formats import format_of  # noqa: PLC0415
    from crawler.directory import CrawlDirectory  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415

    if key and keep_all:
        raise ConfigError("--unique drops records and --all keeps them: expected one of them")
    path = source(directory, name)
    fields = () if keep_all else _key(directory, name, key)
    if to == STDOUT:
        if raw_cells:
            raise ConfigError("--raw-cells: is for --to FILE.csv")
        if sys.stdout is None:
            raise ConfigError("--to - needs standard output, and it is closed")
        with open(sys.stdout.fileno(), "wb", closefd=False) as out:
            shown = data_for(out)
            done = exported(path, fields, lambda lines: out.write(shown(b"\n".join((*lines, b"")))))
    else:
        own = CrawlDirectory(directory)
        own.know([name])
        if own.owns(Path(to)):
            raise ConfigError(f"--to {to}: is a file of the crawl itself; name another")
        encoding = format_of(Path(to)).encoding(path, raw_cells=raw_cells)
        with written(Path(to)) as write:
            if encoding.head:
                write(encoding.head)
            done = exported(path, fields, lambda lines: write(encoding.encode(lines)), most=encoding.records)
    tell(_told(done, fields), err=True)


def _key(directory: Path, name: str, given: tuple[str, ...]) -> tuple[str, ...]:
    """The fields that are `given`, else those that ``unique`` of the rule says.

    Raises:
        ConfigError: The rule has no such field.
    """
    from crawler.directory import CrawlDirectory  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.reopen import load_stored  # noqa: PLC0415

    loaded = load_stored(CrawlDirectory(directory))
    rules = loaded.config.extract.rules if loaded else ()
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
