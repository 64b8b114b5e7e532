"""`crawler report`: what did a crawl come to, as a page?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.completing import directories
from crawler.cli.merging import merged_first
from crawler.cli.page import Page, pages_elsewhere

if TYPE_CHECKING:
    from crawler.report.facts import Report

STDOUT = "-"


@click.command(cls=Page, short_help="Write a page on what a crawl came to.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=directories)
@click.option("-o", "--output", metavar="FILE|-", help="Where to; by default DIR/report.html. -: standard output.")
@pages_elsewhere
@click.option("--json", "as_json", is_flag=True, help="Print the facts as one JSON object, and write no page.")
@click.option("--open", "in_browser", is_flag=True, help="Show the page in a browser.")
def report(
    directory: Path,
    output: str | None,
    pages: Path | None,
    as_json: bool,  # noqa: FBT001
    in_browser: bool,  # noqa: FBT001
) -> None:
    """Write report.html about the crawl in DIR: one page with all there is to tell, which needs no other file and no
    network.

    A crawl writes it when it has ended (export.report). DIR may also be of one that runs, was interrupted or killed, or
    is damaged: told as of its last checkpoint, with what could not be read. Only the report is written.

    The store knows where page records are that `crawl -o FILE` wrote elsewhere, but for frontier: memory.
    """
    from crawler.cli.out import tell, tell_json  # noqa: PLC0415  (help needs none of it)
    from crawler.errors import ConfigError  # noqa: PLC0415

    if as_json and (output is not None or in_browser):
        raise ConfigError("--json prints the facts and writes no page: expected neither -o nor --open beside it")
    if output == STDOUT and in_browser:
        raise ConfigError("--open shows a file: expected no -o - beside it")
    if pages is not None and not pages.is_file():
        raise ConfigError(f"--pages {pages}: there is no such file")
    merged_first(directory)
    _say_if_long(directory, pages)
    if as_json:
        import msgspec  # noqa: PLC0415

        tell_json(msgspec.json.encode(_facts(directory, pages)))
    elif output == STDOUT:
        _print(directory, pages)
    else:
        path = _target(directory, output)
        told = _written(directory, path, pages)
        for remark in told.remarks:
            tell(remark, err=True)
        tell(_line(path, told))
        if in_browser:
            _open(path)


def _say_if_long(directory: Path, pages: Path | None) -> None:
    from crawler.cli.out import tell  # noqa: PLC0415
    from crawler.report import takes_long  # noqa: PLC0415

    if takes_long(directory, pages):
        tell(f"Reading {directory} …", err=True)


def _facts(directory: Path, pages: Path | None) -> Report:
    import time  # noqa: PLC0415

    from crawler.report.collect import collect  # noqa: PLC0415

    return collect(directory, now=time.time(), pages=pages)


def _print(directory: Path, pages: Path | None) -> None:
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.report.page import html  # noqa: PLC0415

    if sys.stdout is None:
        raise ConfigError("-o - needs standard output, and it is closed")
    page = html(_facts(directory, pages))
    with open(sys.stdout.fileno(), "wb", closefd=False) as out:
        out.write(page)


def _written(directory: Path, path: Path, pages: Path | None) -> Report:
    from crawler.report import write  # noqa: PLC0415

    return write(directory, path, pages=pages)


def _target(directory: Path, output: str | None) -> Path:
    """Where the page goes. Errors as for `target`."""
    from crawler.directory import CrawlDirectory  # noqa: PLC0415

    if output is None:
        return CrawlDirectory(directory).report
    return target("-o", Path(output))


def target(option: str, path: Path) -> Path:
    """A place for a page, named by an option.

    Raises:
        ConfigError: There is no such folder, or something else than a page is there.
    """
    from crawler.errors import ConfigError  # noqa: PLC0415

    if not path.parent.is_dir():
        raise ConfigError(f"{option} {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise ConfigError(f"{option} {path}: is a folder; expected the name of a file")
    if path.exists() and not path.is_file():  # which would be replaced, not written to
        raise ConfigError(
            f"{option} {path}: is no regular file" + ("; -o - writes to standard output" * (option == "-o"))
        )
    if path.exists() and not _is_page(path):
        raise ConfigError(f"{option} {path}: exists already, and is no HTML page; name another file")
    return path


def _is_page(path: Path) -> bool:
    """Whether a file may be replaced by a newer page."""
    from contextlib import suppress  # noqa: PLC0415

    with suppress(OSError), path.open("rb") as file:
        start = file.read(64).lstrip().lower()
        return not start or start.startswith((b"<!doctype html", b"<html"))
    return False


def _line(path: Path, told: Report) -> str:
    from crawler.wording import counted, size  # noqa: PLC0415

    return (
        f"{path}: {counted(told.pages, 'page')}, {told.outcomes.get('failed', 0):,} failed, {size(path.stat().st_size)}"
    )


def _open(path: Path) -> None:
    import webbrowser  # noqa: PLC0415

    from crawler.cli.out import tell  # noqa: PLC0415

    if not webbrowser.open(path.resolve().as_uri()):
        tell("No browser could be started.", err=True)
