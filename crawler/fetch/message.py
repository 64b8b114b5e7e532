"""Which bytes of an answer are a head, and what does it say? aiohttp's response parser, or `fetch.lenient`'s."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from aiohttp import ClientPayloadError, HttpVersion, ServerDisconnectedError, hdrs
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser

from crawler.errors import FetchError
from crawler.fetch.lenient import MAX_HEADERS, check_beginning, parse_head

if TYPE_CHECKING:
    import asyncio

    from aiohttp.http import RawResponseMessage

    Data = bytes | memoryview

_MAX_HEADER_BYTES = 64 * 1024  # of one header line, for aiohttp's parser, whose work grows with its square
_MAX_HEAD_BYTES = 256 * 1024  # of all heads of an answer together: as much as Chromium reads
_END_OF_HEAD = re.compile(rb"\n\r?\n")  # as browsers find it
_SEAM_BYTES = 2  # of it that may have come before
_BLANK_BEFORE_COLON = re.compile(rb"\n[^:\r\n]*[ \t]:")
_H = ord("H")
_UNLIMITED = 1 << 30
_STATUS_LINES_KEPT = 64
_KEPT_REASON_CHARS = 64


class _Unheld:
    """In place of a connection, for a parser that is fed no bodies."""

    def pause_reading(self) -> None:
        """Called by the reader."""

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 -- aiohttp's signature
        """Called by the reader."""


def head_parser(loop: asyncio.AbstractEventLoop) -> HttpResponseParser:
    """A parser of heads, one after the other, to be fed nothing else."""
    return HttpResponseParser(
        _Unheld(), loop, _UNLIMITED,  # type: ignore[arg-type]  # there is nothing to hold
        payload_exception=ClientPayloadError, response_with_body=False, read_until_eof=True, auto_decompress=False,
        max_line_size=_MAX_HEADER_BYTES, max_field_size=_MAX_HEADER_BYTES, max_headers=MAX_HEADERS,
    )  # fmt: skip


class Heads:
    """Takes heads out of what comes, and no byte that follows them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = head_parser(loop)
        #: of a head that has not come to its end, without blank lines before it
        self._begun = bytearray()
        self.begin()

    def begin(self) -> None:
        """Expect those of another answer."""
        self._bytes = 0
        if self._begun:
            self._begun.clear()

    def feed(self, data: Data) -> tuple[RawResponseMessage | None, Data]:
        """A head that ends in `data`, if one does, and what is left of `data`.

        Raises:
            FetchError: ``protocol``: it is none, or heads come without end.
        """
        if not self._begun and data[0] == _H:
            found = _END_OF_HEAD.search(data)
            if found is not None:
                end = found.end()
                return self._parse(bytes(data[:end])), data[end:]
        return self._feed_part(data)

    def unfinished(self) -> Exception:
        """What it means that nothing more will come, where a head was expected.

        Returns:
            A `FetchError`, ``protocol``, if what has come of it could not have become one; otherwise one of aiohttp.
        """
        try:
            if self._begun:
                check_beginning(self._begun, is_all=True)
        except FetchError as error:
            return error
        return ServerDisconnectedError()

    def _feed_part(self, data: Data) -> tuple[RawResponseMessage | None, Data]:
        begun = self._begun
        seen = len(begun)
        begun += data if seen else bytes(data).lstrip(b"\r\n")
        self._count(len(data) - len(begun) + seen)
        found = _END_OF_HEAD.search(begun, max(0, seen - _SEAM_BYTES))
        check_beginning(begun, is_all=found is not None)
        if found is not None:
            head, more = bytes(begun[: found.end()]), len(begun) - found.end()
            begun.clear()
            return self._parse(head), data[len(data) - more :]
        self._count(0, len(begun))
        return None, b""

    def _count(self, size: int, expected: int = 0) -> None:
        self._bytes += size
        if self._bytes + expected > _MAX_HEAD_BYTES:
            raise FetchError("protocol", f"more than {_MAX_HEAD_BYTES} bytes before the body")

    def _parse(self, head: bytes) -> RawResponseMessage:
        """By aiohttp's parser, or, if it refuses or sees another end than its empty line, by the lenient one."""
        self._count(len(head))
        try:
            if not self._parser.feed_data(head[:-1])[0]:
                ((message, _),) = self._parser.feed_data(head[-1:])[0]
                if "\0" not in message.reason and (_ends_by_itself(message) or not _BLANK_BEFORE_COLON.search(head)):
                    return message
        except (HttpProcessingError, ValueError):  # ValueError: there is no message
            pass
        self._parser = head_parser(self._loop)
        return parse_head(head)


def _ends_by_itself(message: RawResponseMessage) -> bool:
    """Whether its headers say where the body ends: aiohttp's parser heeds a length or chunks with a blank before the
    colon, but keeps the blank in the name, by which nobody finds them."""
    headers = message.headers
    return hdrs.CONTENT_LENGTH in headers or hdrs.TRANSFER_ENCODING in headers


def is_interim(message: RawResponseMessage) -> bool:
    """Whether the answer itself is still to come (RFC 9110 section 15.2).

    Raises:
        FetchError: ``protocol``: it will not do, as below 100, or 101, where nothing else was offered.
    """
    code = message.code
    if code < 100 or code == 101:
        raise FetchError("protocol", f"status {code}")
    return code < 200


def status_line(version: HttpVersion, code: int, reason: str) -> bytes:
    """The first line, as received but for its spaces and what browsers pass over in it."""
    make = _kept_status_line if len(reason) <= _KEPT_REASON_CHARS else _status_line
    return make(version, code, reason)


def _status_line(version: HttpVersion, code: int, reason: str) -> bytes:
    return f"HTTP/{version.major}.{version.minor} {code} {reason}".encode("utf-8", "surrogateescape")


_kept_status_line = lru_cache(_STATUS_LINES_KEPT)(_status_line)


def set_cookies(message: RawResponseMessage) -> list[str]:
    """The values of its Set-Cookie headers, as Latin-1."""
    if hdrs.SET_COOKIE not in message.headers:
        return []
    return [value.decode("latin-1") for name, value in message.raw_headers if name.lower() == b"set-cookie"]
