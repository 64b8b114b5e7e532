"""Did a crawl, in all its lives together, treat the servers as promised? Told from their log alone.

What was promised is the configuration, and what each robots.txt said when it was served. The server knows of a
client's death what a server can know: its connections are gone, and what they had asked for is in flight no more
(`Hit.in_flight`). The one thing it cannot know is whether the client lived long enough after an answer to remember
what it asked for; that is told by the times of the deaths.

Gaps are held to the full delay, without a tolerance: see `site` for how arrivals are stamped. What a host of one
request at a time asks for holds at once; where there may be others, one may be on its way already (`rests`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tests.support.rests import Noticed, breaker_ignored, rest_broken
from tests.support.verdicts import Verdicts, for_robots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.support.hits import Hit, Log

_SHOWN = 5


class Pace(NamedTuple):
    """What one host was promised by the configuration."""

    delay_s: float = 0.0
    concurrency: int = 1


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What all hosts were promised."""

    pace: Callable[[str], Pace]
    #: most requests in flight to an address, unless one of its hosts may have more; None: any number
    per_address: int | None = None
    max_crawl_delay_s: float = 60.0
    agent: str = "crawler"
    #: failures in a row after which a host rests; None: it never does
    failures: int | None = None
    rest_s: float = 0.0
    #: when the crawl was killed, on the monotonic clock
    deaths: Sequence[float] = ()
    #: how long before a death an answer must have come to be remembered after it
    remembered_after_s: float = 0.3

    def forgotten(self, asked: float, answered: float, now: float) -> bool:
        """Whether an answer may be unknown by now, as the client that had asked died before it came or right after."""
        return any(asked <= death < min(answered + self.remembered_after_s, now) for death in self.deaths)


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A promise that was not kept."""

    host: str
    at: float
    what: str


def violations(log: Log, promised: Promised) -> list[Violation]:
    """Every promise that was not kept, by host and time."""
    verdicts, noticed = Verdicts(log, promised.agent), Noticed(log)
    found = [Violation(host=hit.host, at=hit.at, what=what) for hit, what in _crowds_at_addresses(log, promised)]
    for host, arrived in log.by_host().items():
        hits = sorted(arrived, key=lambda hit: hit.at)  # what arrives on two connections may be read in either order
        broken = [
            *_gaps(hits, promised, verdicts),
            *_crowds(hits, promised),
            *_without_leave(hits, verdicts),
            *rest_broken(hits, promised, noticed),
            *breaker_ignored(hits, promised, noticed),
        ]
        found += [Violation(host=host, at=hit.at, what=what) for hit, what in broken]
    return sorted(found, key=lambda violation: (violation.host, violation.at))


def well_behaved(
    log: Log, *, delay_s: float, concurrency: int, deaths: Sequence[float] = (), per_address: int | None = None
) -> None:
    """Hold a crawl to one pace for all hosts.

    Raises:
        AssertionError: A promise was broken.
    """
    pace = Pace(delay_s, concurrency)
    found = violations(log, Promised(pace=lambda _: pace, deaths=deaths, per_address=per_address))
    assert not found, f"{len(found)} violations, deaths {deaths}: {found[:_SHOWN]}"


def _gaps(hits: Sequence[Hit], promised: Promised, verdicts: Verdicts) -> Iterator[tuple[Hit, str]]:
    """The time between two requests is never under the delay, nor under what robots.txt asks for.

    A request for another host's robots.txt that was redirected here may come before this host's own has been read,
    as a page may not: what is asked for in there counts for it once there was a page.
    """
    page_at = 0.0
    for earlier, later in pairwise(hits):
        page_at = page_at if for_robots(earlier) else earlier.at
        delay_s = promised.pace(later.host).delay_s
        verdict = verdicts.of(later.host, later.at)
        if verdict is not None and (page_at > verdict.since or not for_robots(later)):
            known = not promised.forgotten(verdict.asked, verdict.since, later.at)
            delay_s = max(delay_s, min(verdict.said.delay_s, promised.max_crawl_delay_s) if known else 0.0)
        gap_s = later.at - earlier.at
        if gap_s < delay_s:
            yield later, f"{later.path} came {gap_s:.6f} s after {earlier.path}, not {delay_s:g} s"


def _crowds(hits: Sequence[Hit], promised: Promised) -> Iterator[tuple[Hit, str]]:
    """Requests in flight to a host are never more than its concurrency."""
    for hit in hits:
        if hit.in_flight > promised.pace(hit.host).concurrency:
            yield hit, f"{hit.path} was number {hit.in_flight} in flight to its host"


def _crowds_at_addresses(log: Log, promised: Promised) -> Iterator[tuple[Hit, str]]:
    """Those in flight to an address are never more than its own limit, or than one of its hosts may have."""
    if promised.per_address is None:
        return
    most: dict[str, int] = {}
    for hit in log.hits:
        limits = (most.get(hit.address, promised.per_address), promised.pace(hit.host).concurrency)
        most[hit.address] = max(limits)
        if hit.in_flight_at_address > most[hit.address]:
            yield hit, f"{hit.path} was number {hit.in_flight_at_address} in flight to {hit.address}"


def _without_leave(hits: Sequence[Hit], verdicts: Verdicts) -> Iterator[tuple[Hit, str]]:
    """Nothing is requested before robots.txt is known, nor what it disallows; nothing at all while it is closed."""
    for hit in hits:
        if for_robots(hit):
            continue
        verdict = verdicts.of(hit.host, hit.at)
        if verdict is None:
            yield hit, f"{hit.path} before there was an answer to robots.txt"
        elif verdict.closed:
            yield hit, f"{hit.path} though robots.txt could not be had"
        elif not verdict.said.allows(hit.path):
            yield hit, f"{hit.path} is disallowed"
