"""How is a connection made? aiohttp's connector (pool, TLS, happy eyeballs), told as little as it needs to know.

Where to, `fetch.resolver` says: its addresses are tried in its order, the next as soon as one has failed or has kept
us waiting (RFC 8305).
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from aiohttp import ClientRequest, TCPConnector
from yarl import URL

from crawler.fetch.answer import AnswerProtocol

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ConnectionKey

    from crawler.fetch.resolver import Resolver

_KEEPALIVE_S = 15.0  # shorter than most servers', so that few connections are closed under a request
_NEXT_ADDRESS_S = 0.25  # RFC 8305 section 5: how long an address may take before the next is tried as well


class Destination(ClientRequest):
    """What the connector wants to know of a request: where to connect to. The same for all of an origin."""

    proxy = None
    proxy_auth = None
    proxy_headers = None

    def __init__(self, origin: str) -> None:
        self.url = URL(origin, encoded=True)
        self.server_hostname = None
        self._ssl = True  # verified, in the one SSLContext aiohttp makes when imported

    @cached_property
    def connection_key(self) -> ConnectionKey:
        """What must be the same of two requests that share connections."""
        return super().connection_key


class Connector(TCPConnector):
    """Makes connections that give every complete answer."""

    def __init__(self, resolver: Resolver) -> None:
        super().__init__(
            limit=0,
            resolver=resolver,
            use_dns_cache=False,  # the resolver has one, whose order of addresses this one would change
            happy_eyeballs_delay=_NEXT_ADDRESS_S,
            keepalive_timeout=_KEEPALIVE_S,
        )
        self._factory = partial(AnswerProtocol, loop=self._loop)  # type: ignore[assignment]  # partial is invariant
