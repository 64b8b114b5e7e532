"""Where is the body among its chunks? RFC 9112 section 7.1, as leniently as browsers and curl read it.

A size may have blanks before it and anything after it, as for Firefox and curl, lines may end with LF alone. Signs,
``0x`` (which curl takes for the last chunk) and a chunk that is longer than its size are refused, as Chromium does
(net/http/http_chunked_decoder.cc).
"""

from __future__ import annotations

import re
from typing import Literal

from crawler.errors import FetchError

_MAX_LINE_BYTES = 16 * 1024  # Chromium's
_MAX_LINES_BYTES = 1024 * 1024  # of all lines between chunks, beyond as much as the chunks hold
_SIZE = re.compile(rb"[ \t]*(?=[0-9A-Fa-f])(?!0[xX])0*([0-9A-Fa-f]{0,15})(?![0-9A-Fa-f])")
_PLAIN_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_SHOWN_BYTES = 40

_Line = Literal["size", "end of chunk", "trailer"]


class Chunks:
    """Takes one body out of its chunks."""

    __slots__ = ("_left", "_line", "_next", "_spare", "has_last", "has_more", "is_whole")

    def __init__(self) -> None:
        #: of the chunk at hand that are still to come
        self._left = 0
        #: what the next line must be, and what has come of it
        self._next: _Line = "size"
        self._line = b""
        #: bytes there may still be that are no body
        self._spare = _MAX_LINES_BYTES
        #: whether the last chunk has come, so that nothing of the body is missing
        self.has_last = False
        #: whether the trailer has come as well
        self.is_whole = False
        #: whether bytes came after that
        self.has_more = False

    def feed(self, data: bytes) -> bytes:
        """Of the body what `data` holds.

        Raises:
            FetchError: ``protocol``: they are no chunks, or there is next to nothing in them.
        """
        parts: list[bytes] = []
        at, size = 0, len(data)
        while at < size and not self.is_whole:
            if not self._left and self._next == "size" and not self._line:
                at = self._begin(data, at)
            if self._left:
                part = data[at : at + self._left]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if not self._left and data[at : at + 2] == b"\r\n":
                    at += 2
                    self._next = "size"
            elif at < size:
                at = self._read_line(data, at)
        self.has_more = self.has_more or at < size
        body = b"".join(parts)
        self._spare += 2 * len(body) - size
        if self._spare < 0 and not self.is_whole:
            raise FetchError("protocol", "chunks that hold next to nothing")
        return body

    def _begin(self, data: bytes, at: int) -> int:
        """Read the size of a chunk, if there is nothing odd about it. Returns where its line ends, or `at`."""
        found = _PLAIN_SIZE.match(data, at)
        if found is None or not (left := int(found[1], 16)):
            return at
        self._left = left
        self._next = "end of chunk"
        return found.end()

    def _read_line(self, data: bytes, at: int) -> int:
        """Read a line, or what there is of it. Returns where it ends."""
        end = data.find(b"\n", at) + 1
        line = self._line + data[at : end or len(data)]
        if len(line) > _MAX_LINE_BYTES:
            raise FetchError("protocol", f"more than {_MAX_LINE_BYTES} bytes in a line between chunks")
        self._line = b"" if end else line
        if end:
            self._read(line[:-2] if line.endswith(b"\r\n") else line[:-1])
        return end or len(data)

    def _read(self, line: bytes) -> None:
        """Take in a whole line, without its end."""
        if self._next == "trailer":
            self.is_whole = not line
        elif self._next == "end of chunk":
            if line:
                raise FetchError("protocol", f"a chunk that goes on with {line[:_SHOWN_BYTES]!r}")
            self._next = "size"
        else:
            found = _SIZE.match(line)
            if found is None:
                raise FetchError("protocol", f"{line[:_SHOWN_BYTES]!r}, expected the size of a chunk")
            self._left = int(found[1] or b"0", 16)
            self.has_last = not self._left
            self._next = "end of chunk" if self._left else "trailer"
