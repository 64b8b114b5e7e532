"""How is a connection made? aiohttp's connector (TLS, happy eyeballs), told as little as it needs to know.

Where to, `fetch.resolver` says: its addresses are tried in its order, the next as soon as one has failed or has kept
us waiting (RFC 8305), but for those that `crawler.reach` refuses. The pool is `fetch.pool`: going through aiohttp's
costs as much as reading an answer. The connector knows a connection until that has ended, and waits for it when closed.
Of aiohttp's own way through proxies nothing is used: it would send what a whole request of its own has, and cannot tell
a proxy's failure from the server's.
"""

from __future__ import annotations

from functools import cached_property, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from aiohttp import ClientRequest, ClientTimeout, TCPConnector
from yarl import URL

from crawler.errors import FetchError
from crawler.fetch.answer import BUFFER_BYTES, AnswerProtocol
from crawler.fetch.proxy import Stage
from crawler.reasons import PRIVATE_ADDRESS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from aiohttp.abc import ResolveResult
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from crawler.fetch.proxy import Passage
    from crawler.fetch.resolver import Resolver
    from crawler.reach import Reach

_NO_TIMERS = ClientTimeout()  # every limit None
_FREED_BYTES = 4 * 1024 * 1024
"""glibc gives free memory at the end of the heap back to the system, and every page of a body then costs a page fault.
It keeps twice as much as the largest block that it once had from outside the heap and saw freed: see M_MMAP_THRESHOLD
in mallopt(3). Making and freeing one, untouched, costs nothing; elsewhere it does nothing."""
_NEXT_ADDRESS_S = 0.25  # RFC 8305 section 5: how long an address may take before the next is tried as well


class Destination(ClientRequest):
    """What the connector wants to know of a request: where to connect to.

    Args:
        origin: Scheme, host and port.
        passage: The way there, if it is not the direct one, which is the same for all of an origin.
        verify: Whether its certificate must be valid.
    """

    proxy = None
    proxy_auth = None
    proxy_headers = None

    def __init__(self, origin: str, passage: Passage | None = None, *, verify: bool = True) -> None:
        self.url = URL(origin, encoded=True)
        self.passage = passage
        #: which certificate is wanted, where it is not aiohttp that finds the name without its last dot
        self.server_hostname = (self.url.raw_host or "").rstrip(".") if passage is not None else None
        self._ssl = verify  # by one of the two SSLContexts aiohttp makes when imported; a part of the key

    @cached_property
    def connection_key(self) -> ConnectionKey:
        """What must be the same of two requests that share connections."""
        key = super().connection_key
        if self.passage is None:
            return key
        return key._replace(proxy=self.passage.proxy)  # type: ignore[arg-type]  # it is only compared


class Connector(TCPConnector):
    """Makes connections that give every complete answer.

    Args:
        resolver: Finds addresses.
        reach: Which of them may be connected to; None: all.
    """

    def __init__(self, resolver: Resolver, reach: Reach | None = None) -> None:
        super().__init__(
            limit=0,
            resolver=resolver,
            use_dns_cache=False,  # the resolver has one, whose order of addresses this one would change
            happy_eyeballs_delay=_NEXT_ADDRESS_S,
        )
        self._reach = reach
        bytes(_FREED_BYTES)
        buffer = memoryview(bytearray(BUFFER_BYTES))
        self._factory = partial(AnswerProtocol, self._loop, buffer)  # type: ignore[assignment, arg-type]  # it does

    async def open(self, destination: Destination) -> AnswerProtocol:
        """A new connection. Whoever asks for it closes it."""
        connection = await self.connect(destination, [], _NO_TIMERS)
        protocol = cast("AnswerProtocol", connection.protocol)
        if (closed := protocol.closed) is None:
            connection.close()
        else:
            closed.add_done_callback(partial(_forget, connection))
        return protocol

    async def _resolve_host(self, host: str, port: int, traces: Sequence[Trace] | None = None) -> list[ResolveResult]:
        """Where to connect to, called for addresses written as such too, which the resolver never sees.

        Raises:
            FetchError: ``private_address``: no address of the host may be connected to.
        """
        found = await super()._resolve_host(host, port, traces)
        if self._reach is None:
            return found
        name = host.rstrip(".")
        refusals = [self._reach.refusal(name, each["host"]) for each in found]
        allowed = [each for each, refusal in zip(found, refusals, strict=True) if refusal is None]
        if found and not allowed:
            raise not_reached(found[0]["host"], refusals[0])
        return allowed

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 -- aiohttp's name
    ) -> ResponseHandler:
        """Called by `connect` where no connection is idle."""
        assert isinstance(req, Destination)  # noqa: S101 -- nobody else asks for connections
        passage = req.passage
        if passage is None:
            return await super()._create_connection(req, traces, timeout)
        proxy = Destination(passage.proxy.origin)
        transport, protocol = await self._create_direct_connection(proxy, traces, timeout)
        if not passage.tunnel:
            return protocol
        try:
            await _open_tunnel(cast("AnswerProtocol", protocol), req, passage)
        except BaseException:
            transport.abort()
            raise
        _, tunnelled = await self._start_tls_connection(transport, req, timeout)
        return tunnelled


def not_reached(address: str, refusal: str | None) -> FetchError:
    """The failure to connect to an address that may not be connected to."""
    return FetchError(PRIVATE_ADDRESS, f"{address}: {refusal}")


async def _open_tunnel(protocol: AnswerProtocol, destination: Destination, passage: Passage) -> None:
    """Have the proxy at the other end of `protocol` connect to the destination (RFC 9110 section 9.3.6).

    Raises:
        FetchError: ``proxy``: it does not.
    """
    passage.stage = Stage.ASKING
    host = f"{destination.url.host_subcomponent}:{destination.url.port}"
    answer = protocol.expect(wants_body=False)
    head = f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{passage.proxy.authorization}\r\n"
    protocol.write(head.encode("ascii"))
    message, _, _ = await answer
    if message.code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        passage.stage = Stage.REACHING
    if not 200 <= message.code < 300:
        raise FetchError("proxy", f"CONNECT {host} was answered with status {message.code}")
    passage.stage = Stage.THROUGH


def _forget(connection: Connection, _: asyncio.Future[None]) -> None:
    """Have the connector know no longer of a connection that has ended."""
    connection.close()
