"""`crawler merge`: one crawl of the files of all workers that had a part in it."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.cli import INCOMPLETE, INTERRUPTED, OK
from crawler.cli.completing import directories
from crawler.cli.page import Page


@click.command(cls=Page, short_help="Make one crawl of the files of several workers.")
@click.argument(
    "folders",
    metavar="DIR...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    shell_complete=directories,
)
@click.option(
    "-d",
    "--directory",
    type=click.Path(path_type=Path),
    metavar="OUT",
    shell_complete=directories,
    help="Where the crawl goes; by default into DIR, beside its workers/.",
)
@click.option("--frontier", metavar="URL", help="The Redis of the crawl, if it is called otherwise here.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and warnings.")
def merge(folders: tuple[Path, ...], directory: Path | None, frontier: str | None, quiet: bool) -> int:  # noqa: FBT001
    """Read the files of all workers in DIR, or in several, as those of one crawl, and write them: pages.jsonl and all
    other files of records, each record once, with crawl.db, seeds.jsonl and summary.json. What lies there then is a
    crawl like any other. The workers' files stay as they are.

    What decides which records count is the ledger in Redis: of what two workers have fetched, it points at one. It may
    be read while the crawl runs; merging again replaces what was merged before. Where the ledger is gone, of each URL
    the highest attempt counts, and that is said. Files appear once all are written.

    export, query, report, mine, diff and why merge by themselves, where DIR has changed since.
    """
    from crawler.cli.interrupting import interruptible  # noqa: PLC0415  (help needs none of it)
    from crawler.cli.merging import merged, place_of, sources_of, told  # noqa: PLC0415
    from crawler.cli.out import remark, tell  # noqa: PLC0415

    sources = sources_of(folders, frontier)
    into = place_of(folders, directory)
    try:
        with interruptible():
            done = merged(sources, into, remark)
    except KeyboardInterrupt:
        return INTERRUPTED
    if not quiet:
        tell(told(into, done))
    return INCOMPLETE if done.lost or not done.stamp else OK
