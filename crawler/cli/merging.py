"""How do commands have the files of workers as those of one crawl? Merged, if they are not, or not any more.

`merged_first` is for commands that read a crawl: of a directory that is no shared crawl's it asks nothing but whether
it has a fleet.json.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType

    from crawler.merging.merge import Making
    from crawler.merging.publish import Merged
    from crawler.merging.segments import Segment

_MARK = "fleet.json"


class Sources(NamedTuple):
    """What is merged."""

    segments: Sequence[Segment]
    url: str  #: of the Redis that has the ledger
    prefix: str


def merged_first(*directories: Path) -> None:
    """Merge what workers have written to these directories, where it is not merged as it is now; say so.

    Raises:
        CrawlerError: It cannot be merged, and never was.
    """
    for directory in directories:
        if (directory / _MARK).exists():
            _refresh(directory)


def sources_of(folders: Sequence[Path], frontier: str | None) -> Sources:
    """What workers have written to these directories.

    Raises:
        ConfigError: None has.
        CrawlerError: One cannot be read.
    """
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.merging.segments import read_fleet, segments  # noqa: PLC0415

    found: dict[Path, Segment] = {}
    for folder in folders:
        here = segments(folder)
        if not here and read_fleet(folder) is None:
            raise ConfigError(f"{folder}: no worker of a shared crawl has written there; expected its DIR")
        found |= {segment.path.resolve(): segment for segment in here}
    if not found:
        raise ConfigError(f"{folders[0]}: no worker has begun yet; there is nothing to merge")
    some = next(iter(found.values())).worker
    return Sources(list(found.values()), frontier or some.url, some.prefix)


def place_of(folders: Sequence[Path], directory: Path | None) -> Path:
    """Where the merged crawl goes.

    Raises:
        ConfigError: It is not said, and not plain.
    """
    from crawler.errors import ConfigError  # noqa: PLC0415

    if directory is not None:
        return directory
    if len(folders) == 1 and (folders[0] / _MARK).exists():
        return folders[0]
    raise ConfigError("-d: say where the crawl goes: -d OUT")


def merged(sources: Sources, into: Path, say: Callable[[str], object]) -> Merged:
    """Merge.

    Args:
        sources: What.
        into: Where to: made if need be.
        say: Told what a person should know, also if it is unwelcome.

    Raises:
        CrawlerError: It cannot be done; nothing has changed.
        ConfigError: Something else lies there, or the Redis cannot be used.
    """
    import uvloop  # noqa: PLC0415

    from crawler.directory import CrawlDirectory  # noqa: PLC0415

    with CrawlDirectory(into).lock():
        done: Merged = uvloop.run(_merged(sources, into, say))
    for line in _warnings(done):
        say(line)
    return done


async def _merged(sources: Sources, into: Path, say: Callable[[str], object]) -> Merged:
    from crawler.errors import FrontierError  # noqa: PLC0415
    from crawler.merging.merge import merge, merge_by_attempts  # noqa: PLC0415

    shared = _shared()
    try:
        async with shared.open_ledger(sources.url, sources.prefix, os.environ, trouble=_trouble(say)) as ledger:
            return await merge(sources.segments, ledger, into, _making())
    except (shared.LedgerGoneError, FrontierError) as error:
        say(f"Merging without the ledger, by URL and attempt: {error}")
        return await merge_by_attempts(sources.segments, into, _making())


def _refresh(directory: Path) -> None:
    """Merge a directory if that was not done, or something was stored since."""
    import uvloop  # noqa: PLC0415

    from crawler.cli.out import remark  # noqa: PLC0415
    from crawler.errors import CrawlerError  # noqa: PLC0415
    from crawler.merging.publish import is_due, read_merged  # noqa: PLC0415

    sources = sources_of([directory], None)
    before = read_merged(directory)
    workers = [segment.worker.id for segment in sources.segments]
    if before is not None and not is_due(directory) and not set(workers) - set(before.workers):
        if before.is_final:
            return
        try:
            if uvloop.run(_stamp(sources)) == before.stamp:
                return
        except CrawlerError as error:
            remark(f"{directory}: as it was merged at {before.at}; whether that has changed is not known: {error}")
            return
    remark(f"{directory}: merging the files of {_counted(len(workers), 'worker')} …")
    try:
        merged(sources, directory, remark)
    except CrawlerError as error:
        if before is None or is_due(directory):
            raise
        remark(f"{directory}: as it was merged at {before.at}: {error}")


async def _stamp(sources: Sources) -> str:
    async with _shared().open_ledger(sources.url, sources.prefix, os.environ) as ledger:
        await ledger.about()
        stamp: str = await ledger.stamp()
        return stamp


def told(into: Path, done: Merged) -> str:
    """What a merge came to."""
    records = ", ".join(f"{count:,} in {name}" for name, count in done.records.items()) or "no records"
    lines = [f"{into}: {records}", f"of {_counted(len(done.workers), 'worker')}"]
    if done.left_out:
        lines.append(f"{done.left_out:,} ends left out, which other workers have made in their stead")
    if done.state not in ("", "done"):
        lines.append(f"the crawl is {done.state}: merge again for what comes yet")
    return "\n  ".join(lines)


def _warnings(done: Merged) -> list[str]:
    lines = [f"Not readable to its end: {damage}" for damage in done.damaged]
    if done.lost:
        lines.append(
            f"The records of {_counted(done.lost, 'URL')} are in no worker's files that were given, such as of "
            f"{', '.join(done.lost_examples)}: these URLs are pending in the merged crawl."
        )
    return lines


def _counted(number: int, what: str) -> str:
    from crawler.wording import counted  # noqa: PLC0415

    return counted(number, what)


def _trouble(say: Callable[[str], object]) -> Callable[[str | None], None]:
    def trouble(why: str | None) -> None:
        if why is not None:
            say(f"Waiting for Redis: {why}")

    return trouble


def _shared() -> ModuleType:
    """What reads a ledger in Redis.

    Raises:
        ConfigError: The packages for it are missing.
    """
    from crawler.errors import ConfigError  # noqa: PLC0415

    try:
        from crawler.merging import shared  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is not installed, which a Redis takes: pip install 'crawler[redis]'") from None
    return shared


def _making() -> Making:
    from crawler.clock import SystemClock  # noqa: PLC0415
    from crawler.merging.merge import Making  # noqa: PLC0415
    from crawler.outputs import line_file  # noqa: PLC0415
    from crawler.stores import store_alone  # noqa: PLC0415

    return Making(store=store_alone, sink=line_file, clock=SystemClock())
