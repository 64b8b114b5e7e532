"""How is one resource got over HTTP? One GET, one answer or one mapped error, over aiohttp's connections.

Of aiohttp this uses two parts: the connector (pool, TLS, happy eyeballs) and the response parser.
`ClientSession` is left out on purpose: it resends a GET by itself when a kept-alive connection drops, rewrites
URLs (an empty query), and costs nearly as much CPU as all the rest. So every attempt is one head
written, byte for byte the URL asked for, and one message read.

Time limits are `fetch.deadlines`', addresses `fetch.resolver`'s; bodies stay as they came, their content coding
is undone in the parser pool.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import (
    ClientError,
    ClientPayloadError,
    ClientTimeout,
    hdrs,
)
from aiohttp.http_exceptions import HttpProcessingError

from crawler.errors import FetchError
from crawler.fetch.answer import AnswerProtocol, check_codings, may_send_more, set_cookies, status_line
from crawler.fetch.connector import Connector, Destination
from crawler.fetch.cookies import Cookies
from crawler.fetch.deadlines import Deadlines
from crawler.fetch.errors import fetch_error
from crawler.fetch.head import request_head, shown_lines, split
from crawler.fetch.identity import Identity, origin_of
from crawler.fetch.proxies import Proxies
from crawler.fetch.proxy import Stage
from crawler.fetch.resolver import Resolver
from crawler.models import Kind, Response

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Sequence

    from aiohttp import StreamReader
    from aiohttp.connector import Connection
    from aiohttp.http_parser import RawResponseMessage

    from crawler.clock import Clock
    from crawler.config import FetchConfig
    from crawler.fetch.deadlines import Attempt
    from crawler.fetch.proxy import Passage
    from crawler.models import HostKey, Request

_FAILURES = (FetchError, ClientError, HttpProcessingError, OSError, TimeoutError, ValueError)
_NO_TIMERS = ClientTimeout()  # every limit None

_ROBOTS_BYTES = 512 * 1024  # RFC 9309 section 2.5: at least 500 KiB are to be read
_DESTINATIONS_KEPT = 1024  # at least
_HEADS_KEPT = 256
_PERHAPS_THE_PROXYS = frozenset((502, 503, 504))  # of a proxy that does not reach the server, or of the server
_NO_BODY = frozenset((204, 304))  # RFC 9112 section 6.3; the head of any other says so


class HttpFetcher:
    """Fetches over HTTP/1.1, with and without TLS. Create it inside the running loop that will use it.

    Args:
        config: Limits, identity, mapped names, proxies, all secrets `revealed` by `crawler.config.secrets`.
        clock: Times of requests, and the time limits.
        concurrency: Fetches at once at most; twice as many connections are kept open idle.
        cookies: The jars of `config`, in place of new ones.
        resolver: In place of one made from ``config.resolve``; closed by `aclose` all the same.
        deadlines: In place of one made from `config`.
        hidden: `crawler.config.secrets.referring_headers` of `config` before its secrets were revealed.

    Raises:
        ConfigError: For a header that cannot be sent, a mapped address that is none, or a proxy that is none.
    """

    def __init__(
        self,
        config: FetchConfig,
        clock: Clock,
        *,
        concurrency: int,
        cookies: Cookies | None = None,
        resolver: Resolver | None = None,
        deadlines: Deadlines | None = None,
        hidden: Collection[str] = (),
    ) -> None:
        self._clock = clock
        self._max_body_bytes = int(config.max_body_bytes)
        self._identity = Identity(config, cookies or Cookies(config, clock))
        self._proxies = Proxies(config, clock)
        self._deadlines = deadlines or Deadlines(config, clock)
        limit_s = min(float(config.connect_timeout_s), float(config.timeout_s))
        self._resolver = resolver or Resolver(config.resolve, clock=clock, limit_s=limit_s)
        self._connector = Connector(self._resolver)
        self._max_idle = 2 * concurrency
        self._shown = lru_cache(_HEADS_KEPT)(partial(shown_lines, hidden=frozenset(hidden)))
        self._destination = lru_cache(max(_DESTINATIONS_KEPT, self._max_idle))(Destination)
        #: connections not in use, longest idle first, with the address each leads to
        self._idle: OrderedDict[AnswerProtocol, str | None] = OrderedDict()
        #: bodies being read
        self._reading: dict[AnswerProtocol, StreamReader] = {}

    async def fetch(self, request: Request, started: Callable[[], None]) -> Response:
        """See `base.Fetcher.fetch`."""
        attempt = self._deadlines.attempt()
        passage = self._proxies.passage(request.url)
        try:
            with attempt:
                response = await self._exchange(request, started, attempt, passage)
        except _FAILURES as error:
            failure = fetch_error(error, reused=attempt.reused)
            raise failure if passage is None else self._proxies.failed(passage, failure) from error
        if passage is not None and response.status not in _PERHAPS_THE_PROXYS:
            self._proxies.worked(passage)
        return response

    async def locate(self, host_key: HostKey) -> Sequence[str]:
        """See `base.Fetcher.locate`."""
        if self._proxies.serve(host_key):
            return ()
        name = urlsplit(f"//{host_key}").hostname or ""
        try:
            return await self._resolver.addresses(name)
        except OSError as error:
            raise fetch_error(error) from error

    async def aclose(self) -> None:
        """Close all connections, the sweep and the resolver. No fetch may be under way."""
        self._deadlines.close()
        self._idle.clear()
        await self._connector.close()
        await self._resolver.close()

    async def _exchange(
        self, request: Request, started: Callable[[], None], attempt: Attempt, passage: Passage | None
    ) -> Response:
        """Write one request on one connection and read its answer; the connection is then pooled or dropped."""
        url = request.url
        origin, host, target = split(url)
        told = self._identity.told(request, host)
        lines = told.lines_for(url)
        if passage is not None:
            target, lines = passage.asked(url, target, lines)
        head = request_head(host, target, lines)
        make = self._destination if passage is None else Destination
        destination = make(origin, passage, verify=told.verify)
        connection = await self._connect(destination, anew=request.attempt > 1)
        protocol = connection.protocol
        assert isinstance(protocol, AnswerProtocol)  # noqa: S101 -- true of every connection just handed out
        try:
            address = self._take(protocol, attempt, passage)
            self._write(protocol, head, attempt, started)
            message, payload = await protocol.answer()
            if passage is not None:
                passage.check(message.code)
            body, is_cut = await self._body(request.kind, message, payload, protocol, attempt)
        except BaseException:
            protocol.drop()
            connection.close()
            raise
        self._give_back(connection, protocol, address)
        if told.jar is not None and (cookies := set_cookies(message)):
            told.jar.hear(cookies, origin_of(url))
        return Response(
            url=url, status=message.code, headers=message.raw_headers, body=body, address=address,
            fetched_at=attempt.asked_wall, elapsed_s=self._clock.monotonic() - attempt.asked_at,
            status_line=status_line(message), is_cut=is_cut,
            request_head=request_head(host, target, self._shown(lines)),
        )  # fmt: skip

    async def _connect(self, destination: Destination, *, anew: bool) -> Connection:
        """A connection to `destination`: one that is idle, or, if there is none or it must be `anew`, a new one.

        The idle ones are closed on the way to a new one: where one has dropped a request, others may do so too, and
        could use up all tries.
        """
        connection = await self._connector.connect(destination, [], _NO_TIMERS)
        while anew and connection.protocol in self._idle:
            connection.close()
            connection = await self._connector.connect(destination, [], _NO_TIMERS)
        if destination.passage is not None:
            destination.passage.stage = Stage.THROUGH
        return connection

    def _take(self, protocol: AnswerProtocol, attempt: Attempt, passage: Passage | None) -> str | None:
        """The address `protocol` leads to, which is idle no longer; None if it leads to a proxy.

        A connection on which something came that nobody asked for is not used: its next message would be taken
        for the answer.
        """
        attempt.reused = protocol in self._idle
        if attempt.reused:
            address = self._idle.pop(protocol)
        else:
            address = _peer(protocol) if passage is None else None
            if (closed := protocol.closed) is not None:
                closed.add_done_callback(partial(self._closed, protocol))
        if protocol.should_close:
            raise FetchError("reset" if attempt.reused else "protocol", "the server spoke before it was asked")
        return address

    def _closed(self, protocol: AnswerProtocol, closed: asyncio.Future[None]) -> None:
        """Forget a connection that is no more, and wake who still reads from it.

        aiohttp wakes the reader of a body when the connection ends, but not when it closes it for a body that breaks
        the rules of HTTP (a bad chunk size).
        """
        if not closed.cancelled():
            closed.exception()  # looked at, or asyncio would report it as lost
        self._idle.pop(protocol, None)
        payload = self._reading.pop(protocol, None)
        lost = protocol.exception()
        if payload is not None and lost is not None and payload.exception() is None and not payload.is_eof():
            payload.set_exception(lost)

    def _give_back(self, connection: Connection, protocol: AnswerProtocol, address: str | None) -> None:
        """Return the connection to the pool, where the longest idle one makes room."""
        connection.release()
        if protocol.is_connected():
            self._idle[protocol] = address
            if len(self._idle) > self._max_idle:
                self._idle.popitem(last=False)[0].close()

    def _write(self, protocol: AnswerProtocol, head: bytes, attempt: Attempt, started: Callable[[], None]) -> None:
        """Write the head, then say so: both asyncio and uvloop hand it to the kernel within `write`."""
        protocol.expect()
        transport = protocol.transport
        if transport is not None:
            transport.write(head)
        if transport is None or transport.is_closing():
            raise FetchError("reset", "the connection was closed before the request")
        self._deadlines.asked(attempt)
        started()

    async def _body(
        self, kind: Kind, message: RawResponseMessage, payload: StreamReader, protocol: AnswerProtocol, attempt: Attempt
    ) -> tuple[bytes, bool]:
        """Read the body to its end, or to the first byte too many, where pages fail and all else is cut: the body, and
        whether it was."""
        if message.code in _NO_BODY:
            if may_send_more(message):
                protocol.drop()
            return b"", False
        check_codings(message)
        cut = kind is not Kind.PAGE
        limit = _ROBOTS_BYTES if kind is Kind.ROBOTS else self._max_body_bytes
        announced = message.headers.get(hdrs.CONTENT_LENGTH)
        if not cut and announced is not None and int(announced) > limit and not payload.at_eof():
            raise FetchError("too_large", f"{announced} bytes announced, at most {limit} wanted")
        attempt.next_window(self._clock.monotonic())
        self._reading[protocol] = payload
        parts = []
        try:
            while not payload.at_eof():
                part = await payload.readany()
                attempt.received += len(part)
                parts.append(part)
                if attempt.received > limit:
                    if not cut:
                        raise FetchError("too_large", f"more than {limit} bytes")
                    protocol.drop()
                    return b"".join(parts)[:limit], True
        except ClientPayloadError:
            protocol.raise_if_broken()
            raise
        finally:
            self._reading.pop(protocol, None)
        if announced is None and not message.chunked:
            protocol.raise_if_broken()  # such a body ends with the connection, and looks whole however that ended
        return (parts[0] if len(parts) == 1 else b"".join(parts)), False


def _peer(protocol: AnswerProtocol) -> str | None:
    peer = protocol.transport.get_extra_info("peername") if protocol.transport is not None else None
    return str(peer[0]) if peer else None
