"""`crawler diff`: in what do two crawls differ?"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.completing import directories, paths
from crawler.cli.merging import merged_first
from crawler.cli.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crawler.cli.rows import Row
    from crawler.diff.compare import Differences
    from crawler.diff.record import Comparison, Counts
    from crawler.report.comparison import Seen

STDOUT = "-"
_AT_ONCE = 2_000
_FIELDS_SHOWN = 12


@click.command(cls=Page, short_help="Say in what two crawls differ.")
@click.argument("before", metavar="DIR1", type=click.Path(path_type=Path), shell_complete=directories)
@click.argument("after", metavar="DIR2", type=click.Path(path_type=Path), shell_complete=directories)
@click.option(
    "--to",
    metavar="FILE|-",
    shell_complete=paths,
    help="Where the lines go: .jsonl, also with .gz or .zst; or stdout, the default without --report.",
)
@click.option("--only", metavar="WHAT,...", help="What is compared: pages, items, links, or some of them.")
@click.option(
    "--report",
    "page",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    shell_complete=paths,
    help="Write a page on it, too; then lines are written with --to alone.",
)
def diff(before: Path, after: Path, to: str | None, only: str | None, page: Path | None) -> None:
    """Compare the crawl in DIR1 with the one in DIR2: write a line of JSON for each page, item (a record of a rule) and
    link that was added, removed or changed, and what it came to on standard error.

    Of a page count title, description, h1, text, language and canonical URL, as far as both crawls have them; not
    links, dates, digests or counts. An item is known by the fields under unique of its rule, else by its page; the
    order of items does not matter. Both crawls may be running, interrupted or finished, or be generations, DIR@1 and
    DIR: each is read up to its last checkpoint.
    """
    from crawler.cli.interrupting import interruptible  # noqa: PLC0415  (help needs none of it)
    from crawler.cli.out import tell  # noqa: PLC0415
    from crawler.cli.rows import lines_of  # noqa: PLC0415
    from crawler.diff.compare import Differences  # noqa: PLC0415
    from crawler.directory import CrawlDirectory  # noqa: PLC0415
    from crawler.report.comparison import Seen  # noqa: PLC0415

    kinds = _kinds(only)
    merged_first(before, after)
    found = Differences(CrawlDirectory(before), CrawlDirectory(after), kinds)
    if page is not None:
        _check_page(page)
    seen = Seen()
    with interruptible(), _writing(found, to if to is not None or page is not None else STDOUT) as write:
        _go_through(found, seen, write)
    if page is not None:
        from crawler.report import put  # noqa: PLC0415
        from crawler.report.comparison import html  # noqa: PLC0415

        put(page, html(before, after, found.told, seen))
    tell("\n".join(lines_of(_told(found.told))), err=True)


def _kinds(only: str | None) -> tuple[str, ...]:
    """What is looked at.

    Raises:
        ConfigError: There is no such kind.
    """
    from crawler.diff.compare import KINDS  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415

    if only is None:
        return KINDS
    asked = [name.strip() for name in only.split(",")]
    if unknown := [name for name in asked if name not in KINDS]:
        raise ConfigError(f"--only {only}: {unknown[0]!r} is none of {', '.join(KINDS)}")
    return tuple(asked)


def _check_page(page: Path) -> None:
    """Refuse a place where the page would do harm, before the work is done."""
    from crawler.cli.report import target  # noqa: PLC0415

    target("--report", page)


@contextmanager
def _writing(found: Differences, to: str | None) -> Iterator[Callable[[list[bytes]], object]]:
    """What takes lines, some at a time.

    Raises:
        ConfigError: They cannot go there.
    """
    from crawler.cli.out import data_for  # noqa: PLC0415
    from crawler.dataset.exported import written  # noqa: PLC0415
    from crawler.dataset.formats import JSONL, format_of  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415

    if to is None:
        yield len
    elif to == STDOUT:
        if sys.stdout is None:
            raise ConfigError("--to - needs standard output, and it is closed")
        with open(sys.stdout.fileno(), "wb", closefd=False) as out:
            shown = data_for(out)
            yield lambda lines: out.write(shown(b"".join(line + b"\n" for line in lines)))
    else:
        path = Path(to)
        if format_of(path).kind != JSONL:
            raise ConfigError(f"--to {to}: differences are JSON Lines; expected a name that ends with .jsonl")
        if not path.parent.is_dir():
            raise ConfigError(f"--to {to}: there is no folder {path.parent}")
        if any(side.directory.owns(path) for side in (found.before, found.after)):
            raise ConfigError(f"--to {to}: is a file of the crawl itself; name another")
        with written(path) as write:
            yield write


def _go_through(found: Differences, seen: Seen, write: Callable[[list[bytes]], object]) -> None:
    import msgspec  # noqa: PLC0415

    encode = msgspec.json.Encoder().encode
    batch: list[bytes] = []
    for record in found:
        seen.add(record)
        batch.append(encode(record))
        if len(batch) >= _AT_ONCE:
            write(batch)
            batch.clear()
    if batch:
        write(batch)


def _told(told: Comparison) -> Iterator[Row]:
    if told.pages is not None:
        yield from _counted("Pages", told.pages)
    for rule, counts in told.items.items():
        yield from _counted("Items", counts, f"{rule}: ")
    if told.links is not None:
        yield from _counted("Links", told.links)
    for number, note in enumerate(told.notes):
        yield ("" if number else "Note"), note


def _counted(label: str, counts: Counts, name: str = "") -> Iterator[Row]:
    """``before + added - removed = after``, and what changed."""
    parts = {"added": counts.added, "removed": counts.removed, "changed": counts.changed, "unchanged": counts.unchanged}
    told = ", ".join(f"{count:,} {what}" for what, count in parts.items() if count) or "no difference"
    yield label, f"{name}{counts.before:,} before, {counts.after:,} after: {told}"
    fields = counts.fields.most_common(_FIELDS_SHOWN)
    if fields:
        more = len(counts.fields) - len(fields)
        listed = ", ".join(f"{field} in {count:,}" for field, count in fields)
        yield "", f"  {listed}" + (f", and {more:,} other fields" if more else "")
    if counts.doubles:
        yield "", f"  {counts.doubles:,} not compared, as others have the same key and a smaller URL"
