"""What does a WARC record look like, byte by byte, and how is it packed?

Records are made whole in memory; each becomes a gzip member of its own (WARC 1.1, Annex D), so that a file may be cut
and read from wherever one begins. The member says in its header how long it is, packed and unpacked: the field ``sl``
of the WARC drafts' section on skip lengths, which readers that do not know it pass over.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

CRLF: Final = b"\r\n"
END: Final = CRLF + CRLF
"""What follows a record's block."""
VERSION: Final = b"WARC/1.1"
REVISIT_PROFILE: Final = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED_PROFILE: Final = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

# By `zlib.compress` on 150 pages of Python's documentation: 1, 3, 4, 6: 210, 182, 143, 78 MB/s to 17.5, 16.0, 14.9,
# 13.9 %. What is gzipped already becomes 100.1 % at any of them, at 80 MB/s; stored as it is at 1.8 GB/s.
LEVEL = 3

#: RFC 1952 section 2.3: magic, deflate, FEXTRA, no time, no hint, unknown system; XLEN 12; 'sl' with 8 bytes
_HEADER = struct.Struct("<4sIBBH2sHII")
_TRAILER = struct.Struct("<II")
_MAX_32 = (1 << 32) - 1


def digest(*parts: bytes) -> str:
    """Of `parts` joined, as other WARC tools label and spell it."""
    sha1 = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        sha1.update(part)
    return f"sha1:{base64.b32encode(sha1.digest()).decode()}"


def record_id(*names: str) -> str:
    """The WARC-Record-ID that follows from `names`: the same input gives the same archive (RFC 9562, version 8)."""
    seed = hashlib.sha256("\0".join(names).encode(errors="surrogatepass")).digest()
    number = int.from_bytes(seed[:16], "big")
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(3 << 62) | 2 << 62
    text = f"{number:032x}"
    return f"<urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}>"


def record(fields: Sequence[tuple[str, str]], block: Sequence[bytes]) -> bytes:
    """A whole record, not packed.

    Args:
        fields: All but Content-Length and the block's digest; without CR and LF.
        block: Its parts.
    """
    size = sum(map(len, block))
    head = [VERSION, *(f"{name}: {value}".encode(errors="surrogatepass") for name, value in fields)]
    head += (f"WARC-Block-Digest: {digest(*block)}".encode(), b"Content-Length: %d" % size)
    return b"".join((CRLF.join(head), END, *block, END))


def member(data: bytes, stored: int = 0) -> bytes:
    """`data` as a gzip member (RFC 1952) that tells its lengths; its last `stored` bytes are not packed."""
    text = memoryview(data)[: len(data) - stored]
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts = [stream.compress(text)]
    if stored:
        # Blocks that are stored may follow others, where these end with a byte (RFC 1951, section 3.2.4).
        parts.append(stream.flush(zlib.Z_SYNC_FLUSH))
        stream = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS)
        parts.append(stream.compress(memoryview(data)[len(text) :]))
    parts.append(stream.flush())
    size = _HEADER.size + sum(map(len, parts)) + _TRAILER.size
    lengths = (size, len(data)) if max(size, len(data)) <= _MAX_32 else (0, 0)
    header = _HEADER.pack(b"\x1f\x8b\x08\x04", 0, 0, 255, 12, b"sl", 8, *lengths)
    return b"".join((header, *parts, _TRAILER.pack(zlib.crc32(data), len(data) & _MAX_32)))


def member_bytes(head: bytes) -> int | None:
    """How long the member is, packed, that begins with `head`; None if it is not one of ours that tells it."""
    if len(head) < _HEADER.size:
        return None
    magic, _time, _hint, _system, extra, field, width, size, _unpacked = _HEADER.unpack_from(head)
    return (size or None) if (magic, extra, field, width) == (b"\x1f\x8b\x08\x04", 12, b"sl", 8) else None


HEAD_BYTES: Final = _HEADER.size
"""As much of a member tells its length."""
