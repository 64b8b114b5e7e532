"""What do the pool, its fork server and its workers say to each other, byte by byte?

Jobs:    length of the header, header (msgpack: a `Batch`), then each large body as it is, uncopied. Small ones are in
         the header: to copy them costs less than to write and read them one by one.
Results: length, then a msgpack array with a `Page` or `ParseFailure` for each job; a batch may be answered in several
         of these, so that none is much larger than what one page may give (`result_limit`).
Control: fixed-size commands to the fork server, fixed-size notices from it.

Lengths are 4 bytes, big-endian. Never pickle: a page that took over a worker could say anything.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from crawler.extract.settings import Settings
from crawler.models import Page, ParseFailure, Request, Response
from crawler.parse.known import Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.parse.base import Job

LENGTH = struct.Struct("!I")
SMALL_BYTES = 16 * 1024
FULL_BYTES = 4 * 1024**2
"""Results of so many bytes are sent, whether their batch is done or not."""
_SITEMAP_BYTES = 80 * 1024**2  # of 50,000 entries whose URLs are as long as `extract.sitemap_links` takes
_ARRAY32 = b"\xdd"  # msgpack's array with a 4-byte count
_COUNT = struct.Struct("!cI")

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


class Item(NamedTuple):
    """A job, with its body or without."""

    request: Request
    #: without what no extractor asks for
    response: Response
    #: of a body that follows the header; 0 where `response` has it
    body_bytes: int


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """What precedes the bodies."""

    told: Told
    items: list[Item]


_ENCODER = msgspec.msgpack.Encoder()
_NO_NEWS = Told()
_BATCH = msgspec.msgpack.Decoder(Batch)
_RESULTS = msgspec.msgpack.Decoder(list[Page | ParseFailure])


def encode_jobs(jobs: Sequence[Job], told: Told = _NO_NEWS) -> list[bytes]:
    """The frame for `jobs`, with what is told, in pieces to be sent one after the other; no large body is copied."""
    items = []
    pieces = [b"", b""]
    for job in jobs:
        got = job.response
        body = got.body
        if len(body) <= SMALL_BYTES:
            apart = 0
        else:
            pieces.append(body)
            apart, body = len(body), b""
        # tuples encode as an `Item` with its `Response` does, and are cheaper to make
        response = (got.url, got.status, got.headers, body, got.fetched_at, got.elapsed_s, got.address)
        items.append((job.request, response, apart))
    header = _ENCODER.encode((told, items))
    pieces[:2] = LENGTH.pack(len(header)), header
    return pieces


def read_batch(sock: socket.socket) -> Batch | None:
    """Wait for the next batch; None when the pool has gone. Its bodies follow, in order: `read_responses`.

    Raises:
        EOFError: The pool went away in the middle of it.
    """
    length = sock.recv(LENGTH.size, socket.MSG_WAITALL)
    if not length:
        return None
    if len(length) < LENGTH.size:
        length += _receive(sock, LENGTH.size - len(length))
    return _BATCH.decode(_receive(sock, LENGTH.unpack(length)[0]))


def read_responses(sock: socket.socket, items: list[Item]) -> Iterator[tuple[Request, Response]]:
    """The jobs of a batch, each large body read when its turn comes: one at a time is in the worker's memory."""
    for request, response, apart in items:
        yield request, replace(response, body=_receive(sock, apart)) if apart else response


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
    return _ENCODER.encode(result)


def result_limit(max_body_bytes: int) -> int:
    """The most that the records and links of one page may take, encoded.

    Generous to what is honest: the HTML of a page, a record's largest field, is three times as large in UTF-8 as in a
    legacy encoding at worst, and hardly twice that in JSON; a sitemap, which may inflate beyond `max_body_bytes`, gives
    a link and a line for every URL. Without a limit, a worker that a page took over could announce 4 GiB.
    """
    return max(8 * max_body_bytes, _SITEMAP_BYTES) + 16 * 1024**2


def frame_limit(max_body_bytes: int) -> int:
    """What follows from it for a frame, without its length: all but the last page's results were not `FULL_BYTES`."""
    return len(_ARRAY32) + LENGTH.size + FULL_BYTES + result_limit(max_body_bytes)


def result_frame(results: Sequence[bytes]) -> bytes:
    """The frame that answers a batch or a part of it, of `encode_result`'s pieces."""
    head = _ARRAY32 + LENGTH.pack(len(results))
    return b"".join((LENGTH.pack(len(head) + sum(map(len, results))), head, *results))


def count_of(frame: memoryview) -> int:
    """How many results a frame holds, by its own account; 0 if it is none of `result_frame`."""
    return int(_COUNT.unpack_from(frame)[1]) if len(frame) >= _COUNT.size and frame[:1] == _ARRAY32 else 0


def decode_results(frame: memoryview) -> list[Page | ParseFailure]:
    """What a result frame says, without its length.

    Raises:
        ValueError: It is not a result frame, a page has fields of the wrong type, or a text is none (msgspec leaves
            that one to Python).
    """
    return _RESULTS.decode(frame)
