"""How does a compressed body become whole of which only the ends are wrong?

Browsers look at neither the checksums nor the length of a gzip member, nor at what follows a Brotli stream; the
decoders we have fail such a body as a whole. Asked only after they did, so that a good body costs nothing.
"""

from __future__ import annotations

import struct
import zlib

import brotli

_STEP_BYTES = 16 * 1024
_RAW_WBITS = -15
# RFC 1952 section 2.3: magic, CM, FLG, MTIME, XFL, OS.
_PLAIN_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
_FHCRC, _FEXTRA, _STRINGS = 2, 4, (8, 16)  # of FLG; the strings are FNAME and FCOMMENT


def mended(body: bytes, coding: str, limit: int) -> bytes | None:
    """What `body` should have been: one stream of `coding` and nothing else. None if more is wrong with it.

    Args:
        body: The whole of it.
        coding: ``gzip`` or ``br``; nothing is known of others.
        limit: Most bytes the stream may hold.
    """
    match coding:
        case "gzip":
            return _mended_gzip(body, limit)
        case "br":
            return _mended_brotli(body, limit)
        case _:
            return None


def _mended_gzip(body: bytes, limit: int) -> bytes | None:
    """The first member, with a header and a trailer that are right."""
    start = at = _deflate_start(body)
    if not start:
        return None
    stream = zlib.decompressobj(_RAW_WBITS)
    checksum = size = 0
    try:
        while not stream.eof:
            data = stream.unconsumed_tail
            if not data:
                data = body[at : at + _STEP_BYTES]
                at += len(data)
            part = stream.decompress(data, _STEP_BYTES)
            checksum = zlib.crc32(part, checksum)
            size += len(part)
            if size > limit or not (data or part):
                return None
    except zlib.error:
        return None
    end = at - len(stream.unused_data)
    return b"".join((_PLAIN_HEADER, body[start:end], struct.pack("<II", checksum, size & 0xFFFFFFFF)))


def _deflate_start(body: bytes) -> int:
    """Where a gzip member's header ends; 0 if it is none."""
    if not body.startswith(_PLAIN_HEADER[:3]) or len(body) <= len(_PLAIN_HEADER):
        return 0
    flags, at = body[3], len(_PLAIN_HEADER)
    if flags & _FEXTRA:
        at += 2 + int.from_bytes(body[at : at + 2], "little")
    for flag in _STRINGS:
        if flags & flag:
            at = body.find(b"\0", at) + 1
            if not at:
                return 0
    return at + 2 if flags & _FHCRC else at


def _mended_brotli(body: bytes, limit: int) -> bytes | None:
    """As far as the stream goes: found step by step, and then byte by byte, since the decoder does not tell."""
    stream = brotli.Decompressor()
    at = size = 0
    try:
        while at < len(body) and size <= limit:
            size += len(stream.process(body[at : at + _STEP_BYTES], output_buffer_limit=limit + 1))
            at += _STEP_BYTES
    except brotli.error:
        stream = brotli.Decompressor()
        for start in range(0, at, _STEP_BYTES):
            stream.process(body[start : start + _STEP_BYTES])
        return _until_finished(stream, body, at, limit - size)
    return None


def _until_finished(stream: brotli.Decompressor, body: bytes, at: int, room: int) -> bytes | None:
    try:
        while at < len(body) and not stream.is_finished() and room >= 0:
            room -= len(stream.process(body[at : at + 1], output_buffer_limit=room + 1))
            at += 1
    except brotli.error:
        return None
    return body[:at] if stream.is_finished() and room >= 0 else None
