"""Which whole lines does a file hold, plain or compressed, that may be huge, torn, or still growing?

Lines that have their newline, in a ``.gz`` or ``.zst`` file those of members that are closed; what a write in
progress or a crash left at the end is no line yet. Memory holds a piece of the file, the longest line, and of a
compressed file one member of up to `HELD_BYTES` unpacked; a longer one, as where somebody packed the whole file anew,
is unpacked twice: to see that it ends, and for its lines. What the lines say is left to others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.errors import CrawlerError
from crawler.export.packing import PACKINGS, UNPACK_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from io import FileIO
    from pathlib import Path

    from crawler.export.packing import Unpacker

PIECE_BYTES = 1 << 20
HELD_BYTES = 16 << 20
MAX_LINE_BYTES = 1 << 29
"""What is longer is no line of ours, but may be a file full of zeros."""
_PACKED_BYTES = 64 << 10  # read at once of a compressed file: copied again for each of many tiny members
_UNPACKERS = {packing.suffix: packing.unpacker for packing in PACKINGS.values()}


class Lines:
    """The whole lines of one file; iterate over it once.

    Args:
        path: Compressed if its name ends with ``.gz`` or ``.zst``.
        start: Where to begin, a byte of the file: the beginning of a line, or of a member.
        end: Read no further, such as up to a committed position. None: up to the end it has when that is reached.
    """

    def __init__(self, path: Path, *, start: int = 0, end: int | None = None) -> None:
        self._path = path
        self._end = end
        self._begun: list[bytes] = []  # of the line whose newline is still to come
        #: the byte up to which everything has been handed out and done with (the next was asked for): the end of a
        #: line, in a compressed file of a member. Up to here the file is good, after an error too
        self.position = start
        #: once all is read: whether something followed that is no whole line, or no closed member
        self.left_over = False

    def __iter__(self) -> Iterator[bytes]:
        """Each line, without its newline. Errors as for `blocks`."""
        for block in self.blocks():
            yield from block[:-1].split(b"\n")

    def blocks(self) -> Iterator[bytes]:
        """The same, several lines at a time, newlines included: about `PIECE_BYTES`, unless a line is longer.

        Raises:
            CrawlerError: The file cannot be read, is not of the kind its name says, or is damaged; names the byte.
        """
        unpacker = _UNPACKERS.get(self._path.suffix)
        try:
            with self._path.open("rb", buffering=0) as file:
                source = _Source(file, self.position, self._end)
                yield from self._plain(source) if unpacker is None else self._packed(source, unpacker)
        except OSError as error:
            raise CrawlerError(f"{self._path}: cannot be read: {error.strerror}") from error

    def _plain(self, source: _Source) -> Iterator[bytes]:
        for block in self._whole(iter(lambda: source.read(PIECE_BYTES), b"")):
            yield block
            self.position += len(block)
        self.left_over = bool(self._begun)

    def _packed(self, source: _Source, unpacker: Callable[[], Unpacker]) -> Iterator[bytes]:
        start = source.position
        while (pieces := self._member(source, unpacker)) is not None:
            yield from self._whole(pieces)
            start = source.position
            if not self._begun:  # somebody else's members may end within a line
                self.position = start
        self.left_over = bool(self._begun) or source.position > start

    def _member(self, source: _Source, new: Callable[[], Unpacker]) -> Iterable[bytes] | None:
        """What the next member holds, once it is known to be closed and sound; None if none is."""
        start, held, size = source.position, [], 0
        unpacker = new()
        try:
            for piece in _unpacked(source, unpacker):
                size += len(piece)
                if size <= HELD_BYTES:
                    held.append(piece)
        except UNPACK_ERRORS as error:
            kind = self._path.suffix
            raise CrawlerError(f"{self._path}: damaged {kind} data in the member at byte {start:,}: {error}") from error
        if not unpacker.eof:
            return None
        if size <= HELD_BYTES:
            return held
        source.seek(start)
        return _unpacked(source, new())

    def _whole(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Blocks of whole lines; what comes after the last newline waits for the next call."""
        begun_bytes = sum(map(len, self._begun))
        for piece in pieces:
            cut = piece.rfind(b"\n") + 1
            if cut:
                yield b"".join((*self._begun, piece[:cut]))
                self._begun.clear()
                begun_bytes = 0
            if cut < len(piece):
                self._begun.append(piece[cut:])
                begun_bytes += len(piece) - cut
            if begun_bytes > MAX_LINE_BYTES:
                raise CrawlerError(
                    f"{self._path}: a line that begins after byte {self.position:,} has more than "
                    f"{MAX_LINE_BYTES:,} bytes"
                )


class _Source:
    """The bytes of a file up to `end`; some may be given back."""

    def __init__(self, file: FileIO, position: int, end: int | None) -> None:
        self._file = file
        self._end = end
        self.seek(position)

    def seek(self, position: int) -> None:
        """Go on from there."""
        self._file.seek(position)
        self.position = position
        self._back = b""

    def read(self, most: int) -> bytes:
        """The next bytes, or none at the end."""
        data, self._back = self._back, b""
        if not data:
            data = self._file.read(most if self._end is None else max(0, min(most, self._end - self.position)))
        self.position += len(data)
        return data

    def give_back(self, data: bytes) -> None:
        """Let the last bytes read be the next ones again."""
        self._back = data
        self.position -= len(data)


def _unpacked(source: _Source, unpacker: Unpacker) -> Iterator[bytes]:
    """What the member that begins here holds, as far as there is any; `unpacker.eof` says whether it is closed."""
    while not unpacker.eof:
        data = b""
        if unpacker.needs_input and not (data := source.read(_PACKED_BYTES)):
            return
        yield unpacker.decompress(data, PIECE_BYTES)
    source.give_back(unpacker.unused_data)
