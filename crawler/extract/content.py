"""What bytes did the server mean to send? Undoes Content-Encoding (RFC 9110 section 8.4), under a limit.

Lenient where browsers are: streams that end early give what could be decoded, bytes after the end of a stream and the
checksums of gzip are ignored, ``deflate`` may lack its zlib wrapper, a coding nobody knows is passed over if there is
text below it (``utf-8`` and ``none`` are seen). Character sets are `charset`'s business.
"""

from __future__ import annotations

import re
import sys
import zlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

import brotli

from crawler.errors import CrawlerError
from crawler.extract.stream_ends import mended

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FAIR_BYTES = 1024**2
"""A body may become so large however small it came: `fair_bytes`."""

_MAX_LAYERS = 5  # as curl (MAX_ENCODE_STACK): each layer may multiply the work of the one below
_MAX_STREAMS = 10_000  # one after another; beginning an empty one of zstd takes 25 us and 9 bytes
_CHUNK_BYTES = 32 * 1024  # bounds what is copied again for each of many tiny gzip members
_GZIP_WBITS, _ZLIB_WBITS, _RAW_WBITS = 31, 15, -15
_GZIP_MAGIC = (b"\x1f\x8b",)
# A data frame, or one of the sixteen kinds of skippable frame (RFC 8878 sections 3.1.1 and 3.1.2).
_ZSTD_MAGIC = (b"\x28\xb5\x2f\xfd", *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60)))
_ZSTD_OPTIONS: dict[int, int] = {
    zstd.DecompressionParameter.window_log_max: 23
}  # 8 MiB, the most HTTP allows (RFC 9659)

