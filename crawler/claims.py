"""Who may crawl in a directory, and what becomes of a crawl that lies there already?"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.directory import State
from crawler.errors import ConfigError, CrawlerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crawler.directory import CrawlDirectory


def move_aside(path: Path, also: Callable[[Path], object] | None = None) -> Path:
    """Rename a file or folder to ``<name>.<time of its last change>``; its new path.

    Args:
        path: What is in the way.
        also: Called with the new path first: moves what belongs to it.

    Raises:
        CrawlerError: It cannot be renamed.
    """
    path = path.resolve()  # "." has no name of its own
    stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (f"{path.name}.{stamp}{suffix}" for suffix in ("", *(f"-{number}" for number in range(2, 1000))))
    aside = next((path.with_name(name) for name in names if not path.with_name(name).exists()), None)
    try:
        if aside is not None:
            if also is not None:
                also(aside)
            return path.rename(aside)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be moved aside: {error.strerror}") from error
    raise CrawlerError(f"{path}: cannot be moved aside: {path.name}.{stamp} to …-999 are all taken")


@contextmanager
def claim(
    directory: CrawlDirectory,
    *,
    fresh: bool = False,
    resume: bool = False,
    aside: Callable[[Path], Path] = move_aside,
) -> Iterator[Path | None]:
    """Hold a directory for a crawl; yields where an older crawl was moved, None if none was.

    Args:
        directory: What to hold.
        fresh: Move a crawl that lies there aside, instead of refusing.
        resume: Go on with a crawl that lies there, instead of refusing.
        aside: Moves the older one.

    Raises:
        CrawlerError: The directory is in use.
        ConfigError: It holds a crawl and none of these was asked for, or files that are no crawl's.
    """
    moved = None
    state = directory.state()
    if state is not State.UNUSED and fresh:
        with directory.lock():
            moved = aside(directory.path)
    with directory.lock():
        state = directory.state()
        if state is State.UNUSED:
            _refuse_foreign(directory)
        elif not resume:
            found = "a finished" if state is State.FINISHED else "an unfinished"
            raise ConfigError(
                f"{directory.path}: holds {found} crawl; go on with it (--resume, or resume=True in Python), "
                "begin afresh (--fresh, or fresh=True), which moves it aside, or name another directory"
            )
        yield moved


def _refuse_foreign(directory: CrawlDirectory) -> None:
    records = [path for sink in directory.sinks for path in directory.spellings(sink)]
    for file in (*records, directory.config, *directory.folders(), directory.seeds, directory.report, directory.runs):
        if file.exists():
            raise ConfigError(f"{file}: is not a crawl's and would be overwritten; name another directory")
