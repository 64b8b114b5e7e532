"""How is an answer taken apart? aiohttp's response parser for heads and for chunks, and what a head says."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from aiohttp import ClientPayloadError, HttpVersion, hdrs
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser

from crawler.errors import FetchError

if TYPE_CHECKING:
    import asyncio

    from aiohttp.http import RawResponseMessage

_MAX_HEADER_BYTES = 64 * 1024  # of one header line
_MAX_HEADERS = 256
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


class Chunks:
    """Takes one body out of its chunks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._parser = head_parser(loop, with_body=True)
        ((_, self._reader),), _, _ = self._parser.feed_data(_CHUNKED_HEAD)
        #: whether bytes came after the body
        self.has_more = False

    @property
    def is_whole(self) -> bool:
        """Whether the last chunk and the trailer have come."""
        return self._reader.is_eof()

    def feed(self, data: bytes) -> bytes:
        """Of the body what `data` holds.

        Raises:
            HttpProcessingError: They are no chunks.
        """
        try:
            self._parser.feed_data(data)
        except HttpProcessingError:
            if not self.is_whole:
                raise
            self.has_more = True
        return self._reader.read_nowait()


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
