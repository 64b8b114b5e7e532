"""Did a crawl, in all its lives together, treat the server as promised? Told from the server's log alone.

The server knows of a client's death what a server can know: its connections are gone, and what they had asked for is
in flight no more (`Hit.in_flight`). The one thing it cannot know is whether the client lived long enough after an
answer to remember what it asked for; that is told by the times of the deaths.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.server import Hit, Log

#: a request may be on its way already when a Retry-After reaches its client
_ON_ITS_WAY_S = 0.05
#: an answer may have arrived before its server notes that it was written
_NOTED_S = 0.005


def well_behaved(
    log: Log,
    *,
    delay_s: float,
    concurrency: int,
    disallowed: str = "/private/",
    deaths: Sequence[float] = (),
    remembered_after_s: float = 0.3,
) -> None:
    """Hold every host's requests against what was promised.

    Args:
        log: All requests of all lives.
        delay_s: Least time between the starts of two requests to a host.
        concurrency: Most requests in flight to a host.
        disallowed: What robots.txt forbids: a prefix.
        deaths: When the crawl was killed, on the monotonic clock.
        remembered_after_s: How long before a death an answer must have come to be remembered after it.

    Raises:
        AssertionError: A promise was broken.
    """
    for host in sorted(log.hosts()):
        hits = log.of(host)
        assert hits[0].path == "/robots.txt", f"{host}: {hits[0].path} before robots.txt"
        assert not [hit.path for hit in hits if hit.path.startswith(disallowed)], f"{host}: disallowed"
        assert log.max_in_flight(host) <= concurrency, f"{host}: {log.max_in_flight(host)} in flight"
        for earlier, later in pairwise(hits):
            gap_s = later.at - earlier.at
            assert gap_s >= delay_s, f"{host}: {earlier.path} and {later.path} only {gap_s:.4f} s apart; {deaths}"
        for answered in hits:
            _left_alone(answered, hits, deaths, remembered_after_s)


def _left_alone(answered: Hit, hits: Sequence[Hit], deaths: Sequence[float], remembered_after_s: float) -> None:
    """Nothing is asked of a host during the rest that one of its answers asked for."""
    if not answered.retry_after_s or answered.ended is None:
        return
    came, until = answered.ended, answered.ended - _NOTED_S + answered.retry_after_s
    death = min((at for at in deaths if at >= came), default=None)
    if death is not None and death - came < remembered_after_s:
        until = min(until, death)
    early = [hit for hit in hits if came + _ON_ITS_WAY_S < hit.at < until]
    assert not early, (
        f"{answered.host}: {answered.path} asked for {answered.retry_after_s:g} s of rest, but {early[0].path} came "
        f"after {early[0].at - came:.3f} s; deaths {[round(at - came, 3) for at in deaths]} s after"
    )
