"""How is an answer taken apart? aiohttp's response parser for heads and for chunks, and what a head says."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from aiohttp import ClientPayloadError, HttpVersion, hdrs
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser

from crawler.errors import FetchError

if TYPE_CHECKING:
    import asyncio

    from aiohttp.http import RawResponseMessage

    Data = bytes | memoryview

_MAX_HEADER_BYTES = 64 * 1024  # of one header line
_MAX_HEADERS = 256
_MAX_HEAD_BYTES = 256 * 1024  # of all heads of an answer together: as much as Chromium reads
_END_OF_HEAD = re.compile(rb"\n\r?\n")  # as lenient as the parser
_SEAM_BYTES = 2  # of it that may have come before
_MAX_CHUNK_LINES_BYTES = 1024 * 1024  # of all lines between chunks, beyond as much as the chunks hold
_UNLIMITED = 1 << 30
_STATUS_LINES_KEPT = 64
_CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
"""Stands before chunks for the parser, which after ``Connection: close`` objects to whatever follows the last."""
# "identity" is no coding of RFC 9112 any more, but older servers name it, and it changes nothing.
_CODINGS_UNDONE = frozenset(("", "chunked", "identity"))


class _Unheld:
    """In place of a connection, for a parser whose reader is emptied after each piece."""

    def pause_reading(self) -> None:
        """Called by the reader."""

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 -- aiohttp's signature
        """Called by the reader."""


def head_parser(loop: asyncio.AbstractEventLoop, *, with_body: bool = False) -> HttpResponseParser:
    """A parser of heads, one after the other, to be fed nothing else; `with_body`, of one whole answer."""
    return HttpResponseParser(
        _Unheld(), loop, _UNLIMITED,  # type: ignore[arg-type]  # its reader wants no more of it
        payload_exception=ClientPayloadError, response_with_body=with_body, read_until_eof=True, auto_decompress=False,
        max_line_size=_MAX_HEADER_BYTES, max_field_size=_MAX_HEADER_BYTES, max_headers=_MAX_HEADERS,
    )  # fmt: skip


class Heads:
    """Takes heads out of what comes, and no byte that follows them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._parser = head_parser(loop)
        self.begin()

    def begin(self) -> None:
        """Expect those of another answer."""
        self._seam = b""
        self._bytes = 0

    def feed(self, data: Data) -> tuple[RawResponseMessage | None, Data]:
        """A head that ends in `data`, if one does, and what is left of `data`.

        Raises:
            FetchError: ``protocol``: heads come without end, or the parser sees this one end before its empty line (as
                it does at a line of one space after the first), and would take what follows for the next.
            HttpProcessingError: It is none.
        """
        found = _END_OF_HEAD.search(self._seam + data if self._seam else data)
        end = len(data) if found is None else found.end() - len(self._seam)
        head = bytes(data[:end])
        self._seam = (self._seam + head)[-_SEAM_BYTES:] if found is None else b""
        self._bytes += end
        if self._bytes > _MAX_HEAD_BYTES:
            raise FetchError("protocol", f"more than {_MAX_HEAD_BYTES} bytes before the body")
        if self._parser.feed_data(head if found is None else head[:-1])[0]:
            raise FetchError("protocol", "a head that ends without an empty line")
        messages = () if found is None else self._parser.feed_data(head[-1:])[0]
        return messages[0][0] if messages else None, data[end:]


class Chunks:
    """Takes one body out of its chunks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._parser = head_parser(loop, with_body=True)
        ((_, self._reader),), _, _ = self._parser.feed_data(_CHUNKED_HEAD)
        #: bytes there may still be that are no body
        self._spare = _MAX_CHUNK_LINES_BYTES
        #: whether bytes came after the body
        self.has_more = False

    @property
    def is_whole(self) -> bool:
        """Whether the last chunk and the trailer have come."""
        return self._reader.is_eof()

    def feed(self, data: bytes) -> bytes:
        """Of the body what `data` holds.

        Raises:
            FetchError: ``protocol``: there is next to nothing in them.
            HttpProcessingError: They are no chunks.
        """
        try:
            self._parser.feed_data(data)
        except HttpProcessingError:
            if not self.is_whole:
                raise
            self.has_more = True
        part = self._reader.read_nowait()
        self._spare += 2 * len(part) - len(data)
        if self._spare < 0 and not self.is_whole:
            raise FetchError("protocol", "chunks that hold next to nothing")
        return part


@lru_cache(_STATUS_LINES_KEPT)
def status_line(version: HttpVersion, code: int, reason: str) -> bytes:
    """The first line, as received but for its spaces."""
    return f"HTTP/{version.major}.{version.minor} {code} {reason}".encode("utf-8", "surrogateescape")


def set_cookies(message: RawResponseMessage) -> list[str]:
    """The values of its Set-Cookie headers, as Latin-1."""
    if hdrs.SET_COOKIE not in message.headers:
        return []
    return [value.decode("latin-1") for name, value in message.raw_headers if name.lower() == b"set-cookie"]


def check_codings(message: RawResponseMessage) -> None:
    """Refuse a body that would stay encoded.

    Raises:
        FetchError: ``protocol``, for a transfer coding other than chunked.
    """
    for coding in ",".join(message.headers.getall(hdrs.TRANSFER_ENCODING, ())).split(","):
        if coding.strip().lower() not in _CODINGS_UNDONE:
            raise FetchError("protocol", f"transfer coding {coding.strip().lower()!r}, expected chunked")
