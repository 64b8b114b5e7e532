"""What did the server answer? Our end of a connection: it reads one whole answer at a time, and wakes one task for it.

`fetch.message` reads heads, each up to its empty line and no further, so that bytes that follow an answer (a 204 with
a body, a body longer than announced) cannot spoil it; browsers show such answers too. Where a body ends is decided
here (RFC 9112 section 6.3). Nothing is kept beyond the body's limit, so that reading never has to pause. Bytes that
nobody has asked for condemn the connection.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import TYPE_CHECKING, cast

from aiohttp import ClientOSError, ClientPayloadError, hdrs

from crawler.errors import FetchError
from crawler.fetch.chunks import Chunks
from crawler.fetch.lenient import is_whole_gzip, length_of, names_chunked
from crawler.fetch.message import Heads, is_interim

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.http import RawResponseMessage

    from crawler.fetch.deadlines import Attempt
    from crawler.fetch.message import Data

BUFFER_BYTES = 256 * 1024  # at most this much is read at once
_NO_BODY = frozenset((204, 205, 304))  # RFC 9112 section 6.3, and 205 as browsers have it
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_SPARE_BYTES = 64 * 1024  # of a redirect's body, which nobody needs

Answer = tuple["RawResponseMessage", bytes, bool]
"""The head, the body as it came but without its chunks, and whether that went on."""


class AnswerProtocol(asyncio.BufferedProtocol):
    """A connection, for as many requests as it lasts: `expect`, write one, then await its answer.

    Args:
        loop: Which runs it.
        buffer: Where the loop puts what it reads. It is empty between two calls of the loop, so that all connections
            of one loop may share one.
    """

    __slots__ = (
        "_answer", "_attempt", "_buffer", "_check", "_chunks", "_closed", "_heads", "_is_cut", "_is_spare", "_kept",
        "_limit", "_loop", "_message", "_missing", "_read", "_received", "_wants_body",
        "address", "should_close", "transport",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, buffer: memoryview | None = None) -> None:
        self._loop = loop
        self._buffer = memoryview(bytearray(BUFFER_BYTES)) if buffer is None else buffer
        self._heads = Heads(loop)
        #: of the body
        self._kept = bytearray()
        self._closed: asyncio.Future[None] | None = loop.create_future()
        #: None: nothing is expected
        self._answer: asyncio.Future[Answer] | None = None
        #: what is done with what comes: a function, as a method would keep this alive
        self._read: Callable[[AnswerProtocol, Data], None] = AnswerProtocol._read_unasked
        #: the IP address at the other end, where that is the server's
        self.address: str | None = None
        #: whether it cannot carry another request
        self.should_close = False
        self.transport: asyncio.Transport | None = None

    @property
    def closed(self) -> asyncio.Future[None] | None:
        """Done when the connection has ended; None if it had before."""
        return self._closed

    def expect(
        self,
        attempt: Attempt | None = None,
        limit: int = sys.maxsize,
        *,
        cut: bool = False,
        check: Callable[[int], None] | None = None,
        wants_body: bool = True,
    ) -> asyncio.Future[Answer]:
        """Be ready for one final answer; interim ones (RFC 9110 section 15.2) are passed over.

        Args:
            attempt: Is told how much of the body has come.
            limit: Of the body, in bytes.
            cut: Whether a longer body is cut rather than a failure.
            check: Given the status of the answer, raises `FetchError` if that will not do.
            wants_body: Otherwise the answer ends with its head.

        Returns:
            The head and the body, or a `FetchError` or an error of aiohttp.
        """
        self._attempt = attempt
        self._limit = limit
        self._is_cut = cut
        self._is_spare = False
        self._check = check
        self._wants_body = wants_body
        self._heads.begin()
        self._read = AnswerProtocol._read_head
        self._answer = answer = self._loop.create_future()
        return answer

    def write(self, head: bytes) -> None:
        """Write a request: both asyncio and uvloop hand it to the kernel within this call.

        Raises:
            FetchError: ``reset``: there is no connection any more.
        """
        if self.transport is not None:
            self.transport.write(head)
        if self.transport is None or self.transport.is_closing():
            raise FetchError("reset", "the connection was closed before the request")

    def is_connected(self) -> bool:
        """Whether it can be written to."""
        return self.transport is not None and not self.transport.is_closing()

    def close(self) -> None:
        """End it. The server is told of the end of TLS, but not waited for: one that never answers would hold it."""
        self.should_close = True
        if (transport := self.transport) is not None:
            transport.close()
            transport.abort()

    def drop(self) -> None:
        """End it without a word. No answer comes any more."""
        self.should_close = True
        self._answer = None
        if self.transport is not None:
            self.transport.abort()

    abort = drop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        # uvloop's is no asyncio.Transport, but does all one does
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 -- asyncio's signature
        """Called by the loop."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the loop."""
        self.data_received(self._buffer[:nbytes])

    def data_received(self, data: Data) -> None:
        """Read what has come. Copies what is to be kept of it."""
        self._read(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self.transport = None
        self.should_close = True
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        self._closed = None
        if self._answer is None:
            return
        if exc is not None:
            self._fail(exc if isinstance(exc, ssl.SSLError) else ClientOSError(*exc.args))
        elif self._read is AnswerProtocol._read_head:
            self._fail(self._heads.unfinished())
        elif self._has_whole_body():
            self._finish(bytes(self._kept))
        else:
            self._fail(ClientPayloadError("the connection was closed within the body"))

    def _read_unasked(self, data: Data) -> None:  # noqa: ARG002 -- one of several
        """Its next message would be taken for the answer to the next request, so there will be none."""
        self.should_close = True
        if self.transport is not None:
            self.transport.pause_reading()

    def _read_head(self, data: Data) -> None:
        try:
            while data:
                message, data = self._heads.feed(data)
                if message is not None and not is_interim(message):
                    if self._check is not None:
                        self._check(message.code)
                    self._begin_body(message, data)
                    return
        except FetchError as error:
            self._fail(error)

    def _begin_body(self, message: RawResponseMessage, data: Data) -> None:
        """Find out where the body ends; `data` is what has come of it.

        Raises:
            FetchError: It is too large, or would stay encoded.
        """
        self._message = message
        if message.code in _REDIRECTS and hdrs.LOCATION in message.headers:
            self._is_spare = True  # browsers follow without reading on: whatever becomes of it, its head is an answer
            self._limit = min(self._limit, _SPARE_BYTES)
            if self._attempt is not None:
                self._attempt.failed = self._fail
        announced = message.headers.get(hdrs.CONTENT_LENGTH)
        if message.code in _NO_BODY or not self._wants_body:
            may_send_more = message.chunked or (announced or "0") != "0"
            self._finish(b"", ends_here=not data and not may_send_more)
            return
        if announced is not None:  # `fetch.message` has seen to it that it is a number, and stands alone
            self._missing = length_of(announced)
            if self._missing > self._limit and not self._is_cut:
                raise FetchError("too_large", f"{self._missing} bytes announced, at most {self._limit} wanted")
            self._read = AnswerProtocol._read_length
        else:
            is_chunked = names_chunked(message.headers.getall(hdrs.TRANSFER_ENCODING, ()))
            if is_chunked:
                self._chunks = Chunks()
            self._read = AnswerProtocol._read_chunks if is_chunked else AnswerProtocol._read_rest
        self._received = 0
        self._read(self, data)
        if self._answer is not None and self._attempt is not None:
            self._attempt.begin_body()

    def _read_length(self, data: Data) -> None:
        """Of a body whose length was announced."""
        missing = self._missing
        self._missing = left = missing - len(data)
        self._keep(data[:missing], is_last=left <= 0, ends_here=left == 0)

    def _read_chunks(self, data: Data) -> None:
        chunks = self._chunks
        try:
            part = chunks.feed(bytes(data))
        except FetchError as error:
            self._fail(error)
        else:
            self._keep(part, is_last=chunks.is_whole, ends_here=not chunks.has_more)

    def _read_rest(self, data: Data) -> None:
        """Of a body that ends with the connection."""
        self._keep(data, is_last=False)

    def _has_whole_body(self) -> bool:
        """Whether what has come of the body is all, given that the connection has ended."""
        if self._read is AnswerProtocol._read_chunks:
            return self._chunks.has_last
        return self._read is AnswerProtocol._read_rest or is_whole_gzip(self._message, self._kept)

    def _keep(self, part: Data, *, is_last: bool, ends_here: bool = True) -> None:
        """Add to the body, which may end the answer.

        Args:
            is_last: Whether nothing of the body is missing.
            ends_here: Whether nothing else has come after it.
        """
        self._received += len(part)
        if self._attempt is not None:
            self._attempt.received = self._received
        is_over = self._received > self._limit
        if is_over and not self._is_cut:
            self._fail(FetchError("too_large", f"more than {self._limit} bytes"))
        elif is_last or is_over:
            body = b"".join((self._kept, part)) if self._kept else bytes(part)
            self._finish(body[: self._limit], is_cut=is_over, ends_here=ends_here)
        else:
            self._kept += part

    def _finish(self, body: bytes, *, is_cut: bool = False, ends_here: bool = True) -> None:
        """Give the answer to whom it was expected by. `ends_here`: whether nothing follows it."""
        answer = self._answer
        self._read = AnswerProtocol._read_unasked
        self._answer = self._attempt = None  # an idle connection holds no body
        if self._kept:
            self._kept = bytearray()
        if is_cut:
            self.drop()
        elif self._message.should_close or not ends_here:
            self.should_close = True
        if answer is not None and not answer.done():
            answer.set_result((self._message, body, is_cut))

    def _fail(self, error: Exception) -> None:
        if self._is_spare:
            self._finish(bytes(self._kept), is_cut=True)
            return
        answer = self._answer
        self._read = AnswerProtocol._read_unasked
        self.drop()
        if answer is not None and not answer.done():
            answer.set_exception(error)
