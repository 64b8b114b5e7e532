"""Where is the dashboard served? From what ``--serve`` says to a socket that listens, before anything else is begun."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

LOOPBACK: Final = "127.0.0.1"

_EXPECTED: Final = "expected ADDRESS:PORT, such as 127.0.0.1:8600 or [::1]:8600, or a port alone"
_BACKLOG: Final = 64


class Address(NamedTuple):
    """What ``--serve`` asks for."""

    host: str  #: a name, or an IP address without brackets
    port: int  #: 0 for any that is free

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


class Bound(NamedTuple):
    """A socket that listens."""

    listener: socket.socket
    #: as it was given, with the port it came to
    address: Address
    #: the address it is bound to
    ip: str
    #: whether only this machine can reach it
    is_loopback: bool

    @property
    def urls(self) -> list[str]:
        """Where a browser finds it. All addresses are none: then it is by this machine's name, and on it by loopback,
        which is also how a container's port that is published there is reached."""
        hosts = [self.address.host]
        if ip_address(self.ip).is_unspecified:
            hosts = [socket.gethostname(), LOOPBACK if "." in self.ip else "::1"]
        return [f"http://{Address(host, self.port)}/" for host in hosts]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.address.port

    def names(self) -> AbstractSet[str]:
        """What its hosts may be called in a request, in lower case; of all addresses, any IP address as well."""
        names = {self.address.host.lower(), self.ip, "localhost", LOOPBACK, "::1"}
        if not self.is_loopback:
            names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        return names


def bracketed(host: str) -> str:
    """`host` as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def address_of(text: str) -> Address:
    """What ``8600``, ``:8600``, ``127.0.0.1:8600``, ``[::1]:8600`` or ``host:8600`` means; a port alone is of loopback.

    Raises:
        ConfigError: It means none.
    """
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        host, port = "", text.strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ConfigError(f"--serve {text}: an IPv6 address stands in brackets: {_EXPECTED}")
    if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise ConfigError(f"--serve {text}: {_EXPECTED}; a port is 0 (any that is free) to 65535")
    if "/" in host or host != host.strip():
        raise ConfigError(f"--serve {text}: {_EXPECTED}")
    return Address(host or LOOPBACK, int(port))


def listen(address: Address) -> Bound:
    """Begin to listen; the caller closes the socket.

    Raises:
        ConfigError: The name does not resolve, or the address cannot be had; it says what to do.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"--serve {address}: {address.host} does not resolve; {_EXPECTED}") from error
    family, _, _, _, place = found[0]
    try:
        listener = socket.create_server(place, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(f"--serve {address}: {_told(error, address)}") from error
    listener.settimeout(0)
    ip, port = listener.getsockname()[:2]
    return Bound(listener, Address(address.host, port), ip, ip_address(ip).is_loopback)


def _told(error: OSError, address: Address) -> str:
    """Why it cannot be had, and what to do."""
    free = Address(address.host, 0)
    if error.errno == errno.EADDRINUSE:
        return f"the port is in use, perhaps by another crawl's dashboard; --serve {free} takes any that is free"
    if error.errno == errno.EACCES:
        return f"ports under 1024 are the administrator's; --serve {free} takes any that is free"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"this machine has no address {address.host}; --serve {Address(LOOPBACK, address.port)} is for itself"
    return str(error.strerror)
