"""How is the seed list kept in a file that a crawl can be killed over?

The *spool* has a JSON object a line: where an item of the list begins, its seeds, where it ends. It is only appended
to, by one thread, a row at a time; whoever reads it stays below the length that was last told. Reading an item a second
time adds a part to it, with those of its seeds only that did not stand there before.
"""

from __future__ import annotations

import os
import threading
from array import array
from bisect import bisect_left
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from crawler.directory import bring_down
from crawler.errors import CrawlerError
from crawler.seeds import Seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from io import RawIOBase

BATCH = 1000

Stamp = tuple[int, int]
"""Size of a file, and time of its last change in nanoseconds."""

_REPAIR = "--repair (repair=True in Python) reads the seed list anew"


class _Item(msgspec.Struct, frozen=True, tag="item"):
    """Here begin the seeds of an item of the list."""

    item: str
    #: None if it is no regular file
    file: Stamp | None


class _ItemEnd(msgspec.Struct, frozen=True, tag="end"):
    """Here they end, all of them."""


class Known(NamedTuple):
    """What the spool holds of an item."""

    parts: list[tuple[int, int]]  #: from where to where
    complete: bool
    file: Stamp | None  #: as `file_stamp` gave it when it was read last


_decoder = msgspec.json.Decoder(Seed | _Item | _ItemEnd)
_encode = msgspec.json.Encoder().encode
_SEED = b'{"type":"seed"'  # how a seed's line begins


class ClosedError(Exception):
    """The spool takes no more: its crawl has ended."""


class Spool:
    """The file at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        self._closed = False

    def open(self, length: int) -> None:
        """Create the file, or cut it to a committed length.

        Raises:
            CrawlerError: It is missing or too short, or cannot be written.
        """
        with self._explained("written"):
            if not length:
                self.path.write_bytes(b"")
                return
            found = self.path.stat().st_size
            if found < length:
                raise CrawlerError(
                    f"{self.path}: only {found:,} bytes long, expected at least the {length:,} committed; {_REPAIR}"
                )
            os.truncate(self.path, length)

    def close(self) -> None:
        """Write nothing more, whoever is still about to: the file may be another crawl's from now on."""
        with self._writing:
            self._closed = True

    def good(self, end: int | None = None) -> int:
        """The length up to which the file holds whole rows and nothing else; `end` at most. 0 if there is no file."""
        length = 0
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            for line in file:
                past_end = end is not None and length + len(line) > end
                if past_end or not line.endswith(b"\n") or not _is_row(line, first=not length):
                    break
                length += len(line)
        return length

    def known(self) -> dict[str, Known]:
        """Which items the file holds, and where."""
        items: dict[str, Known] = {}
        begun: _Item | None = None
        start = position = 0

        def note(item: _Item, *, complete: bool) -> None:
            parts = items[item.item].parts if item.item in items else []
            items[item.item] = Known([*parts, (start, position)], complete, item.file)

        with self._explained("read"), self.path.open("rb") as file:
            for line in file:
                row = None if line.startswith(_SEED) else _decoder.decode(line)
                if isinstance(row, _Item):
                    if begun:
                        note(begun, complete=False)
                    begun, start = row, position
                position += len(line)
                if begun and isinstance(row, _ItemEnd):
                    note(begun, complete=True)
                    begun = None
        if begun:
            note(begun, complete=False)
        return items

    def add(self, item: str, file: Stamp | None, seeds: Iterator[Seed], grown: Callable[[int], object]) -> None:
        """Append the seeds of an item as they come; `grown` is told each new length.

        Args:
            item: Its name.
            file: As `file_stamp` gave it before the first of them was read.
            seeds: Those that are new; errors of theirs pass through.
            grown: Called in the same thread.

        Raises:
            ClosedError: It has been closed meanwhile.
            CrawlerError: The file cannot be written.
        """
        with self._explained("written"):
            spool = self.path.open("ab", buffering=0)
        with spool:
            length = spool.seek(0, os.SEEK_END)
            for row in chain((_Item(item, file),), seeds, (_ItemEnd(),)):
                length += self._append(spool, _encode(row) + b"\n")
                grown(length)

    def batch(self, start: int, end: int) -> tuple[list[Seed], int]:
        """Some of the seeds from `start` on, none of them beyond `end`, and where to go on."""
        seeds: list[Seed] = []
        with self._explained("read"), self.path.open("rb") as file:
            file.seek(start)
            while start < end and len(seeds) < BATCH:
                line = file.readline()
                start += len(line)
                row = _decoder.decode(line)
                if isinstance(row, Seed):
                    seeds.append(row)
        return seeds, start

    def sync(self) -> None:
        """Bring the file down to the disk, its name too."""
        with self._explained("written"):
            for target in (self.path, self.path.parent):
                bring_down(target)

    def unlike(self, seeds: Iterator[Seed], before: Known | None) -> Iterator[Seed]:
        """`seeds` without as many of each as stood there `before`."""
        if before is None:
            return seeds
        counted = _Counted(_hash(row) for row in self._rows(before.parts))
        return (seed for seed in seeds if not counted.take(_hash(seed)))

    def _append(self, spool: RawIOBase, data: bytes) -> int:
        """Write all of `data`; how much that is."""
        rest = memoryview(data)
        with self._writing, self._explained("written"):
            if self._closed:
                raise ClosedError
            while rest:  # a nearly full disk takes a part; the next write then says why
                rest = rest[spool.write(rest) or 0 :]
        return len(data)

    def _rows(self, parts: Sequence[tuple[int, int]]) -> Iterator[Seed]:
        """The seeds in these parts of the file."""
        for start, end in parts:
            position = start
            while position < end:
                seeds, position = self.batch(position, end)
                yield from seeds

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise CrawlerError(f"{self.path}: missing; {_REPAIR}") from error
        except OSError as error:
            raise CrawlerError(f"{self.path}: cannot be {doing}: {error.strerror or error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CrawlerError(f"{self.path}: damaged: {error}; {_REPAIR}") from error


class _Counted:
    """A multiset of hashes that can be taken out one by one, in 9 bytes each."""

    def __init__(self, hashes: Iterator[int]) -> None:
        self._hashes = array("Q", sorted(hashes))
        self._taken = bytearray(len(self._hashes))

    def take(self, value: int) -> bool:
        """Take one out; False if there is none left."""
        place = bisect_left(self._hashes, value)
        while place < len(self._hashes) and self._hashes[place] == value:
            if not self._taken[place]:
                self._taken[place] = True
                return True
            place += 1
        return False


def _hash(seed: Seed) -> int:
    return xxh3_64_intdigest(_encode((seed.given, seed.metadata)))


def _is_row(line: bytes, *, first: bool) -> bool:
    """Whether it says something, and the first that here an item begins."""
    try:
        return isinstance(_decoder.decode(line), _Item) or not first
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def file_stamp(item: str) -> Stamp | None:
    """What changes when a seed file does; None for an item that is no regular file (any more)."""
    with suppress(OSError, ValueError):
        path = Path(item)
        if path.is_file():
            stat = path.stat()
            return stat.st_size, stat.st_mtime_ns
    return None


def is_pipe(item: str) -> bool:
    """Whether what an item yields is gone once it is read: standard input, a pipe."""
    with suppress(OSError, ValueError):
        return item == "-" or (Path(item).exists() and not Path(item).is_file() and not Path(item).is_dir())
    return False
