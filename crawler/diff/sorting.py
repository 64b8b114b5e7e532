"""How are more things brought into order than memory holds? In runs, sorted and set aside, which are merged at the end.

An external merge sort (Knuth, The Art of Computer Programming 3, section 5.4). The runs are in one temporary file
without a name (TMPDIR says where), so a process that dies leaves nothing.
"""

from __future__ import annotations

import heapq
import os
import struct
import tempfile
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Self

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

Entry = tuple[str, bytes]
"""What it is sorted by, and what is kept of it."""

HELD_BYTES: Final = 24 << 20
_OVERHEAD_BYTES: Final = 220  # of Python's objects for an entry
_READ_BYTES: Final = 8 << 20  # of all runs together
_LEAST_READ_BYTES: Final = 16 << 10
_head = struct.Struct("<II")
_key = itemgetter(0)


class Sorter:
    """Entries in the order of their keys (by code point); those with the same key as they came. A context manager.

    Args:
        held_bytes: How much of them memory may hold.
    """

    def __init__(self, held_bytes: int = HELD_BYTES) -> None:
        self._most = held_bytes
        self._held: list[Entry] = []
        self._bytes = 0
        self._runs: list[tuple[int, int]] = []  # where each begins and ends
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed at exit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, key: str, content: bytes) -> None:
        """Take one in.

        Raises:
            CrawlerError: The temporary file cannot be written.
        """
        self._held.append((key, content))
        self._bytes += len(key) + len(content) + _OVERHEAD_BYTES
        if self._bytes > self._most:
            self._set_aside()

    def release(self) -> None:
        """Hold nothing in memory until they are asked for. Errors as for `add`."""
        if self._held:
            self._set_aside()

    def __iter__(self) -> Iterator[Entry]:
        """All of them, in order; ask once everything is in."""
        self._held.sort(key=_key)
        if not self._runs:
            return iter(self._held)
        each = max(_LEAST_READ_BYTES, _READ_BYTES // len(self._runs))
        runs: list[Iterable[Entry]] = [self._run(start, end, each) for start, end in self._runs]
        return iter(heapq.merge(*runs, self._held, key=_key))

    def _set_aside(self) -> None:
        self._held.sort(key=_key)
        try:
            start = self._file.seek(0, os.SEEK_END)
            for key, content in self._held:
                name = key.encode("utf-8", "surrogatepass")
                self._file.write(_head.pack(len(name), len(content)) + name + content)
            self._file.flush()
            self._runs.append((start, self._file.tell()))
        except OSError as error:
            where = tempfile.gettempdir()
            raise CrawlerError(
                f"{where}: a temporary file there cannot be written: {error.strerror}; TMPDIR names another folder"
            ) from error
        self._held.clear()
        self._bytes = 0

    def _run(self, start: int, end: int, piece_bytes: int) -> Iterator[Entry]:
        descriptor, position, data, at = self._file.fileno(), start, b"", 0
        while True:
            need = _head.size
            if len(data) - at >= need:
                names, contents = _head.unpack_from(data, at)
                need += names + contents
                if len(data) - at >= need:
                    middle = at + _head.size + names
                    yield data[at + _head.size : middle].decode("utf-8", "surrogatepass"), data[middle : at + need]
                    at += need
                    continue
            if position >= end and at >= len(data):
                return
            more = os.pread(descriptor, min(end - position, max(piece_bytes, need - (len(data) - at))), position)
            if not more:
                raise CrawlerError("a temporary file of ours is shorter than it was")
            data, at, position = data[at:] + more, 0, position + len(more)


def grouped(before: Iterable[Entry], after: Iterable[Entry]) -> Iterator[tuple[str, list[bytes], list[bytes]]]:
    """Each key of either side, in order, with what both have under it."""
    old, new = iter(before), iter(after)
    first, second = next(old, None), next(new, None)
    while first is not None or second is not None:
        key = min(entry[0] for entry in (first, second) if entry is not None)
        sides: tuple[list[bytes], list[bytes]] = ([], [])
        while first is not None and first[0] == key:
            sides[0].append(first[1])
            first = next(old, None)
        while second is not None and second[0] == key:
            sides[1].append(second[1])
            second = next(new, None)
        yield key, *sides