_KNOWN = frozenset(prefix + name for name in ("gzip", "deflate", "br", "zstd") for prefix in ("", "x-"))
# MIME Sniffing standard, sections 3 and 5.2: what no text has, and how much is looked at.
_BINARY = re.compile(rb"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SNIFFED_BYTES = 1445


class ContentError(CrawlerError):
    """A body that cannot be decoded.

    Args:
        reason: ``too_large``, ``bomb``, ``bad_encoding`` or ``bad_sitemap``, of `reasons.REASONS`.
        detail: For people; never parsed.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Decoded(NamedTuple):
    """A body after content decoding."""

    data: bytes
    truncated: bool  #: whether a compressed stream ended early, or its checksum says that it is not as it was


class _Decompressor(Protocol):
    """What zlib's and zstd's decoders have in common: one stream each, then `eof`."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Limit(NamedTuple):
    """The most that a layer may yield, and whether what goes beyond is cut off or fails all."""

    size: int
    cut: bool
    wire_bytes: int
    is_fair: bool  # whether `size` follows from `wire_bytes`

    def exceeded(self, parts: list[bytes]) -> Decoded:
        """What becomes of `parts`, which are too much."""
        if self.cut:
            return Decoded(b"".join(parts)[: self.size], truncated=True)
        if self.is_fair:
            raise ContentError("bomb", f"its {self.wire_bytes} bytes inflate to more than {self.size}")
        raise ContentError("too_large", f"more than {self.size} bytes after content decoding")


def fair_bytes(wire_bytes: int, limit: int, max_ratio: float) -> int:
    """What a body of `wire_bytes` may become: `max_ratio` times that or `FAIR_BYTES`, and at most `limit`.

    Args:
        wire_bytes: Its length before content decoding.
        limit: Whatever its length was.
        max_ratio: 0 for any.
    """
    if not max_ratio or wire_bytes * max_ratio >= limit:
        return limit
    return min(limit, max(FAIR_BYTES, int(wire_bytes * max_ratio)))


def decode_content(
    body: bytes, encoding: str | None, limit: int, *, cut: bool = False, max_ratio: float = 0
) -> Decoded:
    """Undo the codings named in a Content-Encoding header, the last one first.

    Args:
        body: Bytes as they came over the wire. An empty body is empty under any encoding.
        encoding: The header's value, or None. gzip, deflate, br, zstd, their ``x-`` forms, and identity.
        limit: Most bytes the result of any layer may have; checked while inflating.
        cut: Whether to give the first `limit` bytes of what is longer, instead of failing.
        max_ratio: As of `fair_bytes`, which holds for each layer, compared with `body` as it is here.

    Raises:
        ContentError: ``too_large``, ``bomb`` for what is so by `max_ratio` alone, or ``bad_encoding`` for data that is
            not of its coding, or of an unknown one.
    """
    truncated = False
    codings = _codings(encoding) if encoding and body else []
    if not codings and len(body) <= limit:  # as most, for which the rest is too much
        return Decoded(body, truncated)
    fair = fair_bytes(len(body), limit, max_ratio) if codings else limit
    most = _Limit(fair, cut, len(body), fair < limit)
    if len(codings) > _MAX_LAYERS:
        raise ContentError("bad_encoding", f"{len(codings)} content codings, expected at most {_MAX_LAYERS}")
    for coding in reversed(codings):
        try:
            body, is_short = _decode_layer(body, coding, most)
        except (zlib.error, zstd.ZstdError, brotli.error) as error:
            name = coding.removeprefix("x-")
            whole = mended(body, name, fair)
            if whole is None:
                raise ContentError("bad_encoding", f"not {coding}: {error}") from error
            body, _ = _decode_layer(whole, coding, most)
            is_short = name == "gzip"
        truncated |= is_short
    if codings and not _KNOWN.issuperset(codings):
        _check_unknown(codings, body)
    if len(body) > fair:
        return most.exceeded([body])
    return Decoded(body, truncated)


def _check_unknown(codings: list[str], body: bytes) -> None:
    """Chromium and Firefox pass over codings they do not know, and then show text or rubbish: text will do.

    Raises:
        ContentError: ``bad_encoding``: `body`, all other codings undone, is no text.
    """
    if _BINARY.search(body, 0, _SNIFFED_BYTES):
        unknown = next(coding for coding in codings if coding not in _KNOWN)
        raise ContentError("bad_encoding", f"content coding {unknown[:40]!r}, expected gzip, deflate, br or zstd")


def _codings(encoding: str) -> list[str]:
    names = [name.strip().lower() for name in encoding.split(",")]
    return [name for name in names if name not in ("", "identity")]


def _decode_layer(body: bytes, coding: str, limit: _Limit) -> Decoded:
    match coding.removeprefix("x-"):
        case "gzip":
            return _inflate(body, limit, lambda: zlib.decompressobj(_GZIP_WBITS), _GZIP_MAGIC)
        case "deflate":
            return _inflate_deflate(body, limit)
        case "zstd":
            return _inflate(body, limit, lambda: zstd.ZstdDecompressor(options=_ZSTD_OPTIONS), _ZSTD_MAGIC)
        case "br":
            return _inflate_brotli(body, limit)
        case _:
            return Decoded(body, truncated=False)  # see `_check_unknown`


def _inflate(body: bytes, limit: _Limit, new: Callable[[], _Decompressor], magic: tuple[bytes, ...]) -> Decoded:
    """Decode one stream after another, as long as one begins (with `magic`) where the last one ended."""
    stream = new()
    n_streams = 1
    parts: list[bytes] = []
    room = limit.size
    at = 0
    while at < len(body):
        chunk = body[at : at + _CHUNK_BYTES]
        part = stream.decompress(chunk, room + 1)
        parts.append(part)
        room -= len(part)
        if room < 0:
            return limit.exceeded(parts)
        at += len(chunk)
        if stream.eof:
            at -= len(stream.unused_data)
            if not body.startswith(magic, at):
                break
            n_streams += 1
            if n_streams > _MAX_STREAMS:
                raise ContentError("bad_encoding", f"more than {_MAX_STREAMS} compressed streams one after another")
            stream = new()
    return Decoded(b"".join(parts), truncated=not stream.eof)


def _inflate_deflate(body: bytes, limit: _Limit) -> Decoded:
    """``deflate`` is a zlib stream; some servers leave out the wrapper, and browsers cope."""
    try:
        return _inflate(body, limit, lambda: zlib.decompressobj(_ZLIB_WBITS), ())
    except zlib.error:
        return _inflate(body, limit, lambda: zlib.decompressobj(_RAW_WBITS), ())


def _inflate_brotli(body: bytes, limit: _Limit) -> Decoded:
    stream = brotli.Decompressor()
    parts = []
    room = limit.size
    part = stream.process(body, output_buffer_limit=room + 1)
    while part:  # one call gives all of a whole stream, but only a block of one that was cut
        parts.append(part)
        room -= len(part)
        if room < 0:
            return limit.exceeded(parts)
        part = b"" if stream.is_finished() else stream.process(b"", output_buffer_limit=room + 1)
    return Decoded(b"".join(parts), truncated=not stream.is_finished())
