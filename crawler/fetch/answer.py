"""What did the server answer? aiohttp's end of a connection, made to give every complete answer.

aiohttp's parser raises for bytes that follow an answer, and with that loses the answer if both came together: a
204 with a body, or a body longer than announced. Browsers show such answers, so they are read again here, alone.
Bodies are left to the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import ClientOSError, hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from crawler.errors import FetchError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from aiohttp import StreamReader
    from aiohttp.http import RawResponseMessage

    Answer = tuple[RawResponseMessage, StreamReader]

_MAX_HEADER_BYTES = 64 * 1024  # of one header line
_MAX_HEADERS = 256
_BUFFER_BYTES = 256 * 1024  # of a body, before the connection is read no further until the body is
_END_OF_HEAD = b"\r\n\r\n"
# "identity" is no coding of RFC 9112 any more, but older servers name it, and it changes nothing.
_CODINGS_UNDONE = frozenset(("", "chunked", "identity"))


class AnswerProtocol(ResponseHandler):
    """A connection, for as many requests as it lasts: `expect`, write one, then await its `answer`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        #: what has come since `expect` and made no answer yet; None once there is one
        self._heard: list[bytes] | None = None

    def expect(self) -> None:
        """Be ready for one answer."""
        self._renew_parser(_BUFFER_BYTES)
        self._heard = []

    def data_received(self, data: bytes) -> None:
        """Called by the transport."""
        ResponseHandler.data_received(self, data)
        if self._heard is not None:
            if self._buffer:
                self._heard = (
                    None  # at once: holding every answer's bytes until its task runs would double their memory
                )
            else:
                self._heard.append(data)

    async def answer(self) -> Answer:
        """The final answer, its body still to be read; interim ones (RFC 9110 section 15.2) are passed over.

        Raises:
            FetchError: ``protocol``, for a status that nobody asked for.
            ClientError, HttpProcessingError: aiohttp's own.
        """
        while True:
            try:
                message, payload = await self.read()
            except HttpProcessingError:
                complete = self._complete_answer(b"".join(self._heard or ()))
                if complete is None:
                    raise
                message, payload = complete
            if message.code >= 200:
                return message, payload
            if message.code < 100 or message.code == 101:  # nothing else was offered
                raise FetchError("protocol", f"status {message.code}")
            self._heard = []

    def raise_if_broken(self) -> None:
        """Raise what broke the connection, if it did not end in order."""
        lost = self.exception()
        if isinstance(lost, ClientOSError):
            raise lost

    def drop(self) -> None:
        """Close at once, never to be used again: the end of TLS would wait for a peer that may not answer."""
        self.force_close()
        self.abort()

    def _complete_answer(self, heard: bytes) -> Answer | None:
        """The final answer in `heard`, whatever follows it; None if there is no whole one."""
        self._renew_parser(4 * len(heard))  # never so full that it would pause, however small the chunks
        parser = self._parser
        assert parser is not None  # noqa: S101 -- just made
        answers: Sequence[Answer] = ()
        try:
            while not answers or answers[-1][0].code < 200:
                head, end, heard = heard.partition(_END_OF_HEAD)
                if not end:
                    return None
                answers = parser.feed_data(head + end)[0]
            parser.feed_data(heard)
        except HttpProcessingError:
            pass  # what follows is no HTTP, or the head is none
        return answers[-1] if answers and answers[-1][1].is_eof() else None

    def _renew_parser(self, buffer_bytes: int) -> None:
        self.set_response_params(
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=buffer_bytes,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            max_headers=_MAX_HEADERS,
        )


def may_send_more(message: RawResponseMessage) -> bool:
    """Whether an answer that has no body by its status announces one, which may come all the same."""
    return message.chunked or message.headers.get(hdrs.CONTENT_LENGTH, "0") != "0"


def status_line(message: RawResponseMessage) -> bytes:
    """The first line, as received but for its spaces."""
    version = message.version
    return f"HTTP/{version.major}.{version.minor} {message.code} {message.reason}".encode("utf-8", "surrogateescape")


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
    if hdrs.TRANSFER_ENCODING not in message.headers:
        return
    for coding in ",".join(message.headers.getall(hdrs.TRANSFER_ENCODING)).split(","):
        if coding.strip().lower() not in _CODINGS_UNDONE:
            raise FetchError("protocol", f"transfer coding {coding.strip().lower()!r}, expected chunked")
