"""Where do the results of mining lie? Beside each other in the crawl's folder; what is not whole, in one of its own.

While files are put in place there is no mine.json, so where that is there, all files it names are of one run.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING

import msgspec

from crawler.dataset.beside import hold
from crawler.directory import bring_down
from crawler.errors import ConfigError, CrawlerError
from crawler.mining.files import MINE, STEPS, Mined
from crawler.renames import DRAFT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from crawler.directory import CrawlDirectory

_FOLDER = f"mine{DRAFT_SUFFIX}"


@contextmanager
def working_folder(directory: Path) -> Iterator[Path]:
    """An empty folder in the crawl's, which is gone afterwards; what a run that was killed has left is removed.

    Its name is another one each time, so a worker of a run that was killed, which lives a moment longer, finds none.

    Raises:
        CrawlerError: Somebody else mines the same crawl, or the disk is full.
    """
    outer = directory / _FOLDER
    try:
        outer.mkdir(exist_ok=True)
        if (held := hold(outer)) is None:
            raise CrawlerError(f"{directory}: another process mines this crawl; wait for its end")
        try:
            _empty(outer)
            folder = outer / token_hex(4)
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(outer, ignore_errors=True)
            os.close(held)
    except OSError as error:
        raise CrawlerError(f"{error.filename or outer}: {error.strerror or error}") from error


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def refuse_taken(directory: CrawlDirectory, only: Iterable[str]) -> None:
    """See to it that no file of the crawl itself is replaced.

    Raises:
        ConfigError: One would be.
    """
    for step in only:
        for name in STEPS[step]:
            if name in directory.sinks:
                others = ",".join(other for other in STEPS if other != step)
                raise ConfigError(
                    f"{directory.records(name)}: holds the records of a rule of this crawl, which is called {name}, as "
                    f"one of the files that mining writes; --only {others} leaves that out"
                )


def put_in_place(folder: Path, directory: CrawlDirectory, names: Collection[str], gone: Collection[str]) -> None:
    """Put whole files in place of those that are there.

    Args:
        folder: Where they are, named as they will be; with mine.json.
        directory: Of the crawl.
        names: Of the new files.
        gone: Of files that this run would have made, were there anything to make them of: earlier ones go.
    """
    for name in names:
        bring_down(folder / f"{name}.jsonl")
    bring_down(folder / MINE)
    (directory.path / MINE).unlink(missing_ok=True)
    for name in gone:
        directory.records(name).unlink(missing_ok=True)
    for name in names:
        (folder / f"{name}.jsonl").replace(directory.records(name))
    (folder / MINE).replace(directory.path / MINE)
    bring_down(directory.path)


def read_mined(directory: Path) -> Mined | None:
    """What mine.json says; None if there is none that can be read."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((directory / MINE).read_bytes(), type=Mined)
    return None
