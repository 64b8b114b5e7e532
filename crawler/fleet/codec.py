"""How is what Redis keeps of a crawl written as bytes, and read back?

Every value begins with two bytes: the format (`VERSION`) and whether what follows is plain (0) or compressed with zstd
(1), which is done where it is the shorter. What follows is msgpack. What cannot be read is refused with the name of its
key: it was cut short, is not ours, or was written by a later version of this package.

Blocks of URLs and of ends are in `codec_urls` and `codec_ends`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from crawler.errors import FrontierError
from crawler.models import HostState, Request, Robots, RobotsFile, Snoozed

if TYPE_CHECKING:
    from crawler.models import HostKey

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

VERSION: Final = 1

# One for all: making one takes as long as compressing twenty URLs. It locks itself, and has no state between frames.
_COMPRESSOR: Final = zstd.ZstdCompressor(2)
_PLAIN, _ZSTD = bytes((VERSION, 0)), bytes((VERSION, 1))
_WORTH_A_TRY_BYTES: Final = 96
_MAX_BYTES: Final = 1 << 28  # of one value, unpacked: far beyond anything that is written here
_ENCODER: Final = msgspec.msgpack.Encoder()
_ROBOTS: Final = msgspec.msgpack.Decoder(tuple[float, str | None, Robots])
_LATER: Final = msgspec.msgpack.Decoder(tuple[float, int, str | None])
_HOST: Final = msgspec.msgpack.Decoder(list[Any])
_DEFAULTS: Final = tuple(msgspec.structs.astuple(HostState(host_key="")))[1:]  # type: ignore[arg-type]

T = TypeVar("T")


def packed(value: object) -> bytes:
    """`value` as msgpack, compressed if that is shorter."""
    body = _ENCODER.encode(value)
    if len(body) >= _WORTH_A_TRY_BYTES:
        short = _COMPRESSOR.compress(body, mode=zstd.ZstdCompressor.FLUSH_FRAME)
        if len(short) < len(body):
            return _ZSTD + short
    return _PLAIN + body


def unpacked(data: bytes, decoder: msgspec.msgpack.Decoder[T], key: str) -> T:
    """What `packed` was given.

    Raises:
        FrontierError: `data` is not that, or not all of it; names `key`.
    """
    try:
        if data[:2] == _PLAIN:
            return decoder.decode(memoryview(data)[2:])
        if data[:2] == _ZSTD:
            return decoder.decode(_inflated(data))
    except (msgspec.MsgspecError, zstd.ZstdError, EOFError, ValueError, OverflowError) as error:
        raise damaged(key, str(error)) from error
    if data and data[0] > VERSION:
        raise FrontierError(
            f"{key} was written by a later version of crawler (format {data[0]}; this one reads {VERSION})"
        )
    raise damaged(key, f"begins with {bytes(data[:2])!r}")


def damaged(key: str, what: str) -> FrontierError:
    """The error that what is stored under `key` cannot be read."""
    return FrontierError(f"what Redis holds under {key} is damaged or not a crawl's ({what})")


def packed_host(host: HostState) -> bytes:
    """A host's state, without its key. Most of one are zeros, and most values at the end are as they began: short
    ones stay in Redis' compact form of a hash (at most 64 bytes)."""
    values = [_short(value) for value in msgspec.structs.astuple(host)[1:]]
    while values and values[-1] == _DEFAULTS[len(values) - 1]:
        values.pop()
    return _PLAIN + _ENCODER.encode(values)


def unpacked_host(host_key: HostKey, data: bytes, key: str) -> HostState:
    """What `packed_host` was given.

    Raises:
        FrontierError: As `unpacked`.
    """
    values = unpacked(data, _HOST, key)
    try:
        return msgspec.convert([host_key, *values], HostState)
    except msgspec.ValidationError as error:
        raise damaged(key, str(error)) from error


def packed_robots(robots: RobotsFile) -> bytes:
    """The verdict on an origin's robots.txt, without the origin."""
    return packed((robots.expires_at, robots.closed, robots.robots))


def unpacked_robots(origin: str, data: bytes, key: str) -> RobotsFile:
    """What `packed_robots` was given.

    Raises:
        FrontierError: As `unpacked`.
    """
    expires_at, closed, robots = unpacked(data, _ROBOTS, key)
    return RobotsFile(origin=origin, expires_at=expires_at, robots=robots, closed=closed)


class Later(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A URL that is snoozed, as stored: of its request only the attempt is another than when it was admitted."""

    due_at: float  #: wall time, by the server's clock
    attempt: int
    reason: str | None = None

    def snoozed(self, request: Request) -> Snoozed:
        """With the request, as admitted. Its `until` is wall time."""
        return Snoozed(
            request=msgspec.structs.replace(request, attempt=self.attempt), until=self.due_at, reason=self.reason
        )


def packed_later(snoozed: Snoozed) -> bytes:
    """What is stored of a snoozed request whose `until` is wall time."""
    return _PLAIN + _ENCODER.encode((snoozed.until, snoozed.request.attempt, snoozed.reason))


def unpacked_later(data: bytes, key: str) -> Later:
    """What `packed_later` was given.

    Raises:
        FrontierError: As `unpacked`.
    """
    due_at, attempt, reason = unpacked(data, _LATER, key)
    return Later(due_at=due_at, attempt=attempt, reason=reason)


def _short(value: object) -> object:
    """A whole float as an integer, which msgpack writes in fewer bytes than the nine of a float."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    return value


def _inflated(data: bytes) -> bytes:
    unpacker = zstd.ZstdDecompressor()
    body = unpacker.decompress(memoryview(data)[2:], max_length=_MAX_BYTES)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("a compressed value that has no end, or something after it")
    return body
