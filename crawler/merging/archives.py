"""How do the archives of many workers become one? Their files are taken as they are, and numbered through.

An answer may refer to the payload of an earlier one of the same archive, and that one may be of an end that does not
count: it cannot be left out. So all are there, and ``warc/stale.jsonl`` says which do not count, for `crawler reparse`.
Files are linked, which takes no space, or copied where that cannot be; the last one of a worker that died while it
wrote is copied up to where it was whole.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec

from crawler.archive.places import STALE, Stale, all_files, file_of, place_of, position_of
from crawler.directory import bring_down
from crawler.export.carried import link
from crawler.export.failures import errors_named
from crawler.sinks import WARC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.merging.gather import Last
    from crawler.merging.segments import Segment


def merge_archives(
    segments: Sequence[Segment], last: Mapping[int, Last], stale: Mapping[int, Sequence[int]], folder: Path, name: str
) -> int | None:
    """Have the answers of all workers in one archive; its length, as its sink has it, or None if there is none.

    Args:
        segments: The workers.
        last: Up to where the archive of each is whole; one that is not in it has nothing that is.
        stale: By worker, the numbers of its answers that do not count.
        folder: For the archive; made if there is one.
        name: What its files are called.

    Raises:
        ExportError: A file can neither be linked nor copied.
    """
    number = length = 0
    lines = []
    with errors_named(folder, "merge archives into"):
        for segment in segments:
            first = number
            for path, size in _files(segment, last):
                folder.mkdir(exist_ok=True)
                _put(path, file_of(folder, name, number), size)
                number, length = number + 1, size
            if numbers := stale.get(segment.worker.id):
                names = [file_of(folder, name, at).name for at in range(first, number)]
                lines.append(msgspec.json.encode(Stale(files=names, answers=list(numbers))) + b"\n")
        if not number:
            return None
        if lines:
            (folder / STALE).write_bytes(b"".join(lines))
            bring_down(folder / STALE)
        bring_down(folder)
    return position_of(number - 1, length)


def _files(segment: Segment, last: Mapping[int, Last]) -> Iterator[tuple[Path, int]]:
    """The files of a worker's archive, each with the length up to which it is whole."""
    folder = segment.path / WARC
    told = last.get(segment.worker.id)
    if not folder.is_dir() or told is None:
        return
    number, length = place_of(told.positions.get(WARC, 0))
    for file in all_files(folder):
        size = file.path.stat().st_size
        if file.number == number:
            size = min(size, length)  # less than that where the machine went down
        if file.number <= number and size:
            yield file.path, size


def _put(path: Path, to: Path, size: int) -> None:
    if path.stat().st_size == size:
        link(path, to)
        return
    with path.open("rb") as source, to.open("wb") as target:
        shutil.copyfileobj(source, target)
        target.truncate(size)
    bring_down(to)
