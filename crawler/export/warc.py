"""How do answers get into a WARC archive that a crash can never leave torn?

Its lines are `crawler.archive.entry.Entry`s. Each becomes two or three records in members of their own, in files
``NAME-00000.warc.gz``, ``NAME-00001.warc.gz``, … of about a gibibyte, all records of an answer in the same one. A
position is the number of the file that is written and its length, in one integer; opening the archive at one cuts that
file and removes those after it. Hashing and packing are done in threads, which zlib and hashlib let run at once.

A payload that the archive has already, or one of the generations before, is referred to and not stored again; which
ones there are is `PayloadIndex`'s to say.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from crawler.archive import compose
from crawler.archive.compose import Original
from crawler.archive.entry import decode
from crawler.archive.places import archive_files, file_of, place_of, position_of
from crawler.directory import bring_down
from crawler.errors import ExportError
from crawler.export.carried import copy, is_shared
from crawler.export.failures import errors_named
from crawler.export.jsonl import JsonlSink
from crawler.export.payloads import INDEX, PayloadIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.archive.entry import Entry

ROTATE_BYTES = 1 << 30
_GROUP_BYTES = 4 << 20  # of lines that are unpacked, hashed and packed at once
T = TypeVar("T")
_THREADS = min(4, os.cpu_count() or 1)


class Hashed(NamedTuple):
    """An answer, and what its payload is called."""

    entry: Entry
    digest: str
    is_empty: bool


class WarcSink:
    """The archive of one crawl. Calls must not overlap; errors as `JsonlSink`'s. After one, no more answers are taken.

    Args:
        folder: Where its files go; made if need be, its parent is there.
        name: What their names begin with.
        software: Who writes them.
        rotate_bytes: A file this large is followed by another.
    """

    def __init__(self, folder: Path, name: str, *, software: str, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._folder = folder
        self._name = name
        self._software = software
        self._rotate_bytes = rotate_bytes
        self._index = PayloadIndex(folder / INDEX)
        self._file: JsonlSink | None = None
        self._number = self._length = 0
        self._torn = False

    async def open(self, position: int | None) -> None:
        """See `Sink.open`."""
        with errors_named(self._folder, "open"):
            await asyncio.to_thread(self._begin if position is None else self._check, position or 0)
            self._number, self._length = place_of(position or 0)
            file = JsonlSink(self._path(self._number), pack=b"".join)
            await file.open(None if position is None else self._length)
            self._file, self._torn = file, False
            await asyncio.to_thread(self._index.open, position or 0)

    async def append(self, lines: Sequence[bytes]) -> None:
        """See `Sink.append`; a line is an encoded `Entry`."""
        self._usable()
        for group in _groups(lines):
            self._torn = True
            await self._append(group)
            self._torn = False

    async def sync(self, *, fsync: bool) -> int:
        """See `Sink.sync`; the position is no length, but may be compared with others of this archive."""
        self._length = await self._usable().sync(fsync=fsync)
        return position_of(self._number, self._length)

    async def aclose(self) -> None:
        """See `Sink.aclose`."""
        file, self._file = self._file, None
        if file is not None:
            await file.aclose()
        await asyncio.to_thread(self._index.close)

    async def _append(self, lines: Sequence[bytes]) -> None:
        shares = [share for at in range(_THREADS) if (share := lines[at::_THREADS])]
        hashed = _interleaved(await asyncio.gather(*(asyncio.to_thread(_hashed, share) for share in shares)))
        originals = await asyncio.to_thread(self._originals, hashed)
        jobs = list(zip(hashed, originals, strict=True))
        tasks = (asyncio.to_thread(_packed, jobs[at::_THREADS]) for at in range(len(shares)))
        await self._write(_interleaved(await asyncio.gather(*tasks)), jobs)

    def _originals(self, hashed: Sequence[Hashed]) -> list[Original | None]:
        """For each answer the one with the same payload that comes before it."""
        known = self._index.find({answer.digest for answer in hashed if not answer.is_empty})
        found: list[Original | None] = []
        for answer in hashed:
            found.append(None if answer.is_empty else known.get(answer.digest))
            response = answer.entry.response
            known.setdefault(answer.digest, Original(response.url, compose.warc_date(response)))
        return found

    async def _write(self, answers: Sequence[Sequence[bytes]], jobs: Sequence[tuple[Hashed, Original | None]]) -> None:
        """Append the members of these answers, and note where the payloads are."""
        stored = []
        waiting: list[bytes] = []
        for members, (answer, original) in zip(answers, jobs, strict=True):
            if self._length >= self._rotate_bytes:
                await self._flush(waiting)
                await self._rotate()
            if not self._length:
                date = compose.warc_date(answer.entry.response)
                info = compose.warcinfo(self._path(self._number).name, self._software, date)
                waiting.append(info)
                self._length += len(info)
            if original is None and not answer.is_empty:
                response = answer.entry.response
                place = position_of(self._number, self._length)
                stored.append((answer.digest, response.url, compose.warc_date(response), place))
            waiting += members
            self._length += sum(map(len, members))
        await self._flush(waiting)
        with errors_named(self._folder, "index"):
            await asyncio.to_thread(self._index.add, stored)

    async def _flush(self, waiting: list[bytes]) -> None:
        if waiting and self._file is not None:
            await self._file.append(waiting)
            waiting.clear()

    async def _rotate(self) -> None:
        """Begin the next file; the one before is on the disk."""
        if self._file is not None:
            await self._file.sync(fsync=True)
            await self._file.aclose()
        self._number, self._length = self._number + 1, 0
        self._file = JsonlSink(self._path(self._number), pack=b"".join)
        await self._file.open(None)

    def _usable(self) -> JsonlSink:
        if self._file is None or self._torn:
            raise ExportError(f"{self._folder}: not open, or an earlier write to it did not finish")
        return self._file

    def _path(self, number: int) -> Path:
        return file_of(self._folder, self._name, number)

    def _begin(self, _: int) -> None:
        """Make the folder; refuse one that holds an archive of this name."""
        if not self._folder.is_dir():
            self._folder.mkdir()
            bring_down(self._folder.parent)
        for _number, path in archive_files(self._folder, self._name):
            size = path.stat().st_size
            raise ExportError(f"{path}: exists already ({size:,} bytes), expected no such file")
        for path in self._folder.glob(f"{INDEX}*"):
            path.unlink()

    def _check(self, position: int) -> None:
        """Remove the files after the position. Those before it are whole, and somebody may have moved them away."""
        number = place_of(position)[0]
        there = archive_files(self._folder, self._name) if self._folder.is_dir() else []
        later = [path for other, path in there if other > number]
        for path in later:
            path.unlink()
        if is_shared(path := self._path(number)):  # a later generation has it as it is
            copy(path, path)
            later.append(path)
        if later:
            bring_down(self._folder)


def _groups(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line)
        if size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _hashed(lines: Sequence[bytes]) -> list[Hashed]:
    entries = map(decode, lines)
    return [
        Hashed(entry, compose.payload_digest(entry.response), is_empty=not entry.response.body) for entry in entries
    ]


def _packed(jobs: Sequence[tuple[Hashed, Original | None]]) -> list[tuple[bytes, ...]]:
    return [compose.compose(answer.entry, answer.digest, original).members for answer, original in jobs]


def _interleaved(shares: Sequence[Sequence[T]]) -> list[T]:
    """Undo ``lines[at::n]``."""
    return [share[row] for row in range(max(map(len, shares))) for share in shares if row < len(share)]
