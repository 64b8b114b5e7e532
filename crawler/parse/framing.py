"""What do the pool, its fork server and its workers say to each other, byte by byte?

Jobs:    length of the header, header (msgpack), then each body as it is, uncopied.
Results: length, then a msgpack array with one `Result` for each job.
Control: fixed-size commands to the fork server, fixed-size notices from it.

Lengths are 4 bytes, big-endian. Never pickle: a page that took over a worker could say anything.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import msgspec

from crawler.extract.settings import Settings
from crawler.models import Page, ParseFailure, Request, Response, Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.parse.base import Job

LENGTH = struct.Struct("!I")
_ARRAY32 = b"\xdd"  # msgpack's array with a 4-byte count

COMMAND = struct.Struct("!cII")
"""Verb, worker, slot. Descriptors ride along: the charter's and the board's with the first command of all, then the
sockets of workers to be spawned."""
BEGIN, SPAWN, KILL = b"B", b"S", b"K"

NOTICE = struct.Struct("!IiQ")
"""Worker, its exit code (negative: a signal), its peak resident bytes. Worker 0: the fork server is ready."""
READY = NOTICE.pack(0, 0, 0)

EXIT_NO_MEMORY = 97
"""Exit code of a worker that hit ``parse.memory``: its heap is not worth keeping, nor its page."""
EXIT_NO_FORK = 98
"""Exit code reported for a worker that could not even be forked."""


class Charter(msgspec.Struct, frozen=True, kw_only=True):
    """All that a fork server is told at its start."""

    entry: str
    settings: Settings
    workers: int
    memory_bytes: int


class Item(msgspec.Struct, frozen=True, array_like=True):
    """A job without its body."""

    request: Request
    url: Url
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    fetched_at: float
    elapsed_s: float
    address: str | None
    body_bytes: int


class Result(msgspec.Struct, frozen=True, array_like=True):
    """One of the two. (Both are arrays, so msgpack alone could not tell them apart.)"""

    page: Page | None
    failure: ParseFailure | None


_ENCODER = msgspec.msgpack.Encoder()
_ITEMS = msgspec.msgpack.Decoder(list[Item])
_RESULTS = msgspec.msgpack.Decoder(list[Result])


def encode_jobs(jobs: Sequence[Job]) -> list[bytes]:
    """The frame for `jobs`, in pieces that are sent one after the other; the bodies are not copied."""
    items = []
    pieces = [b""]
    for job in jobs:
        got = job.response
        body = got.body
        pieces.append(body)
        # a tuple encodes as an `Item` does, and is cheaper to make
        items.append(
            (job.request, got.url, got.status, got.headers, got.fetched_at, got.elapsed_s, got.address, len(body))
        )
    header = _ENCODER.encode(items)
    pieces[0] = LENGTH.pack(len(header)) + header
    return pieces


def read_items(sock: socket.socket) -> list[Item] | None:
    """Wait for the next batch; None when the pool has gone. Its bodies follow, in order: `read_responses`.

    Raises:
        EOFError: The pool went away in the middle of it.
    """
    first = sock.recv(1)
    if not first:
        return None
    (size,) = LENGTH.unpack(first + _receive(sock, LENGTH.size - 1))
    return _ITEMS.decode(_receive(sock, size))


def read_responses(sock: socket.socket, items: list[Item]) -> Iterator[tuple[Request, Response]]:
    """The jobs of a batch, each body read when its turn comes: one at a time is in the worker's memory."""
    for item in items:
        response = Response(
            url=item.url,
            status=item.status,
            headers=item.headers,
            body=_receive(sock, item.body_bytes),
            fetched_at=item.fetched_at,
            elapsed_s=item.elapsed_s,
            address=item.address,
        )
        yield item.request, response


def _receive(sock: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes from a blocking socket.

    Raises:
        EOFError: The stream ended before.
    """
    data = sock.recv(size, socket.MSG_WAITALL)
    while len(data) < size:  # the stream has ended, or a signal arrived
        more = sock.recv(size - len(data), socket.MSG_WAITALL)
        if not more:
            raise EOFError(f"the pool went away after {len(data)} of {size} bytes")
        data += more
    return data


def encode_result(result: Page | ParseFailure) -> bytes:
    """One element of a result frame."""
    if isinstance(result, Page):
        return _ENCODER.encode((result, None))
    return _ENCODER.encode((None, result))


def result_frame(results: Sequence[bytes]) -> bytes:
    """The frame that answers a batch, of `encode_result`'s pieces."""
    head = _ARRAY32 + LENGTH.pack(len(results))
    return b"".join((LENGTH.pack(len(head) + sum(map(len, results))), head, *results))


def decode_results(frame: memoryview) -> list[Page | ParseFailure]:
    """What a result frame says, without its length.

    Raises:
        msgspec.MsgspecError: It is not a result frame, or a page has fields of the wrong type.
    """
    return [result.page or result.failure or _NOTHING for result in _RESULTS.decode(frame)]


_NOTHING = ParseFailure(reason="parse_error", detail="the worker gave neither a page nor a failure")
