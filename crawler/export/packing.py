"""How is a batch of lines packed so that the file stays one which any tool unpacks, and which a crash can be cut off?

A batch becomes one closed gzip member (RFC 1952) or zstd frame (RFC 8878) with a checksum: such files are whole
wherever one ends, may be joined, and are read by the gzip and zstd commands. The same batch gives the same bytes.
Here is also how each is unpacked; finding the lines in it again is left to `crawler.dataset.lines`.
"""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Compress = Literal["none", "gzip", "zstd"]
"""As in ``export.compress``."""

_GZIP_WBITS = 31
# What a level costs and saves, by `python -m benchmarks.export` on the 14 MB of records of Python's documentation in
# batches of 1 MiB: gzip 3, 6, 9: 99, 41, 31 MB/s to 28.3, 25.3, 25.2 %; zstd 1, 3, 5, 9: 452, 338, 162, 77 MB/s to
# 26.7, 23.7, 22.5, 21.4 %. The next level up costs a third and twice as much, for 0.4 % and 5 % of the bytes.
_GZIP_LEVEL = 6
_ZSTD_LEVEL = 3
_ZSTD_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: _ZSTD_LEVEL,
    zstd.CompressionParameter.checksum_flag: 1,  # off by default, unlike the size of the content
}

UNPACK_ERRORS = (zlib.error, zstd.ZstdError)
"""What `Unpacker.decompress` raises for data that is not of its kind."""


class Unpacker(Protocol):
    """Unpacks one member; used as zstd's decompressor is."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing more to give before it is fed."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What followed the member's end in the last data fed."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Feed `data`, which is empty unless input is needed, and get at most `max_length` bytes."""
        ...


@dataclass(frozen=True)
class Packing:
    """One way to write lines to a file."""

    suffix: str  #: of the file's name
    pack: Callable[[Sequence[bytes]], bytes]  #: of lines without their newlines
    unpacker: Callable[[], Unpacker] | None  #: for one member; None where nothing is packed


class _Gunzip:
    """One gzip member. zlib hands back the input it had no room for; this keeps it."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        room = max(max_length, 0)  # zlib's 0 is no limit
        piece = self._stream.decompress(self._stream.unconsumed_tail + data, room)
        # With the room filled it may hold back bytes though it has taken all of its input.
        self.needs_input = not self.eof and not self._stream.unconsumed_tail and (not room or len(piece) < room)
        return piece


def _lines(lines: Sequence[bytes]) -> bytes:
    return b"\n".join((*lines, b""))


def _gzip_member(lines: Sequence[bytes]) -> bytes:
    return zlib.compress(_lines(lines), _GZIP_LEVEL, _GZIP_WBITS)  # writes no time


def _zstd_frame(lines: Sequence[bytes]) -> bytes:
    return zstd.compress(_lines(lines), options=_ZSTD_OPTIONS)


PACKINGS: dict[Compress, Packing] = {
    "none": Packing("", _lines, None),
    "gzip": Packing(".gz", _gzip_member, _Gunzip),
    "zstd": Packing(".zst", _zstd_frame, zstd.ZstdDecompressor),
}


def suffix(compress: Compress) -> str:
    """What the name of a file that is written so ends with: nothing, ``.gz`` or ``.zst``."""
    return PACKINGS[compress].suffix
