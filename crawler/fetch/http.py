"""How is one resource got over HTTP? One GET, one answer or one mapped error, over connections that aiohttp makes.

Of aiohttp this uses two parts: the connector (TLS, happy eyeballs) and the response parser. `ClientSession` is left
out on purpose: it resends a GET by itself when a kept-alive connection drops, rewrites URLs (an empty query), and costs
several times as much CPU as all of this. So every attempt is one head written, byte for byte the URL asked for, and one
message read.

Reading is `fetch.answer`'s, idle connections are `fetch.pool`'s, time limits `fetch.deadlines`', addresses
`fetch.resolver`'s; bodies stay as they came, their content coding is undone in the parser pool.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError

from crawler.errors import FetchError, WithheldError
from crawler.fetch.connector import Connector, Destination, not_reached
from crawler.fetch.cookies import Cookies
from crawler.fetch.deadlines import Deadlines
from crawler.fetch.errors import fetch_error
from crawler.fetch.head import is_conditional, request_head, shown_lines, split
from crawler.fetch.identity import Identity, origin_of
from crawler.fetch.message import set_cookies, status_line
from crawler.fetch.pool import Pool
from crawler.fetch.proxies import Proxies
from crawler.fetch.proxy import Stage
from crawler.fetch.resolver import Resolver
from crawler.known import condition_lines
from crawler.models import Kind, Response
from crawler.reasons import PRIVATE_ADDRESS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Sequence

    from crawler.clock import Clock
    from crawler.config import FetchConfig
    from crawler.fetch.answer import Answer, AnswerProtocol
    from crawler.fetch.deadlines import Attempt
    from crawler.fetch.pool import Way
    from crawler.fetch.proxy import Passage
    from crawler.models import HostKey, Request
    from crawler.reach import Reach

_FAILURES = (FetchError, ClientError, HttpProcessingError, OSError, TimeoutError, ValueError)

_ROBOTS_BYTES = 512 * 1024  # RFC 9309 section 2.5: at least 500 KiB are to be read
_HEADS_KEPT = 256
_PERHAPS_THE_PROXYS = frozenset((502, 503, 504))  # of a proxy that does not reach the server, or of the server


class HttpFetcher:
    """Fetches over HTTP/1.1, with and without TLS. Create it inside the running loop that will use it.

    Args:
        config: Limits, identity, mapped names, proxies, all secrets `revealed` by `crawler.config.secrets`.
        clock: Times of requests, and the time limits.
        concurrency: Fetches at once at most, unless `widen` says more; twice as many connections are kept open idle.
        cookies: The jars of `config`, in place of new ones.
        resolver: In place of one made from ``config.resolve``; closed by `aclose` all the same.
        deadlines: In place of one made from `config`.
        reach: Which addresses may be connected to by a request that is not `Request.inside`; None: all.
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
        reach: Reach | None = None,
        hidden: Collection[str] = (),
    ) -> None:
        self._clock = clock
        self._max_body_bytes = int(config.max_body_bytes)
        self._identity = Identity(config, cookies or Cookies(config, clock), hidden)
        self._proxies = Proxies(config, clock)
        self._deadlines = deadlines or Deadlines(config, clock)
        limit_s = min(float(config.connect_timeout_s), float(config.timeout_s))
        self._resolver = resolver or Resolver(config.resolve, clock=clock, limit_s=limit_s)
        self._reach = reach
        self._may_send: Callable[[Request], bool] | None = None
        self._connector = Connector(self._resolver)  # to proxies too, which are the configuration's word
        self._guarded = self._connector if reach is None else Connector(self._resolver, reach)
        #: connections not in use
        self._idle = Pool(clock, 2 * concurrency)
        self._shown = lru_cache(_HEADS_KEPT)(partial(shown_lines, hidden=frozenset(hidden)))

    async def fetch(self, request: Request, started: Callable[[], None]) -> Response:
        """See `base.Fetcher.fetch`."""
        passage = self._proxies.passage(request.url)
        if passage is not None and not request.inside:
            self._check_name(request.host_key)
        attempt = self._deadlines.begin()
        try:
            response = await self._exchange(request, started, attempt, passage)
        except _FAILURES as error:
            failure = fetch_error(error, reused=attempt.reused)
            raise failure if passage is None else self._proxies.failed(passage, failure) from error
        finally:
            self._deadlines.discard(attempt)
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

    def ask_before_sending(self, may_send: Callable[[Request], bool]) -> None:
        """From now on ask this right before a request's head is written. After a no, `fetch` raises `WithheldError`:
        nothing was sent, and the connection is kept for the next request."""
        self._may_send = may_send

    def widen(self, concurrency: int) -> None:
        """There are to be more fetches at once than ever before."""
        self._idle.most = max(self._idle.most, 2 * concurrency)

    async def aclose(self) -> None:
        """Close all connections, the sweep and the resolver. No fetch may be under way."""
        self._deadlines.close()
        self._idle.close()
        for connector in (self._connector, self._guarded):
            await connector.close()
        await self._resolver.close()

    async def _exchange(
        self, request: Request, started: Callable[[], None], attempt: Attempt, passage: Passage | None
    ) -> Response:
        """Write one request on one connection and read its answer; the connection is then kept or closed."""
        url = request.url
        origin, host, target = split(url)
        told = self._identity.told(request, host)
        lines = told.lines_for(url)
        if passage is not None:
            target, lines = passage.asked(url, target, lines)
        since = "" if request.known is None or is_conditional(lines) else condition_lines(request.known)
        head = request_head(host, target, since + lines)
        way = (origin, told.verify, None if passage is None else passage.proxy, request.inside)
        protocol = await self._connection(way, attempt, passage, anew=request.attempt > 1)
        if self._may_send is not None and not self._may_send(request):
            self._keep(way, protocol)
            raise WithheldError(url)
        try:
            answer = self._ask(protocol, head, request.kind, attempt, passage)
            started()
            message, body, is_cut = await answer
        except BaseException:
            protocol.drop()
            raise
        self._keep(way, protocol)
        if told.jar is not None and (cookies := set_cookies(message)):
            told.jar.hear(cookies, origin_of(url))
        shown = self._shown(lines)
        return Response(
            url=url, status=message.code, headers=message.raw_headers, body=body, address=protocol.address,
            fetched_at=attempt.asked_wall, elapsed_s=self._clock.monotonic() - attempt.asked_at,
            status_line=status_line(message.version, message.code, message.reason), is_cut=is_cut,
            request_head=head if shown == lines else request_head(host, target, since + shown),
        )  # fmt: skip

    async def _connection(self, way: Way, attempt: Attempt, passage: Passage | None, *, anew: bool) -> AnswerProtocol:
        """A connection that leads there: one that is idle, or, if there is none or it must be `anew`, a new one.

        The idle ones are closed on the way to a new one: where one has dropped a request, others may do so too, and
        could use up all tries.
        """
        if anew:
            self._idle.close_those(way)
        protocol = self._idle.take(way)
        if protocol is not None:
            attempt.reused = True
        else:
            origin, verify, _, inside = way
            connector = self._connector if inside or passage is not None else self._guarded
            with attempt:
                protocol = await connector.open(Destination(origin, passage, verify=verify))
            attempt.reused = False
            if passage is None:
                protocol.address = _peer(protocol)
                if not inside:
                    self._check_peer(origin, protocol)
            if (closed := protocol.closed) is not None:
                closed.add_done_callback(partial(self._forget, protocol))
        if passage is not None:
            passage.stage = Stage.THROUGH
        return protocol

    def _keep(self, way: Way, protocol: AnswerProtocol) -> None:
        """Have a connection that nobody uses now ready for the next request, if it can carry one."""
        if protocol.should_close:
            protocol.close()
        else:
            self._idle.put(way, protocol)

    def _check_name(self, host_key: HostKey) -> None:
        """Refuse to have a proxy connect to an address; where a name leads, the proxy alone knows."""
        if self._reach is not None and self._reach.shuts_out(host_key, ()):
            raise FetchError(PRIVATE_ADDRESS, f"{host_key} through a proxy")

    def _check_peer(self, origin: str, protocol: AnswerProtocol) -> None:
        """Look again at where a new connection leads: the last word is the socket's."""
        address = protocol.address
        if self._reach is None or address is None:
            return
        if refusal := self._reach.refusal(urlsplit(origin).hostname or "", address):
            protocol.drop()
            raise not_reached(address, refusal)

    def _forget(self, protocol: AnswerProtocol, _: asyncio.Future[None]) -> None:
        self._idle.forget(protocol)

    def _ask(
        self, protocol: AnswerProtocol, head: bytes, kind: Kind, attempt: Attempt, passage: Passage | None
    ) -> asyncio.Future[Answer]:
        """Write the head; the answer is still to come.

        A connection on which something came before anybody asked is not used: its next message would be taken for the
        answer.
        """
        if protocol.should_close and protocol.transport is not None:
            raise FetchError("protocol", "the server spoke before it was asked")
        answer = protocol.expect(
            attempt,
            _ROBOTS_BYTES if kind is Kind.ROBOTS else self._max_body_bytes,
            cut=kind is not Kind.PAGE,
            check=None if passage is None else passage.check,
        )
        protocol.write(head)
        self._deadlines.asked(attempt, answer)
        return answer


def _peer(protocol: AnswerProtocol) -> str | None:
    peer = protocol.transport.get_extra_info("peername") if protocol.transport is not None else None
    return str(peer[0]) if peer else None
