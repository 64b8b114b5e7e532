"""`crawler mine`: what do all pages of a crawl say together?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli import INTERRUPTED, OK
from crawler.cli.completing import directories
from crawler.cli.merging import merged_first
from crawler.cli.page import Page, pages_elsewhere

if TYPE_CHECKING:
    from crawler.directory import CrawlDirectory
    from crawler.mining.files import Mined, Step


@click.command(cls=Page, short_help="Find near-duplicates, keywords, important pages, dead links.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=directories)
@click.option("--only", metavar="WHAT,...", help="Of near, keywords, ranks, dead and languages, these alone.")
@click.option("--top", type=click.IntRange(1, 1000), default=10, metavar="N", help="Keywords of each page and host.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Processes; by default one for each core.")
@pages_elsewhere
@click.option("--json", "as_json", is_flag=True, help="Print mine.json.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def mine(  # noqa: PLR0917  (one parameter per option)
    directory: Path,
    only: str | None,
    top: int,
    jobs: int | None,
    pages: Path | None,
    as_json: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
) -> int:
    """Work out, over all pages of the crawl in DIR and on all cores, what only all of them tell: pages that say nearly
    the same (near), keywords of pages and hosts (keywords), how much pages and hosts are linked to (ranks), links to
    what could not be fetched (dead), and languages (languages). Needs numpy: pip install 'crawler[mining]'.

    The results lie beside the crawl's files as JSON Lines, and in its report where there is one. Running it again
    replaces them. Of a crawl that has not ended, what is committed counts.
    """
    from crawler.cli.interrupting import interruptible  # noqa: PLC0415  (help needs none of it)
    from crawler.cli.out import remark, tell_json  # noqa: PLC0415
    from crawler.mining.run import Asked  # noqa: PLC0415
    from crawler.mining.run import mine as mined  # noqa: PLC0415
    from crawler.wording import counted  # noqa: PLC0415

    merged_first(directory)
    crawl = _crawl(directory)
    asked = Asked(_steps(only), jobs or _cores(), top, pages)
    say = (lambda _: None) if quiet else remark
    try:
        with interruptible():  # what lies on the disk meanwhile may be gigabytes
            done = mined(crawl, asked, lambda step: say(_line(step)))
        if not done.finished:
            pages_so_far = counted(done.pages, "page")
            say(f"{directory}: the crawl has not ended, so this is of {pages_so_far}, what it has committed.")
        _report(crawl, pages)
    except KeyboardInterrupt:
        return INTERRUPTED
    if as_json:
        import msgspec  # noqa: PLC0415

        tell_json(msgspec.json.encode(done))
    else:
        say(_ending(directory, done))
    return OK


def _steps(only: str | None) -> tuple[str, ...]:
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.mining.files import STEPS  # noqa: PLC0415

    if only is None:
        return tuple(STEPS)
    names = [name.strip() for name in only.split(",") if name.strip()]
    if unknown := [name for name in names if name not in STEPS]:
        raise ConfigError(f"--only {unknown[0]}: is not known; expected some of {', '.join(STEPS)}")
    if not names:
        raise ConfigError(f"--only: names nothing; expected some of {', '.join(STEPS)}")
    return tuple(name for name in STEPS if name in names)


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _crawl(directory: Path) -> CrawlDirectory:
    """The crawl, which knows what files its rules write."""
    from contextlib import suppress  # noqa: PLC0415

    from crawler.directory import CrawlDirectory  # noqa: PLC0415
    from crawler.errors import CrawlerError  # noqa: PLC0415
    from crawler.reopen import load_stored  # noqa: PLC0415
    from crawler.sinks import own_sinks  # noqa: PLC0415

    crawl = CrawlDirectory(directory)
    with suppress(CrawlerError):  # the store names them too
        if (loaded := load_stored(crawl)) is not None:
            crawl.know(own_sinks(loaded.config))
    return crawl


def _report(crawl: CrawlDirectory, pages: Path | None) -> None:
    """Bring the report up to date, if there is one."""
    from crawler.cli.out import remark  # noqa: PLC0415
    from crawler.report import write_or_log  # noqa: PLC0415

    if crawl.report.exists() and (why := write_or_log(crawl.path, pages=pages)) is not None:
        remark(f"{crawl.report}: is as it was: {why}")


def _line(step: Step) -> str:
    """What a step came to."""
    from crawler.mining.told import told  # noqa: PLC0415

    return told(step)


def _ending(directory: Path, done: Mined) -> str:
    from crawler.wording import counted, duration, size  # noqa: PLC0415

    files = ", ".join(f"{name}.jsonl" for step in done.steps for name in step.rows)
    peak = size(max(step.peak_bytes for step in done.steps))
    return f"{directory}: {counted(done.pages, 'page')} in {duration(done.seconds)}, {peak} of memory at most: {files}"
