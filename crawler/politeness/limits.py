"""How fast may this host be asked, and which line of the configuration says so?

Each value is taken from the most specific pattern of ``limits.hosts`` that gives it (`crawler.config.hosts` says which
cover a host), then from ``limits.default``, then from what is built in (1 s, 1, no jitter).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.config import BUILT_IN_PACE, AdaptiveConfig
from crawler.config.hosts import matching, split_port
from crawler.wording import delay

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crawler.config import LimitsConfig, Pace
    from crawler.models import HostKey

_BUILT_IN = "built in"

_BEAT_S = 0.005
_BEATS_A_DELAY = 200


class Resolved(msgspec.Struct, frozen=True):
    """The limits of one host, and where each comes from: ``limits.default.delay``, ``built in``."""

    delay_s: float
    concurrency: int
    #: by at most how much each pause is lengthened
    jitter_s: float
    delay_from: str
    concurrency_from: str
    jitter_from: str


def beat_s(limits: LimitsConfig) -> float:
    """For how long requests that come due may be gathered, so that one turn of the loop starts several.

    A small share of the shortest delay that any host may have: in a broad crawl each turn would else start one request,
    and the turns would cost more than the requests. 0 where a host may be asked without a pause.
    """
    paces = [("", pace) for pace in (limits.default, *limits.hosts.values(), BUILT_IN_PACE)]
    return min(_BEAT_S, min(delay_s for delay_s, _ in _delays(paces)) / _BEATS_A_DELAY)


class LimitTable:
    """Limits by host. A look-up costs two dictionary look-ups for each label of the name, whatever the patterns."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._default = limits.default
        self._patterns = {
            pattern.lower(): (f'limits.hosts["{pattern}"]', pace) for pattern, pace in limits.hosts.items()
        }

    def with_changes(self, changes: Mapping[str, Pace]) -> LimitTable:
        """What is in force if these patterns were in ``limits.hosts``, besides what is. Of one that is, they replace
        what they give."""
        hosts = dict(self._limits.hosts)
        spelt = {pattern.lower(): pattern for pattern in hosts}
        for pattern, pace in changes.items():
            known = spelt.get(pattern.lower(), pattern)
            hosts[known] = _changed(hosts.get(known), pace)
        return LimitTable(msgspec.structs.replace(self._limits, hosts=hosts))

    def resolve(self, host_key: HostKey) -> Resolved:
        """The limits in force for a host, before robots.txt has had its say."""
        paces = list(self._paces(host_key))
        delay_s, delay_from = next(_delays(paces))
        concurrency, concurrency_from = next(_concurrencies(paces))
        jitter_s, jitter_from = next(_jitters(paces))
        return Resolved(delay_s, concurrency, jitter_s, delay_from, concurrency_from, jitter_from)

    def explain(self, host_key: HostKey) -> list[str]:
        """The same for a person to read: each value, where it comes from, and what lost against that; then what else
        of ``limits`` applies to the host."""
        paces = list(self._paces(host_key))
        lines = [
            *_contest("delay", [(delay(delay_s), source) for delay_s, source in _delays(paces)]),
            *_contest("concurrency", [(str(n), source) for n, source in _concurrencies(paces)]),
            *_contest("jitter", [(delay(jitter_s), source) for jitter_s, source in _jitters(paces)]),
        ]
        name, _ = split_port(host_key)
        lines += [
            f"{self._patterns[spelt][0]} does not match: it covers the names below {name} only"
            for spelt in dict.fromkeys((f"*.{host_key}", f"*.{name}"))
            if spelt in self._patterns
        ]
        resolved = self.resolve(host_key)
        return [*lines, self._address_line(resolved), self._adaptive_line(resolved)]

    def at_one_address(self, resolved: Resolved) -> int:
        """Most requests in flight to the address of a host with these limits, all hosts there together."""
        return max(self._limits.per_address.concurrency, resolved.concurrency)

    def _address_line(self, resolved: Resolved) -> str:
        shared, source = self._limits.per_address.concurrency, "limits.per_address.concurrency"
        if resolved.concurrency > shared:
            source = f"its own concurrency, as that is more than {source}: {shared}"
        return f"at its address {self.at_one_address(resolved)} at once, all hosts there together, from {source}"

    def _adaptive_line(self, resolved: Resolved) -> str:
        adaptive = adaptive_of(self._limits)
        if adaptive is None:
            return "no slower where it is slow or failing, from limits.adaptive: false"
        slow = f" or slow (a pause of {adaptive.factor} answer times)"
        counts = resolved.delay_s > 0 and adaptive.factor > 0
        return f"slower where it is failing{slow * counts}, up to {adaptive.max_delay_s}, from limits.adaptive"

    def _paces(self, host_key: HostKey) -> Iterator[tuple[str, Pace]]:
        """What applies to a host and how it is called, most specific first."""
        for _, named in matching(self._patterns, host_key):
            yield named
        yield "limits.default", self._default
        yield _BUILT_IN, BUILT_IN_PACE


def adaptive_of(limits: LimitsConfig) -> AdaptiveConfig | None:
    """What ``limits.adaptive`` asks for; None if it is turned off."""
    if isinstance(limits.adaptive, AdaptiveConfig):
        return limits.adaptive
    return AdaptiveConfig() if limits.adaptive else None


def _changed(before: Pace | None, pace: Pace) -> Pace:
    """A pace with what another gives in its place; a delay and a rate are one thing."""
    if before is None:
        return pace
    is_paced = pace.delay_s is not None or pace.rate_per_s is not None
    timed = pace if is_paced else before
    return msgspec.structs.replace(
        before,
        delay_s=timed.delay_s,
        rate_per_s=timed.rate_per_s,
        concurrency=before.concurrency if pace.concurrency is None else pace.concurrency,
        jitter_s=before.jitter_s if pace.jitter_s is None else pace.jitter_s,
    )


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
