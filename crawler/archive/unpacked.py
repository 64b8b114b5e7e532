"""Which bytes does a WARC file hold, plain or gzipped, whoever wrote it?

Hands out pieces that never go beyond a gzip member, and says where in the file each member begins. Lenient as gzip is:
zeros after the last member are padding. Memory holds one piece, however much a member unpacks to.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

PIECE_BYTES = 256 << 10
_READ_BYTES = 64 << 10
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WBITS = 31


class Piece(NamedTuple):
    """Some bytes, and where they are."""

    data: bytes
    #: where in the file a reader may begin to get them, and how many unpacked bytes come before them from there
    start: int
    skip: int
    is_packed: bool


def pieces(path: Path, file: FileIO, start: int, end: int | None) -> Iterator[Piece]:
    """The bytes of `file` from `start` up to `end`, which are the beginnings of members, or of records if it is plain.

    A member that is not closed at the end of the file gives what can be unpacked of it; if that is nothing, an empty
    piece tells of it.

    Raises:
        CrawlerError: Damaged gzip data; names the member's first byte.
        OSError: It cannot be read.
    """
    file.seek(start)
    source = _Source(file, start, end)
    first = source.more()
    if first and _GZIP_MAGIC.startswith(first[:2]):
        yield from _members(path, source)
    else:
        yield from _plain(source)


class _Source:
    """Reads on, up to an end; `data` is what was read and not yet consumed."""

    def __init__(self, file: FileIO, position: int, end: int | None) -> None:
        self._file = file
        self._left = None if end is None else max(0, end - position)
        self.data = b""
        self.position = position  # of the first byte of `data`

    def more(self) -> bytes:
        """`data`, read anew if there is none; empty at the end."""
        if not self.data:
            most = _READ_BYTES if self._left is None else min(_READ_BYTES, self._left)
            self.data = self._file.read(most) if most else b""
            if self._left is not None:
                self._left -= len(self.data)
        return self.data

    def consume(self, rest: bytes) -> None:
        """All of `data` but `rest` has been used."""
        self.position += len(self.data) - len(rest)
        self.data = rest


def _plain(source: _Source) -> Iterator[Piece]:
    while data := source.more():
        yield Piece(data, source.position, 0, is_packed=False)
        source.consume(b"")


def _members(path: Path, source: _Source) -> Iterator[Piece]:
    while data := source.more():
        if data[:1] == b"\0":
            source.consume(data.lstrip(b"\0"))
            continue
        start, skip = source.position, 0
        stream = zlib.decompressobj(_GZIP_WBITS)
        tail = b""
        while not stream.eof and (tail or source.more()):
            fed = tail or source.data
            if not tail:
                source.consume(b"")
            try:
                out = stream.decompress(fed, PIECE_BYTES)
            except zlib.error as error:
                raise CrawlerError(f"{path}: damaged gzip data in the member at byte {start:,}: {error}") from error
            tail = stream.unconsumed_tail
            if out:
                yield Piece(out, start, skip, is_packed=True)
                skip += len(out)
        if not stream.eof and not skip:
            yield Piece(b"", start, 0, is_packed=True)
        if stream.eof and stream.unused_data:
            source.data = stream.unused_data
            source.position -= len(stream.unused_data)
