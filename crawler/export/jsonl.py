"""How do lines get into a file that a crash can never leave torn?

One JSON value a line, plain or packed (`crawler.export.packing`). The sink knows up to where its file is good; what
a failed write left behind is cut off at once, what a crash left behind is cut off when the file is opened at its
committed length. When to sync, and where the length is stored, is left to the checkpoint.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import aiofiles

from crawler.directory import bring_down
from crawler.errors import ExportError
from crawler.export.failures import errors_named
from crawler.export.packing import PACKINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aiofiles.threadpool.binary import AsyncFileIO

    from crawler.export.base import Sink
    from crawler.export.packing import Compress

_REPAIR = "--repair (repair=True in Python) fetches anew what it lacks"


def sink_for(path: Path, compress: Compress) -> Sink:
    """The sink for `path`, whose name should end with `packing.suffix(compress)`: readers go by it."""
    return JsonlSink(path, compress)


class JsonlSink:
    """Appends to one file, of which nobody else may be a writer. Packed, each batch becomes a member of its own.

    Args:
        path: The file.
        compress: How batches are packed.
        pack: In place of that: what to write of a batch that is not empty.

    Calls must not overlap. Cancelling an `append` leaves its write running in a thread, so afterwards the sink
    takes no more lines; opening the file again at a committed position makes it good.
    """

    def __init__(
        self, path: Path, compress: Compress = "none", *, pack: Callable[[Sequence[bytes]], bytes] | None = None
    ) -> None:
        self._path = path
        self._pack = pack or PACKINGS[compress].pack
        self._file: AsyncFileIO | None = None
        self._position = 0
        self._torn = False  # the file's end is not known to be `_position`

    async def open(self, position: int | None) -> None:
        """Create the file, or cut it to `position`. A new file is on the disk, name and all, on return."""
        with errors_named(self._path, "open"):
            await asyncio.to_thread(_create if position is None else _check_length, self._path, position or 0)
            file = await aiofiles.open(self._path, "r+b", buffering=0)
            self._file, self._position = file, position or 0
            await self._cut(file)

    async def append(self, lines: Sequence[bytes]) -> None:
        """Append a batch in one write. After an error the file ends where it ended before."""
        file = self._usable()
        if not lines:
            return
        self._torn = True
        data = memoryview(await asyncio.to_thread(self._pack, lines))  # 64 MB take a good second
        position = self._position + len(data)
        with errors_named(self._path, "write"):
            try:
                while data:  # a nearly full disk takes a part; the next write then says why
                    data = data[await file.write(data) :]
            except OSError:
                await self._cut(file)
                raise
        self._position, self._torn = position, False

    async def sync(self, *, fsync: bool) -> int:
        """Check that the file still is what was written, bring it to the disk if `fsync`, return its length.

        Raises:
            ExportError: The file was moved, removed, or changed by somebody else, or the disk failed.
        """
        file = self._usable()
        with errors_named(self._path, "sync"):
            await asyncio.to_thread(_sync, self._path, file.fileno(), self._position, fsync)
        return self._position

    async def aclose(self) -> None:
        """Close without syncing."""
        file, self._file = self._file, None
        if file is not None:
            with errors_named(self._path, "close"):
                await file.close()

    def _usable(self) -> AsyncFileIO:
        if self._file is None or self._torn:
            raise ExportError(f"{self._path}: not open, or an earlier write to it did not finish")
        return self._file

    async def _cut(self, file: AsyncFileIO) -> None:
        """Make `file` end at `_position`, and write on from there."""
        await file.truncate(self._position)
        await file.seek(self._position)
        self._torn = False


def _create(path: Path, _: int) -> None:
    """Make an empty file that a power cut cannot take away again, its name neither."""
    try:
        with path.open("xb") as file:
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise ExportError(f"{path}: exists already ({path.stat().st_size:,} bytes), expected no such file") from error
    bring_down(path.parent)


def _check_length(path: Path, position: int) -> None:
    """Refuse a file that cannot hold what was committed."""
    try:
        length = path.stat().st_size
    except FileNotFoundError as error:
        raise ExportError(f"{path}: missing, expected a file of at least {position:,} bytes; {_REPAIR}") from error
    if length < position:
        raise ExportError(
            f"{path}: only {length:,} bytes long, expected at least the {position:,} committed; {_REPAIR}"
        )


def _sync(path: Path, descriptor: int, position: int, fsync: bool) -> None:  # noqa: FBT001  (called by to_thread)
    if fsync:
        os.fsync(descriptor)
    held = os.fstat(descriptor)
    try:
        replaced = not os.path.samestat(held, path.stat())
    except FileNotFoundError:
        replaced = True
    if replaced:
        raise ExportError(f"{path}: was moved or removed while being written")
    if held.st_size != position:
        raise ExportError(f"{path}: is {held.st_size:,} bytes long, expected {position:,}: somebody else writes to it")
