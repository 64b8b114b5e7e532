"""What is an IP address for, if it is not one of the public internet?

By the IANA special-purpose address registries (RFC 6890), the registry of multicast addresses, and what of IPv6 is not
given out as global unicast at all (RFC 4291, section 2.4). An IPv6 address that only carries an IPv4 address is judged
by that one. Stricter than `ipaddress.is_global`, whose answers differ between versions of Python:

- multicast addresses, 192.88.99.0/24, the whole of 192.0.0.0/24 and, but for Teredo, of 2001::/23, and fec0::/10 are
  not public here, nor is an IPv6 address outside of 2000::/3;
- addresses that carry one are looked into: `ipaddress` does so for IPv4-mapped ones alone, since 3.13;
- 168.63.129.16 looks public, and is what Azure's machines ask about themselves.

What cannot be known: a NAT64 prefix of a network's own (RFC 6052), and machines of one's own at public addresses.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_IPV4: Final = {
    "168.63.129.16/32": "cloud metadata",  # of Azure; in no registry
    "169.254.169.254/32": "cloud metadata",  # of most others
    "0.0.0.0/32": "unspecified",  # RFC 1122 section 3.2.1.3; Linux connects to itself
    "0.0.0.0/8": "this network",  # RFC 791 section 3.2
    "10.0.0.0/8": "private",  # RFC 1918
    "100.64.0.0/10": "shared",  # RFC 6598; Alibaba's metadata too
    "127.0.0.0/8": "loopback",  # RFC 1122 section 3.2.1.3
    "169.254.0.0/16": "link-local",  # RFC 3927
    "172.16.0.0/12": "private",  # RFC 1918
    "192.0.0.0/24": "reserved",  # RFC 6890 section 2.1; Oracle's metadata too
    "192.0.2.0/24": "documentation",  # RFC 5737
    "192.88.99.0/24": "reserved",  # RFC 7526: was 6to4's
    "192.168.0.0/16": "private",  # RFC 1918
    "198.18.0.0/15": "benchmarking",  # RFC 2544
    "198.51.100.0/24": "documentation",  # RFC 5737
    "203.0.113.0/24": "documentation",  # RFC 5737
    "224.0.0.0/4": "multicast",  # RFC 5771
    "255.255.255.255/32": "broadcast",  # RFC 919 section 7
    "240.0.0.0/4": "reserved",  # RFC 1112 section 4
}
"""Network -> what it is for; the first that an address is in counts."""

_IPV6: Final = {
    "::/128": "unspecified",  # RFC 4291 section 2.5.2
    "::1/128": "loopback",  # RFC 4291 section 2.5.3
    "::/96": "IPv4-compatible",  # RFC 4291 section 2.5.5.1, deprecated
    "64:ff9b:1::/48": "local NAT64",  # RFC 8215: where in it an IPv4 address is, each network says for itself
    "100::/64": "discard-only",  # RFC 6666
    "2001:2::/48": "benchmarking",  # RFC 5180
    "2001::/23": "reserved",  # RFC 2928
    "2001:db8::/32": "documentation",  # RFC 3849
    "3fff::/20": "documentation",  # RFC 9637
    "fd00:ec2::254/128": "cloud metadata",  # of Amazon
    "fd20:ce::254/128": "cloud metadata",  # of Google
    "fc00::/7": "unique-local",  # RFC 4193
    "fe80::/10": "link-local",  # RFC 4291 section 2.5.6
    "fec0::/10": "site-local",  # RFC 3879, deprecated
    "ff00::/8": "multicast",  # RFC 4291 section 2.7
}
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # RFC 3587, and IANA's registry of IPv6 address space

_CARRIERS: Final = {
    "::ffff:0:0/96": ("IPv4-mapped", (0,)),  # RFC 4291 section 2.5.5.2
    "64:ff9b::/96": ("NAT64", (0,)),  # RFC 6052 section 2.1
    "2002::/16": ("6to4", (80,)),  # RFC 3056 section 2
    "2001::/32": ("Teredo", (64, -1)),  # RFC 4380 section 4: server, and client with every bit turned
}
"""Network -> its name, and where the IPv4 addresses are that it carries: bits from the right, -1 for turned ones."""

IpNetwork = IPv4Network | IPv6Network


def _ranges(table: Iterable[tuple[str, str]]) -> list[tuple[int, int, str]]:
    """First and last address of each network as numbers, and what it is for."""
    parsed = [(ip_network(text), purpose) for text, purpose in table]
    return [(int(network[0]), int(network[-1]), purpose) for network, purpose in parsed]


_IPV4_RANGES: Final = _ranges(_IPV4.items())
_IPV6_RANGES: Final = _ranges(_IPV6.items())
_CARRIER_RANGES: Final = [(IPv6Network(text), name, places) for text, (name, places) in _CARRIERS.items()]


@lru_cache(maxsize=4096)
def purpose(address: str) -> str | None:
    """What `address` is for: ``loopback``, ``private``, ``10.0.0.1 (private) by NAT64``; None if it is public.

    Args:
        address: In any spelling that `ipaddress` reads, with or without a zone. What is none is not public either.
    """
    parsed = parse(address)
    if parsed is None:
        return "no IP address"
    if isinstance(parsed, IPv4Address):
        return _named(_IPV4_RANGES, int(parsed))
    if carried := carried_by(parsed):
        name, inner = carried
        return next((f"{ip} ({told}) by {name}" for ip in inner if (told := _named(_IPV4_RANGES, int(ip)))), None)
    return _named(_IPV6_RANGES, int(parsed)) or (None if parsed in _GLOBAL_UNICAST else "reserved")


def parse(text: str) -> IPv4Address | IPv6Address | None:
    """`text` as an address; None if it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def carried_by(address: IPv6Address) -> tuple[str, tuple[IPv4Address, ...]] | None:
    """By which means an IPv6 address carries IPv4 ones, and which; None if it carries none."""
    for network, name, places in _CARRIER_RANGES:
        if address in network:
            bits = int(address)
            return name, tuple(IPv4Address((~bits if at < 0 else bits >> at) & 0xFFFF_FFFF) for at in places)
    return None


def is_in(address: str, networks: Iterable[IpNetwork]) -> bool:
    """Whether an address, or all that it carries, is in some of these networks."""
    parsed = parse(address)
    if parsed is None:
        return False
    networks = tuple(networks)
    if any(parsed in network for network in networks):
        return True
    carried = carried_by(parsed) if isinstance(parsed, IPv6Address) else None
    return carried is not None and all(any(inner in network for network in networks) for inner in carried[1])


def _named(ranges: list[tuple[int, int, str]], number: int) -> str | None:
    return next((purpose for first, last, purpose in ranges if first <= number <= last), None)
