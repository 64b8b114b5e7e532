"""Which records does a WARC file hold? Read one after the other, with as little trust in its writer as can be.

WARC 0.17 to 1.1, plain, a gzip member for each record, or one gzip stream for all of them (so that a record cannot be
found again by its place); header lines may end with LF alone, be folded, and be spelt in any case. What is no record
ends the reading with file and byte; what a crash has left torn at the end is told in `Records.torn`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.archive.http import blank_line
from crawler.archive.unpacked import pieces
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.archive.unpacked import Piece

_MAX_HEAD_BYTES = 256 << 10
_NEWLINES = b"\r\n"


class Record(NamedTuple):
    """One WARC record."""

    fields: dict[str, str]  #: by lower-case name; the first of each
    block: bytes
    #: where to begin to read it again: a byte of the file, and how many unpacked bytes come before it from there
    start: int
    skip: int
    is_cut: bool  #: whether the block is longer than what is read of one

    def field(self, name: str) -> str:
        """A field by its lower-case name; empty if there is none."""
        return self.fields.get(name, "")

    @property
    def kind(self) -> str:
        """Its WARC-Type."""
        return self.field("warc-type").lower()

    @property
    def uri(self) -> str:
        """Its target; some writers put it in angle brackets, as the grammar of WARC 1.0 has it."""
        uri = self.field("warc-target-uri")
        return uri[1:-1] if uri.startswith("<") and uri.endswith(">") else uri


class Records:
    """The records of one file; iterate over it once.

    Args:
        path: The file.
        start: Where to begin: a byte at which a record or its gzip member begins.
        skip: How many unpacked bytes come before the first record, from there.
        end: Read no further, such as up to a committed position.
        most_bytes: The most of a block that is kept.
    """

    def __init__(
        self, path: Path, *, start: int = 0, skip: int = 0, end: int | None = None, most_bytes: int = 64 << 20
    ) -> None:
        self._path = path
        self._start, self._skip, self._end = start, skip, end
        self._most_bytes = most_bytes
        self._data, self._at = b"", 0  # unpacked, and how much of it is used
        self._place = (start, 0)  # of the first byte of `_data`
        self._pieces: Iterator[Piece] = iter(())
        self._packed = False
        #: once all is read: where something begins that is not a whole record
        self.torn: int | None = None

    def __iter__(self) -> Iterator[Record]:
        """Each record.

        Raises:
            CrawlerError: The file cannot be read, is damaged, or holds what is no record; names the byte.
        """
        try:
            with self._path.open("rb", buffering=0) as file:
                self._pieces = pieces(self._path, file, self._start, self._end)
                if self._drop(self._skip):
                    while (record := self._next()) is not None:
                        yield record
        except OSError as error:
            raise CrawlerError(f"{self._path}: cannot be read: {error.strerror or error}") from error

    def _next(self) -> Record | None:
        if not self._skip_newlines():
            return None
        start, skip = self._here()
        head = self._head(start, skip)
        if head is None:
            self.torn = start
            return None
        fields = _fields(head)
        length = fields.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            raise self._wrong(start, skip, f"a record whose Content-Length is {length[:40]!r}, expected a number")
        size = int(length)
        kept = min(size, self._most_bytes)
        block = self._take(kept)
        if block is None or not self._drop(size - kept):
            self.torn = start
            return None
        return Record(fields, block, start, skip, kept < size)

    def _skip_newlines(self) -> bool:
        """Go to the next record; False at the end."""
        while True:
            data, at = self._data, self._at
            while at < len(data) and data[at] in _NEWLINES:
                at += 1
            self._at = at
            if at < len(data):
                return True
            if not self._more():
                return False

    def _head(self, start: int, skip: int) -> bytes | None:
        """The lines of a record's header, without the empty one; None if the file ends before that."""
        looked = self._at
        while True:
            data, at = self._data, self._at
            if not b"WARC/".startswith(data[at : at + 5]):
                what = "an ARC file, expected WARC" if data.startswith(b"filedesc:", at) else "no WARC record"
                raise self._wrong(start, skip, f"{what}: {data[at : at + 40]!r}")
            end, width = blank_line(data, looked, at + _MAX_HEAD_BYTES)
            if width:
                self._at = end + width
                return data[at:end]
            if len(data) - at > _MAX_HEAD_BYTES:
                raise self._wrong(start, skip, f"a record whose header has over {_MAX_HEAD_BYTES:,} bytes")
            known = len(data) - at
            if not self._more():
                return None
            looked = self._at + max(0, known - 3)

    def _take(self, size: int) -> bytes | None:
        """The next `size` bytes; None if there are fewer."""
        if len(self._data) - self._at >= size:
            self._at += size
            return self._data[self._at - size : self._at]
        parts = []
        while size > 0:
            if self._at == len(self._data) and not self._more():
                return None
            part = self._data[self._at : self._at + size]
            parts.append(part)
            size -= len(part)
            self._at += len(part)
        return b"".join(parts)

    def _drop(self, size: int) -> bool:
        """Pass over `size` bytes; False if there are fewer."""
        while size > 0:
            if self._at == len(self._data) and not self._more():
                return False
            step = min(size, len(self._data) - self._at)
            self._at += step
            size -= step
        return True

    def _here(self) -> tuple[int, int]:
        """The place of the next byte: where to begin, and how many unpacked bytes to pass over from there."""
        start, skip = self._place
        return (start, skip + self._at) if self._packed else (start + self._at, 0)

    def _more(self) -> bool:
        """Unpack another piece behind what is left; False at the end."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        if not piece.data:
            self.torn = piece.start
            return False
        self._packed = self._packed or piece.is_packed
        if self._at == len(self._data):
            self._data, self._place = piece.data, (piece.start, piece.skip)
        else:
            self._place = self._here()
            self._data = self._data[self._at :] + piece.data
        self._at = 0
        return True

    def _wrong(self, start: int, skip: int, what: str) -> CrawlerError:
        inside = f", {skip:,} bytes into its gzip member" if skip else ""
        return CrawlerError(f"{self._path}: at byte {start:,}{inside}: {what}")


def _fields(head: bytes) -> dict[str, str]:
    """Names and values; UTF-8 (WARC 1.1, section 4), or Latin-1 where it is none."""
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    fields: dict[str, str] = {}
    name = ""
    for line in text.split("\n")[1:]:
        if line[:1] in (" ", "\t") and name:
            fields[name] += " " + line.strip()
            continue
        key, _, value = line.partition(":")
        name = key.strip().lower()
        if name in fields:
            name = ""  # a repeated field, whose continuation is not the first one's
        else:
            fields[name] = value.strip()
    return fields
