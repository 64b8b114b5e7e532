"""Which sinks does a crawl write to, and how are they opened?

Names their backends, as `crawler.build` does for other parts: files of lines, bodies, the archive.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from crawler import __version__
from crawler.archive.places import archive_name, file_of, name_of
from crawler.directory import CrawlDirectory
from crawler.export.jsonl import sink_for
from crawler.export.late import LateSink
from crawler.export.packing import suffix
from crawler.models import PAGES
from crawler.renames import OutputFiles
from crawler.sinks import FILES, FOLDERS, WARC, is_late, line_sinks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    from crawler.export.base import Sink
    from crawler.export.packing import Compress
    from crawler.models import Restored
    from crawler.plan import Plan

log = logging.getLogger(__name__)

_NO_SINKS: Mapping[str, Sink] = {}


def output_files(plan: Plan) -> OutputFiles:
    """Where the lines of each sink go."""
    compress = plan.config.export.compress
    paths = {name: plan.directory.records(name, suffix(compress)) for name in line_sinks(plan.config)}
    if plan.config.export.files:
        paths[FILES] = plan.directory.records(FILES, suffix(compress))
    if plan.pages:
        paths[PAGES] = plan.pages
    return OutputFiles(folder=plan.directory.path, paths=paths, sink=partial(sink_for, compress=compress))


def line_file(folder: Path, name: str, compress: Compress) -> Sink:
    """The sink of this name in `folder`, which is no crawl's directory."""
    return sink_for(CrawlDirectory(folder).records(name, suffix(compress)), compress)


async def open_sinks(
    plan: Plan, files: OutputFiles, restored: Restored, stack: AsyncExitStack, others: Mapping[str, Sink] = _NO_SINKS
) -> dict[str, Sink]:
    """All sinks by name, cut to what is committed of them, in the order in which a checkpoint writes them.

    `others` come after those that the plan asks for.

    Raises:
        ExportError: A file is not what was committed, or cannot be written.
    """
    if plan.resume and not restored.positions:
        await asyncio.to_thread(_forget_spellings, plan.directory, files)
    sinks: dict[str, Sink] = {}
    if plan.generation is not None and plan.config.export.warc:
        from crawler.export.carried import carry_archives  # noqa: PLC0415

        await asyncio.to_thread(carry_archives, plan.generation.base, plan.directory.path)
    for name, sink, path in _kept(plan):
        sinks[name] = sink
        position = _position(name, path, restored, resume=plan.resume)
        if name == WARC and plan.repair:
            position = await asyncio.to_thread(_good_position, path.parent, _archive_name(plan, path.parent), position)
        await sink.open(position)
        stack.push_async_callback(sink.aclose)
    for name, path in files.paths.items():
        if name in FOLDERS:
            continue
        sink = files.sink(path)
        sinks[name] = sink = LateSink(path, sink) if is_late(name) else sink
        await sink.open(_position(name, path, restored, resume=plan.resume))
        stack.push_async_callback(sink.aclose)
    for name, sink in others.items():
        sinks[name] = sink
        await sink.open(restored.positions.get(name))
        stack.push_async_callback(sink.aclose)
    for given in plan.sinks:
        sinks[given.key] = given
        await given.open(restored.positions.get(given.key))
        stack.push_async_callback(given.aclose)
    return sinks


def _forget_spellings(directory: CrawlDirectory, files: OutputFiles) -> None:
    """Remove the empty files of a run that never came to its first checkpoint and compressed in another way."""
    for name, path in files.paths.items():
        for other in directory.spellings(name):
            if other != path and not other.stat().st_size:
                other.unlink()


def _good_position(folder: Path, name: str, position: int | None) -> int | None:
    from crawler.repair.archive import good_position  # noqa: PLC0415

    return good_position(folder, name, position)


def _archive_name(plan: Plan, folder: Path) -> str:
    """What the crawl's own archive is called: as it was begun, whatever the crawl is called now."""
    if plan.generation is None:
        return archive_name(folder) or plan.config.name
    number = plan.generation.number
    return archive_name(folder, number) or name_of(plan.config.name, number)


def _kept(plan: Plan) -> Iterator[tuple[str, Sink, Path]]:
    """The sinks that keep answers, each with the file it makes first."""
    export, directory = plan.config.export, plan.directory
    if export.files:
        from crawler.export.files import FilesSink  # noqa: PLC0415

        path = directory.records(FILES, suffix(export.compress))
        most_bytes = int(plan.config.fetch.max_body_bytes)
        earlier = plan.generation.base if plan.generation else None
        yield (
            FILES,
            FilesSink(path, directory.path, export.compress, most_bytes=most_bytes, earlier=earlier),
            path,
        )
    if export.warc:
        from crawler.export.warc import WarcSink  # noqa: PLC0415

        folder = directory.path / WARC
        name = _archive_name(plan, folder)
        sink = WarcSink(folder, name, software=f"crawler/{__version__}")
        yield WARC, sink, file_of(folder, name, 0)


def _position(name: str, path: Path, restored: Restored, *, resume: bool) -> int | None:
    """Where the file of a sink is cut; None if it is to be made."""
    position = restored.positions.get(name)
    length = path.stat().st_size if path.exists() else None
    if position is None and resume and length == 0:
        return 0  # made by a run that never came to its first checkpoint, before which nothing is written
    if (
        position is not None and length is not None and length > position and name != WARC
    ):  # whose position is no length
        log.info("what no checkpoint knew is cut off", extra={"why": f"{path}: {length - position:,} bytes"})
    return position
