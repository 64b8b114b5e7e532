"""How is a connection made? aiohttp's connector (pool, TLS, happy eyeballs), told as little as it needs to know."""

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
_NAME_TTL_S = 300
_NAMES_CACHED = 4096


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
            ttl_dns_cache=_NAME_TTL_S,
            dns_cache_max_size=_NAMES_CACHED,
            keepalive_timeout=_KEEPALIVE_S,
        )
        self._factory = partial(AnswerProtocol, loop=self._loop)  # type: ignore[assignment]  # partial is invariant
