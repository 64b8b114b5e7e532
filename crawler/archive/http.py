"""Which HTTP message is in a block? Parsed leniently, as other crawlers stored it: with chunks, without, or broken."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import brotli

_MAX_HEADERS = 5_000  # as many as are fetched
_MAX_HEAD_BYTES = 1 << 20
_LOOKED_AT_BYTES = 4096
_BLANKS = b" \t\r"  # no other white space: `fetch.lenient` keeps it


class Message(NamedTuple):
    """The answer of a server."""

    status: int
    status_line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes  #: chunks undone, content coding not


def parse(block: bytes) -> Message | None:
    """The answer in `block`; None if it does not begin with a status line.

    A head that does not end is a head without a body.
    """
    head, body = _split(block)
    lines = head.replace(b"\r\n", b"\n").split(b"\n", _MAX_HEADERS + 1)[: _MAX_HEADERS + 1]
    status_line = lines[0].strip()
    status = _status(status_line)
    if status is None:
        return None
    headers = _headers(lines[1:])
    if any(name.lower() == b"transfer-encoding" and b"chunked" in value.lower() for name, value in headers):
        body = _unchunked(body)
    return Message(status, status_line, headers, body)


def believable(message: Message) -> Message:
    """`message` without a Content-Encoding that its body contradicts: some writers decode it, and keep the header."""
    codings = [value.strip().lower() for name, value in message.headers if name.lower() == b"content-encoding"]
    if not message.body or len(codings) != 1 or _may_be(codings[0].removeprefix(b"x-"), message.body):
        return message
    kept = tuple(header for header in message.headers if header[0].lower() != b"content-encoding")
    return message._replace(headers=kept)


def _may_be(coding: bytes, body: bytes) -> bool:
    """Whether `body` begins as what is coded so does."""
    match coding:
        case b"gzip":
            return body.startswith(b"\x1f\x8b")
        case b"zstd":
            return body[1:4] in (b"\xb5\x2f\xfd", b"\x2a\x4d\x18")
        case b"br":
            try:
                brotli.Decompressor().process(body[:_LOOKED_AT_BYTES], output_buffer_limit=_LOOKED_AT_BYTES)
            except brotli.error:
                return False
        case b"deflate":
            for wbits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
                try:
                    zlib.decompressobj(wbits).decompress(body[:_LOOKED_AT_BYTES], _LOOKED_AT_BYTES)
                except zlib.error:
                    continue
                return True
            return False
    return True


def _split(block: bytes) -> tuple[bytes, bytes]:
    at, width = blank_line(block, 0, _MAX_HEAD_BYTES)
    return (block[:at], block[at + width :]) if width else (block[:_MAX_HEAD_BYTES], b"")


def blank_line(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the first head in ``data[start:end]`` ends, and how many bytes end it: 0 if none does."""
    at = data.find(b"\r\n\r\n", start, end)
    bare = data.find(b"\n\n", start, end if at < 0 else at)
    if bare >= 0:
        return bare, 2
    return at, 0 if at < 0 else 4


def _status(line: bytes) -> int | None:
    """``HTTP/1.1 200 OK``; some servers leave out the version's number, and all may leave out the phrase."""
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].upper().startswith(b"HTTP") or not (words[1].isdigit() and len(words[1]) == 3):
        return None
    return int(words[1])


def _headers(lines: list[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and headers:  # RFC 9112 section 5.2: folded
            name, value = headers[-1]
            if len(value) < _MAX_HEAD_BYTES:
                headers[-1] = (name, value + b" " + line.strip(_BLANKS))
            continue
        name, colon, value = line.partition(b":")
        name = name.strip(_BLANKS)
        if colon and name:
            headers.append((name, value.strip(_BLANKS)))
    return tuple(headers)


def _unchunked(body: bytes) -> bytes:
    """Without its chunks (RFC 9112 section 7.1), as far as there are any: some writers undo them, and say so not."""
    parts = []
    at = 0
    while at < len(body):
        end = body.find(b"\n", at, at + 4096)
        size = _chunk_size(body[at:end]) if end >= 0 else None
        if size is None:
            parts.append(body[at:])  # not chunked, or broken from here on
            break
        if size == 0:
            break
        parts.append(body[end + 1 : end + 1 + size])
        at = end + 1 + size
        if body.startswith(b"\r\n", at):
            at += 2
        elif body.startswith(b"\n", at):
            at += 1
    return b"".join(parts)


def _chunk_size(line: bytes) -> int | None:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)
