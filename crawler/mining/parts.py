"""How is a file of lines parted among processes?

A plain file by ranges of bytes. Of a compressed one, only whoever unpacks it knows where members end: that is done
here, once, and what comes out is put into files of their own, each when there is a process to take it and gone when it
has. So two or three parts are on the disk at a time, not the whole file unpacked.

Lines that must stay together, such as those of one page in links.jsonl, do: `group` says of a line what it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.dataset.lines import PIECE_BYTES, Lines
from crawler.errors import CrawlerError
from crawler.mining.tasks import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader
    from pathlib import Path

    Group = Callable[[bytes], bytes]

LEAST_BYTES, MOST_BYTES = 1 << 20, 64 << 20
_UNPACKED_TIMES = 4  # as large as a compressed file, at a guess


def parts(path: Path, end: int | None, spool: Path, *, jobs: int, group: Group | None = None) -> Iterator[Part]:
    """The parts of a file, in order, as they are asked for.

    Args:
        path: Compressed if its name ends with ``.gz`` or ``.zst``.
        end: Up to where it counts; None: up to its end.
        spool: A folder for parts of a compressed file.
        jobs: How many processes there are.
        group: What belongs together, of a line without its newline; each line by itself if None.

    Raises:
        CrawlerError: The file cannot be read or is damaged.
    """
    try:
        size = path.stat().st_size if end is None else end
        if path.suffix in (".gz", ".zst"):
            most = _part_bytes(size * _UNPACKED_TIMES, jobs)
            yield from _spooled(path, end, spool, most, group)
        else:
            yield from _ranges(path, size, _part_bytes(size, jobs), group)
    except OSError as error:
        raise CrawlerError(f"{error.filename or path}: {error.strerror or error}") from error


def _part_bytes(size: int, jobs: int) -> int:
    """So large that each process gets several, as some parts take longer than others."""
    return max(LEAST_BYTES, min(MOST_BYTES, size // (4 * jobs)))


def _ranges(path: Path, size: int, most: int, group: Group | None) -> Iterator[Part]:
    start = number = 0
    with path.open("rb") as file:
        while start < size:
            cut = _cut(file, start + most, size, group) if start + most < size else size
            yield Part(number=number, path=str(path), start=start, end=cut)
            start, number = cut, number + 1


def _cut(file: BufferedReader, at: int, size: int, group: Group | None) -> int:
    """The first place after `at` where a line begins, and a group."""
    file.seek(at)
    at += len(file.readline())
    if group is None or at >= size:
        return min(at, size)
    line = file.readline()
    begun = group(line.rstrip(b"\n"))
    while line and group(line.rstrip(b"\n")) == begun:
        at += len(line)
        if at >= size:
            return size
        line = file.readline()
    return at


def _spooled(path: Path, end: int | None, spool: Path, most: int, group: Group | None) -> Iterator[Part]:
    number, held, held_bytes = 0, list[bytes](), 0
    for block in Lines(path, end=end).blocks():
        held.append(block)
        held_bytes += len(block)
        if held_bytes < most:
            continue
        last, left = _last_group(block, group) if group else (block, b"")
        if not last:
            continue
        held[-1] = last
        yield _put_away(path, spool, number, held)
        number, held, held_bytes = number + 1, [left] * bool(left), len(left)
    if held:
        yield _put_away(path, spool, number, held)


def _last_group(block: bytes, group: Group) -> tuple[bytes, bytes]:
    """A block of lines cut before the group that may go on after it."""
    at = len(block)
    begun: bytes | None = None
    while at:
        before = block.rfind(b"\n", 0, at - 1) + 1
        now = group(block[before : at - 1])
        if begun is not None and now != begun:
            return block[:at], block[at:]
        begun, at = now, before
    return b"", block


def _put_away(source: Path, spool: Path, number: int, blocks: list[bytes]) -> Part:
    path = spool / f"part-{number}.jsonl"
    with path.open("wb", buffering=PIECE_BYTES) as file:
        file.writelines(blocks)
    return Part(number=number, path=str(path), is_spooled=True, of=str(source))
