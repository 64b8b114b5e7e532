"""`crawler reparse`: what would a crawl have written under other rules?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli import INTERRUPTED, NO_SEED, OK
from crawler.cli.completing import directories, settings
from crawler.cli.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crawler.archive.captures import Source
    from crawler.cli.rows import Row
    from crawler.config import CrawlConfig
    from crawler.dataset.compare import Difference
    from crawler.dataset.reparse import Reparsed

_FIELDS_SHOWN = 12


@click.command(cls=Page, short_help="Extract again from an archive, without fetching.")
@click.argument("sources", metavar="DIR|FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help="Configuration or rules (YAML).")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=settings,
    help="Set any configuration key.",
)
@click.option(
    "-d",
    "--directory",
    type=click.Path(path_type=Path),
    metavar="OUT",
    shell_complete=directories,
    help="Where the new files go.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome and the differences as one JSON object.")
def reparse(
    sources: tuple[Path, ...],
    config: Path | None,
    overrides: tuple[str, ...],
    directory: Path | None,
    as_json: bool,  # noqa: FBT001
) -> int:
    """Extract again, on all cores and without fetching, what the WARC archive of the crawl in DIR holds, or any WARC
    FILEs, and write the records to new files; then say how they differ from those of DIR.

    Of -c FILE (by default the crawl's own crawl.yaml) what is about extraction is used: extract, export and parse, or
    of a file of rules alone these; the rest is as in the crawl. OUT is a new directory; by default DIR/reparse-1, or
    the next that is free. It appears once all is written.
    """
    import msgspec  # noqa: PLC0415  (help needs none of it)
    import uvloop  # noqa: PLC0415

    from crawler.cli.out import tell, tell_json  # noqa: PLC0415
    from crawler.cli.reextract import configuration  # noqa: PLC0415
    from crawler.cli.rows import lines_of  # noqa: PLC0415
    from crawler.dataset import archived, draft  # noqa: PLC0415
    from crawler.directory import CrawlDirectory  # noqa: PLC0415

    files = archived.sources(sources)
    crawl = CrawlDirectory(sources[0]) if sources[0].is_dir() else None
    settings = configuration(crawl, config, overrides)
    folder = sources[0] if sources[0].is_dir() else sources[0].parent
    final = directory or draft.free_name(folder, "reparse")
    try:
        with draft.drafted(final) as folder_now:
            done = uvloop.run(_reparse(files, settings, folder_now))
    except KeyboardInterrupt:
        return INTERRUPTED
    differences = _differences(sources, final)
    if as_json:
        told = {"directory": str(final), **msgspec.to_builtins(done), "differences": msgspec.to_builtins(differences)}
        tell_json(msgspec.json.encode(told))
    else:
        tell("\n".join(lines_of(_told(final, done, differences))))
    return OK if done.answers else NO_SEED


async def _reparse(files: Sequence[Source], config: CrawlConfig, folder: Path) -> Reparsed:
    from functools import partial  # noqa: PLC0415

    from crawler.archive.captures import Captures  # noqa: PLC0415
    from crawler.build import open_parser  # noqa: PLC0415
    from crawler.dataset.archived import Current  # noqa: PLC0415
    from crawler.dataset.reparse import Output, reparse  # noqa: PLC0415
    from crawler.outputs import line_file  # noqa: PLC0415
    from crawler.sinks import line_sinks  # noqa: PLC0415

    most_bytes = 2 * int(config.fetch.max_body_bytes) + (1 << 20)  # chunks and head besides
    sink = partial(line_file, folder, compress=config.export.compress)

    def output() -> Output:
        for path in folder.glob("*.jsonl*"):
            path.unlink()
        return Output(sink, line_sinks(config))

    def captures() -> Current:
        return Current(Captures(files, config.urls, most_bytes=most_bytes), files)

    async with open_parser(config) as parser:
        return await reparse(parser, captures, output)


def _differences(sources: Sequence[Path], final: Path) -> dict[str, Difference]:
    """Sink -> what is different, for those that the crawl and the new directory have both."""
    from itertools import chain  # noqa: PLC0415

    from crawler.dataset.compare import compare_all  # noqa: PLC0415
    from crawler.mining.files import STEPS  # noqa: PLC0415

    if len(sources) != 1 or not sources[0].is_dir():
        return {}
    return compare_all(sources[0], final, made_of=frozenset(chain.from_iterable(STEPS.values())))


def _told(final: Path, done: Reparsed, differences: Mapping[str, Difference]) -> Iterator[Row]:
    from crawler.wording import counted  # noqa: PLC0415

    yield "Answers", f"{done.answers:,} extracted again"
    for why, count in sorted(done.passed_over.items()):
        yield "Passed over", f"{count:,}: {why}"
    for place in done.torn:
        yield "Torn", f"{place}: not a whole record, left out"
    yield "Directory", str(final)
    for sink, count in done.records.items():
        yield "Records", f"{count:,} in {sink}"
    for ending, count in done.endings.most_common():
        yield "No page", f"{counted(count, 'URL')} {ending}"
    for sink, found in differences.items():
        yield from _told_difference(sink, found)


def _told_difference(sink: str, found: Difference) -> Iterator[Row]:
    same = (
        "no difference"
        if found.is_none
        else (f"{found.added:,} added, {found.removed:,} removed, {found.changed:,} changed")
    )
    yield "Compared", f"{sink}: {found.before:,} before, {found.now:,} now: {same}"
    fields = found.fields.most_common(_FIELDS_SHOWN)
    for field, count in fields:
        yield "", f"  {field} in {count:,}"
    if len(found.fields) > _FIELDS_SHOWN:
        yield "", f"  and {len(found.fields) - _FIELDS_SHOWN:,} other fields"
    shown = [*found.examples.items(), *((field, found.field_examples[field]) for field, _ in fields)]
    for what, urls in shown:
        yield "", f"  {what}: {urls[0]}"
