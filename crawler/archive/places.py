"""Which files are an archive of ours, and where in them is a position?

Its files are ``NAME-00000.warc.gz``, ``NAME-00001.warc.gz``, …; a position is the number of one and its length there,
in one integer, so that later positions are larger.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LENGTH_BITS = 40
_FILE = re.compile(r"(.+)-([0-9]{5,})\.warc\.gz")


def position_of(number: int, length: int) -> int:
    """Where an archive may be cut: in which file, at which byte."""
    return number << _LENGTH_BITS | length


def place_of(position: int) -> tuple[int, int]:
    """The number of the file that a position is in, and its length there."""
    return position >> _LENGTH_BITS, position & ((1 << _LENGTH_BITS) - 1)


def file_of(folder: Path, name: str, number: int) -> Path:
    """A file of the archive of this name."""
    return folder / f"{name}-{number:05}.warc.gz"


def archive_files(folder: Path, name: str) -> list[tuple[int, Path]]:
    """The files of the archive of this name that are there, by their numbers."""
    return sorted((number, path) for one, number, path in _found(folder) if one == name)


def archive_name(folder: Path) -> str | None:
    """What the one archive in `folder` is called, whatever the crawl is now; None for none, or two."""
    names = {name for name, _, _ in _found(folder)} if folder.is_dir() else set()
    return names.pop() if len(names) == 1 else None


def _found(folder: Path) -> Iterator[tuple[str, int, Path]]:
    """Name, number and path of each file of an archive."""
    for path in folder.iterdir():
        if match := _FILE.fullmatch(path.name):
            yield match[1], int(match[2]), path
