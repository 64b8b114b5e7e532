"""At which addresses is a host? `fetch.resolve` first, then what is known already, then the system's resolver.

All who need addresses ask here, the connector too, so that there is one cache and one order of addresses. Addresses
written as such in a URL need no looking up.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

from aiohttp.abc import AbstractResolver, ResolveResult

from crawler.clock import SystemClock
from crawler.config.hosts import address_problem, parse_address
from crawler.errors import ConfigError
from crawler.fetch.dns_cache import DnsCache
from crawler.fetch.lookups import LIMIT_S, Lookups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.clock import Clock
    from crawler.fetch.lookups import Lookup


class Target(NamedTuple):
    """Where a name leads."""

    address: str
    #: None: the port of the URL
    port: int | None


def parse_target(text: str) -> Target:
    """Read the right-hand side of ``fetch.resolve``: an address, or ``address:port``, or ``[v6]:port``.

    Raises:
        ConfigError: If it is none of them, in a configuration made in Python.
    """
    parsed = parse_address(text)
    if parsed is None:
        raise ConfigError(f"fetch.resolve: {text!r}: {address_problem(text)}")
    return Target(*parsed)


def system_lookup(name: str) -> list[str]:
    """Ask the system (hosts file, DNS, and whatever else it is set up to ask). Blocks.

    Raises:
        OSError: The name has no address, or nobody could say.
    """
    try:
        # AI_ADDRCONFIG: no IPv6 addresses on a machine without IPv6.
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except socket.gaierror as error:
        _refuse_to_blame_the_name(error)
        raise
    except UnicodeError as error:  # a label longer than 63 characters
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
    # A scope (fe80::1%eth0) stands in the fourth part of an IPv6 address; such addresses mean this link only.
    return [str(address[0]) for *_, address in found if len(address) == 2 or not address[3]]


def _refuse_to_blame_the_name(error: socket.gaierror) -> None:
    """Without a file to ask with, a system's resolver says of any name that it does not resolve.

    Raises:
        OSError: There is none.
    """
    try:
        socket.socket().close()
    except OSError as lacking:
        raise socket.gaierror(lacking.errno, lacking.strerror) from error


class Resolver(AbstractResolver):
    """Finds addresses. To be used from one event loop.

    Args:
        mapping: Patterns as in ``fetch.resolve``: a host name, or ``*.domain`` for every name below `domain`
            (not itself). The exact name wins, then the longest pattern.
        lookup: Asked for names that no pattern matches, in threads.
        clock: By which answers grow old.
        limit_s: After which a lookup is given up.

    Raises:
        ConfigError: If a pattern leads to something that is not an address.
    """

    def __init__(
        self,
        mapping: Mapping[str, str],
        lookup: Lookup = system_lookup,
        *,
        clock: Clock | None = None,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._exact: dict[str, Target] = {}
        self._below: dict[str, Target] = {}
        for pattern, text in mapping.items():
            name = pattern.lower().rstrip(".")
            if name.startswith("*."):
                self._below[name[2:]] = parse_target(text)
            else:
                self._exact[name] = parse_target(text)
        self._cache = DnsCache(clock or SystemClock())
        self._lookups = Lookups(lookup, self._cache.put, limit_s=limit_s)

    def mapped(self, host: str) -> Target | None:
        """Where ``fetch.resolve`` sends `host` (ASCII, lower case); None if it does not."""
        if host in self._exact:
            return self._exact[host]
        if self._below:
            domain = host
            while domain:
                domain = domain.partition(".")[2]
                if domain in self._below:
                    return self._below[domain]
        return None

    async def addresses(self, host: str) -> Sequence[str]:
        """All addresses of `host` (ASCII, lower case, without brackets), in the order in which they are tried.

        Raises:
            socket.gaierror: If there are none.
        """
        if (target := self.mapped(host)) is not None:
            return (target.address,)
        if parse_address(host) is not None:
            return (host,)
        answer = self._cache.get(host) or await self._lookups.ask(host)
        if not answer.addresses:
            raise socket.gaierror(answer.errno, answer.problem)
        return answer.addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The same for the connector, with the port to connect to.

        Raises:
            socket.gaierror: If there are none.
        """
        target = self.mapped(host)
        if target is not None and target.port is not None:
            port = target.port
        found = ((address, _family(address)) for address in await self.addresses(host))
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address, kind in found if family in (socket.AF_UNSPEC, kind)
        ]  # fmt: skip

    async def close(self) -> None:
        """Let the threads go; lookups not begun are dropped, others end by themselves."""
        self._lookups.close()


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
