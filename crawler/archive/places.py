"""Which files are an archive of ours, and where in them is a position?

Its files are ``NAME-00000.warc.gz``, ``NAME-00001.warc.gz``, …; a position is the number of one and its length there,
in one integer, so that later positions are larger. Each generation of a crawl has an archive of its own, ``NAME@2``,
``NAME@3``, …, beside those of the generations before, whose files it has, too: what has not changed is only there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STALE: Final = "stale.jsonl"
"""Beside an archive that was merged from those of several workers: which of its answers do not count."""

_LENGTH_BITS = 40
_FILE = re.compile(r"(.+?(?:@([0-9]{1,9}))?)-([0-9]{5,})\.warc\.gz")


class ArchiveFile(NamedTuple):
    """A file of an archive; they sort by age."""

    generation: int  #: of the crawl that made it
    name: str  #: of its archive
    number: int
    path: Path


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of one worker that others have asked for again, and whose records do not count."""

    files: list[str]  #: the names of the files that hold the answers of that worker, in order
    answers: list[int]  #: numbers of answers, from 0 in the first of them on


def stale_answers(folder: Path) -> list[Stale]:
    """What is said of answers that do not count.

    Raises:
        CrawlerError: It cannot be read.
    """
    path = folder / STALE
    try:
        return [msgspec.json.decode(line, type=Stale) for line in path.read_bytes().splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CrawlerError(f"{path}: cannot be read: {error}") from error


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
    return [(file.number, file.path) for file in all_files(folder) if file.name == name]


def all_files(folder: Path) -> list[ArchiveFile]:
    """The files of all archives in `folder`, the oldest first."""
    return sorted(_found(folder))


def archive_name(folder: Path, generation: int | None = None) -> str | None:
    """What the crawl's own archive in `folder` is called, whatever the crawl is now: the one of its last generation, or
    of the one asked for. None for none, or two."""
    found = {(file.generation, file.name) for file in _found(folder)} if folder.is_dir() else set()
    wanted = max((one for one, _ in found), default=1) if generation is None else generation
    names = [name for one, name in found if one == wanted]
    return names[0] if len(names) == 1 else None


def name_of(crawl: str, generation: int) -> str:
    """What the archive is called that a generation of a crawl makes."""
    return crawl if generation == 1 else f"{crawl}@{generation}"


def _found(folder: Path) -> Iterator[ArchiveFile]:
    for path in folder.iterdir():
        if match := _FILE.fullmatch(path.name):
            yield ArchiveFile(int(match[2] or 1), match[1], int(match[3]), path)
