"""At which addresses is a host? `fetch.resolve` first, then the system's resolver in threads of its own.

Own threads, because a name that does not resolve may hold one for seconds: the event loop's default pool is for
the disk. Caching answers is left to the connector. Addresses written as such in a URL never come here.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from aiohttp.abc import AbstractResolver, ResolveResult

from crawler.config.hosts import address_problem, parse_address
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    #: host, port, family -> (address, family) pairs; raises OSError. Runs in a thread.
    Lookup = Callable[[str, int, int], Sequence[tuple[str, int]]]

_THREADS = 16


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


def system_lookup(host: str, port: int, family: int) -> list[tuple[str, int]]:
    """Ask the system (hosts file, DNS, and whatever else it is set up to ask). Blocks."""
    try:
        # AI_ADDRCONFIG: no IPv6 addresses on a machine without IPv6.
        found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError as error:  # a label longer than 63 characters
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
    # A scope (fe80::1%eth0) stands in the fourth part of an IPv6 address; such addresses mean this link only.
    return [(str(address[0]), kind) for kind, _, _, _, address in found if len(address) == 2 or not address[3]]


class Resolver(AbstractResolver):
    """Finds addresses for the connector.

    Args:
        mapping: Patterns as in ``fetch.resolve``: a host name, or ``*.domain`` for every name below `domain`
            (not itself). The exact name wins, then the longest pattern.
        lookup: Asked for names that no pattern matches.

    Raises:
        ConfigError: If a pattern leads to something that is not an address.
    """

    def __init__(self, mapping: Mapping[str, str], lookup: Lookup = system_lookup) -> None:
        self._exact: dict[str, Target] = {}
        self._below: dict[str, Target] = {}
        for pattern, text in mapping.items():
            name = pattern.lower().rstrip(".")
            if name.startswith("*."):
                self._below[name[2:]] = parse_target(text)
            else:
                self._exact[name] = parse_target(text)
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolver")

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

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of `host`, with the port to connect to.

        Raises:
            OSError: If there are none.
        """
        target = self.mapped(host)
        if target is not None:
            kind = socket.AF_INET6 if ":" in target.address else socket.AF_INET
            found: Sequence[tuple[str, int]] = [(target.address, kind)]
            port = target.port or port
        else:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._threads, self._lookup, host, port, family)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, f"no address for {host}")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address, kind in found
        ]  # fmt: skip

    async def close(self) -> None:
        """Let the threads go; lookups not begun are dropped, others end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
