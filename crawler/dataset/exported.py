"""How do the records of one sink get into a file of somebody's own, whole or not at all?"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from crawler.dataset.beside import beside, draft_in
from crawler.dataset.formats import format_of
from crawler.dataset.unique import unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from crawler.dataset.unique import Kept

_LINES_AT_ONCE = 2_000


class Exported(NamedTuple):
    """What was exported."""

    records: int  #: that the file holds
    dropped: int  #: of them, as others have their key


def export(
    read: Callable[[], Iterable[bytes]],
    path: Path,
    key: Sequence[str],
    write: Callable[[list[bytes]], object],
    *,
    most: int | None = None,
    among: Kept | None = None,
) -> Exported:
    """Hand the records of a file to `write`, as lines, some at a time; of those that share a key one.

    Args:
        read: Gives all records, as often as it is called.
        path: What their file is called in messages.
        key: The fields of the key; empty to keep all.
        write: Takes lines without their newlines.
        most: How many records are looked at; None for all.
        among: The numbers of records, from 0, that are looked at; None for all.

    Raises:
        CrawlerError: The file cannot be read, or a line of it is no record.
    """
    chosen = kept(read, path, key, most=most, among=among)
    count = 0
    # A crawl that runs adds lines meanwhile: those that were not looked at are left for another time.
    while batch := [line for _, line in islice(chosen.lines, _LINES_AT_ONCE)]:
        count += len(batch)
        write(batch)
    return Exported(count + chosen.dropped, chosen.dropped)


class Chosen(NamedTuple):
    """Records of a file."""

    lines: Iterator[tuple[int, bytes]]  #: each with its number in the file, from 0
    dropped: int  #: as others have their key


def kept(
    read: Callable[[], Iterable[bytes]],
    path: Path,
    key: Sequence[str],
    *,
    most: int | None = None,
    among: Kept | None = None,
) -> Chosen:
    """The records of a file, of those that share a key one. Arguments and errors as for `export`."""
    numbered = islice(enumerate(read()), most)
    if key:
        found = unique(islice(read(), most), key, path, among)
        numbered = islice(numbered, found.records)
        return Chosen(((number, line) for number, line in numbered if number in found), found.dropped)
    return Chosen(((number, line) for number, line in numbered if among is None or number in among), 0)


@contextmanager
def written(path: Path) -> Iterator[Callable[[list[bytes]], object]]:
    """A file that is there once it is whole, in the place of one that may be there; what writes lines to it.

    Raises:
        ConfigError: Its name says a format that there is not.
        CrawlerError: It cannot be written.
    """
    packing = format_of(path).packing
    with beside(path) as folder, draft_in(folder).open("wb") as file:
        yield lambda lines: file.write(packing.pack(lines))
        if not file.tell():
            file.write(packing.pack([]))  # an empty file is no gzip to zcat, nor a frame to zstd
