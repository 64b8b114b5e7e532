"""Which host patterns and addresses may a configuration name, and which patterns cover a host?

A host pattern is ``example.org``, ``*.example.org``, an IPv4 address or a bracketed IPv6 address, each with or without
``:port``. It is compared with names taken from canonical URLs, so it must be spelt as they are: lower case, ASCII
(``xn--``), no trailing dot, IPv6 compressed (RFC 5952), no port 80 or 443. Other spellings are refused, with the right
one: a limit that silently matches nothing would be worse.

``*.`` and a domain covers every name below the domain, at any depth, but not the domain itself, as in TLS certificates
and cookies. A pattern without a port covers every port, and http as well as https. Of those that cover a host the most
specific comes first:

1. a host name or address with a port: ``example.org:8080``, ``[::1]:8080``
2. a host name or address, on any port: ``example.org``, ``192.0.2.1``, ``[::1]``
3. ``*.`` and a domain, the longer the more specific, one with a port before the same without
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATTERN: Final = re.compile(r"(\*\.)?(\[[^\[\]]*\]|[^:\[\]]*)(?::([1-9][0-9]{0,4}))?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NETWORK: Final = re.compile(r"[0-9a-fA-F.:]+/[0-9]+")
_DEFAULT_PORTS: Final = ("80", "443")

SaidT = TypeVar("SaidT")


def matching(patterns: Mapping[str, SaidT], host_key: str) -> Iterator[tuple[str, SaidT]]:
    """The patterns that cover a host, most specific first, each with what it says.

    Two dictionary look-ups for each label of the name, however many patterns there are.
    """
    for spelt in _spellings(host_key):
        if spelt in patterns:
            yield spelt, patterns[spelt]


def split_port(host_key: str) -> tuple[str, str]:
    """Name and ``:port``, which may be empty; the colons of ``[::1]`` are not a port's."""
    name, colon, port = host_key.rpartition(":")
    return (name, colon + port) if colon and not port.endswith("]") else (host_key, "")


def host_problem(text: str) -> str | None:
    """What was expected instead of `text` as a host pattern; None if it is one."""
    if _is_pattern(text):
        return None
    expected = "a host such as example.org, *.example.org, 192.0.2.1 or [::1], with or without :port"
    return f"expected {_spelling(text) or expected}{_hint(text)}"


def name_problem(text: str) -> str | None:
    """What was expected instead of `text` as a host name or ``*.domain``; None if it is one."""
    if _is_pattern(text) and not text.startswith("[") and ":" not in text and not _ends_in_number(text):
        return None
    expected = "a host name such as example.org or *.example.org, without a port"
    return f"expected {_spelling(text) or expected}{_hint(text)}"


def address_problem(text: str) -> str | None:
    """What was expected instead of `text` as an IP address with or without a port; None if it is one."""
    if parse_address(text) is None:
        return "expected an IP address such as 127.0.0.1, 127.0.0.1:8080, ::1 or [::1]:8080"
    return None


def network_problem(text: str) -> str | None:
    """What was expected instead of `text` as an IP address or a network of them; None if it is one."""
    address, slash, length = text.partition("/")
    expected = "expected an IP address or network, such as 10.0.0.0/8, 127.0.0.1 or fd00::/8"
    if not _is_ip(address) or (slash and not (length.isascii() and length.isdigit())):
        likely = _compressed(address) if address.startswith("[") else None
        return f"{expected} (did you mean {likely.strip('[]')}{slash}{length}?)" if likely else expected
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return f"{expected}; /{length} is longer than the address"
    exact = ip_network(address).network_address == network.network_address
    return None if exact else f"expected the first address of the network, which is {network}"


def parse_address(text: str) -> tuple[str, int | None] | None:
    """`text` as an IP address, without brackets, and a port, if there is one; None if it is something else."""
    if _is_ip(text):
        return text, None
    match = _PATTERN.fullmatch(text)
    if match is None or match[1] or not _is_port(match[3]):
        return None
    host, port = match[2], int(match[3]) if match[3] else None
    if _is_ip(host):
        return host, port
    return (host[1:-1], port) if _compressed(host) else None


def _spellings(host_key: str) -> Iterator[str]:
    """The patterns that would cover a host, most specific first."""
    name, port = split_port(host_key)
    if port:
        yield host_key
    yield name
    if name[-1] == "]" or name[-1].isdigit():
        return  # an address has no names below it (and no top-level domain ends in a digit)
    domain = name.partition(".")[2]
    while domain:
        if port:
            yield f"*.{domain}{port}"
        yield f"*.{domain}"
        domain = domain.partition(".")[2]


def _is_pattern(text: str) -> bool:
    match = _PATTERN.fullmatch(text)
    if match is None or not _is_port(match[3]) or match[3] in _DEFAULT_PORTS:
        return False
    wildcard, name = match[1], match[2]
    if name.startswith("["):
        return not wildcard and name == _compressed(name)
    if _ends_in_number(name):
        return not wildcard and _is_ip(name)
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def _ends_in_number(name: str) -> bool:
    """Whether the URL standard reads `name` as an IPv4 address (WHATWG URL, "ends in a number checker")."""
    return name.rpartition(".")[2].isdigit()


def _is_port(digits: str | None) -> bool:
    return digits is None or int(digits) <= 65_535


def _is_ip(text: str) -> bool:
    for version in (IPv4Address, IPv6Address):
        try:
            version(text)
        except AddressValueError:
            continue
        return "%" not in text
    return False


def _compressed(text: str) -> str | None:
    """An IPv6 address, with or without brackets, as canonical URLs write it."""
    try:
        address = IPv6Address(text.strip("[]"))
    except AddressValueError:
        return None
    return None if address.scope_id else f"[{address}]"


def likely_pattern(text: str) -> str | None:
    """The pattern that the writer of a wrong `text` probably meant: of a URL its host, in canonical spelling."""
    if _NETWORK.fullmatch(text):
        return None
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", text.strip().lower()).partition("/")[0].rstrip(".")
    host = re.sub(r":(80|443)$", "", _compressed(host) or host)
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        return None
    return host if host != text and _is_pattern(host) else None


def _hint(text: str) -> str:
    likely = likely_pattern(text)
    return f" (did you mean {likely}?)" if likely else ""


def _spelling(text: str) -> str | None:
    """What is wrong with `text` where nothing but its spelling is."""
    if not likely_pattern(text) or "/" in text:
        return None
    if not text.isascii():
        return "punycode (xn--), as in canonical URLs"
    if text != text.lower():
        return "lower case, as in canonical URLs"
    match = _PATTERN.fullmatch(text)
    if match and match[3] in _DEFAULT_PORTS:
        return "no port 80 or 443, as canonical URLs leave them out"
    return None
