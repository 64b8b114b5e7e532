"""What did each host's robots.txt say at a given moment, by what was served (RFC 9309, section 2.3.1)?"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from tests.support.plain_robots import Said, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.hits import Hit, Log

_MAX_HOPS = 5
_EVERYTHING = Said()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one attempt at a robots.txt came to."""

    asked: float
    #: it was answered, or given up
    since: float
    said: Said = _EVERYTHING
    #: it could not be had, which disallows all
    closed: bool = False


def for_robots(hit: Hit) -> bool:
    """Whether a request was for a robots.txt, or where one redirects to: it waits for no verdict itself."""
    return hit.path.endswith("robots.txt")


class Verdicts:
    """The verdicts on all hosts, as they followed each other.

    A redirect is followed to the first request for its target that came after it, on whoever's behalf that was.
    """

    def __init__(self, log: Log, agent: str) -> None:
        self._agent = agent
        self._asked: dict[tuple[str, str], list[Hit]] = {}
        for hit in filter(for_robots, log.hits):
            self._asked.setdefault((hit.host, hit.path), []).append(hit)
        self._verdicts: dict[str, list[Verdict]] = {}
        for (host, path), hits in self._asked.items():
            if path == "/robots.txt":
                reached = [verdict for hit in hits for verdict in self._follow(hit, _MAX_HOPS)]
                self._verdicts[host] = sorted(reached, key=lambda verdict: verdict.since)

    def of(self, host: str, at: float) -> Verdict | None:
        """The latest verdict before a moment; None if there was none."""
        verdicts = self._verdicts.get(host, [])
        place = bisect_left(verdicts, at, key=lambda verdict: verdict.since)
        return verdicts[place - 1] if place else None

    def _follow(self, hit: Hit, hops: int) -> Iterator[Verdict]:
        """What one request led to: one verdict, but for redirects to what could not be had at first."""
        over = hit.ended or hit.gone
        if over is None:
            return
        if 200 <= hit.status < 300:
            yield Verdict(asked=hit.at, since=over, said=read(hit.body, self._agent))
        elif hit.status in {301, 302, 303, 307, 308} and hops:
            yield from self._follow_redirect(hit, over, hops)
        elif 300 <= hit.status < 500 and hit.status != 429:
            yield Verdict(asked=hit.at, since=over)
        else:
            yield Verdict(asked=hit.at, since=over, closed=True)

    def _follow_redirect(self, hit: Hit, over: float, hops: int) -> Iterator[Verdict]:
        target = urlsplit(urljoin(f"http://{hit.host}{hit.path}", hit.header("location")))
        for asked in self._asked.get((target.hostname or "", target.path), []):
            if asked.at > over:
                reached = list(self._follow(asked, hops - 1))
                yield from reached
                if any(not verdict.closed for verdict in reached):
                    return
