"""How fast may this host be asked, and which line of the configuration says so?

Patterns of ``limits.hosts``, most specific first; each value is taken from the most specific pattern that gives
it, then from ``limits.default``, then from what is built in (1 s, 1):

1. a host name or address with a port: ``example.org:8080``, ``[::1]:8080``
2. a host name or address, on any port: ``example.org``, ``192.0.2.1``, ``[::1]``
3. ``*.`` and a domain, the longer the more specific, one with a port before the same without. As in TLS
   certificates and cookies it covers every name below the domain, at any depth, but not the domain itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.config import BUILT_IN_PACE
from crawler.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import LimitsConfig, Pace
    from crawler.models import HostKey

_BUILT_IN = "built in"


class Resolved(msgspec.Struct, frozen=True):
    """The limits of one host, and where each comes from: ``limits.default.delay``, ``built in``."""

    delay_s: float
    concurrency: int
    jitter_s: float
    delay_from: str
    concurrency_from: str
    jitter_from: str


class LimitTable:
    """Limits by host. A look-up costs two dictionary look-ups for each label of the name, whatever the patterns."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._default = limits.default
        self._patterns = {
            pattern.lower(): (f'limits.hosts["{pattern}"]', pace) for pattern, pace in limits.hosts.items()
        }

    def resolve(self, host_key: HostKey) -> Resolved:
        """The limits in force for a host, before robots.txt has had its say."""
        paces = list(self._paces(host_key))
        delay_s, delay_from = next(_delays(paces))
        concurrency, concurrency_from = next(_concurrencies(paces))
        jitter_s, jitter_from = next(_jitters(paces))
        return Resolved(delay_s, concurrency, jitter_s, delay_from, concurrency_from, jitter_from)

    def explain(self, host_key: HostKey) -> list[str]:
        """The same for a person to read: each value, where it comes from, and what lost against that."""
        paces = list(self._paces(host_key))
        lines = [
            *_contest("delay", [(str(Duration(delay_s)), source) for delay_s, source in _delays(paces)]),
            *_contest("concurrency", [(str(n), source) for n, source in _concurrencies(paces)]),
        ]
        name, _ = _split_port(host_key)
        lines += [
            f"{self._patterns[spelt][0]} does not match: it covers the names below {name} only"
            for spelt in dict.fromkeys((f"*.{host_key}", f"*.{name}"))
            if spelt in self._patterns
        ]
        return lines

    def _paces(self, host_key: HostKey) -> Iterator[tuple[str, Pace]]:
        """What applies to a host and how it is called, most specific first."""
        for spelt in _spellings(host_key):
            named = self._patterns.get(spelt)
            if named is not None:
                yield named
        yield "limits.default", self._default
        yield _BUILT_IN, BUILT_IN_PACE


def _split_port(host_key: HostKey) -> tuple[str, str]:
    """Name and ``:port``, which may be empty; the colons of ``[::1]`` are not a port's."""
    name, colon, port = host_key.rpartition(":")
    return (name, colon + port) if colon and not port.endswith("]") else (host_key, "")


def _spellings(host_key: HostKey) -> Iterator[str]:
    """The patterns that would match, most specific first."""
    name, port = _split_port(host_key)
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


def _delays(paces: list[tuple[str, Pace]]) -> Iterator[tuple[float, str]]:
    for source, pace in paces:
        if pace.delay_s is not None:
            yield float(pace.delay_s), _key(source, "delay")
        elif pace.rate_per_s is not None:
            yield 1.0 / pace.rate_per_s, _key(source, "rate")


def _concurrencies(paces: list[tuple[str, Pace]]) -> Iterator[tuple[int, str]]:
    for source, pace in paces:
        if pace.concurrency is not None:
            yield pace.concurrency, _key(source, "concurrency")


def _jitters(paces: list[tuple[str, Pace]]) -> Iterator[tuple[float, str]]:
    for source, pace in paces:
        if pace.jitter_s is not None:
            yield float(pace.jitter_s), _key(source, "jitter")


def _key(source: str, name: str) -> str:
    return source if source == _BUILT_IN else f"{source}.{name}"


def _contest(field: str, values: list[tuple[str, str]]) -> list[str]:
    """Who gives a field its value, then who would have, but for the one before."""
    (value, winner), *losers = values
    if winner == _BUILT_IN:
        return [f"{field} {value}, which is built in"]
    *losers, (built_in, _) = losers
    lines = [f"{field} {value}, from {winner}"]
    lines += [f"  over {lost} from {source}, which is less specific" for lost, source in losers]
    if built_in != value:
        lines.append(f"  over the built-in {built_in}")
    return lines
