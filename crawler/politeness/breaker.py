"""When is a host that keeps failing left alone, and when given up?

A circuit breaker for each host (Nygard, "Release It!"):

- *closed*: asked as ever. `failures` in a row, each to blame on the host itself (`retry.Rule.blames_host`), open it.
- *open*: nothing is requested for `rest_s`. What was in flight by then changes nothing.
- *half-open*: after the rest one request, and no other, tries the host. If it comes to an answer that is not the
  host's failure, all is well again; if not, the host is retired for good and its URLs end as ``breaker``.

Its state is a count: the host is open or half-open while its failures in a row have reached the limit. So it survives
a restart with that count and the time at which the host may be asked again. Pure.
"""

from __future__ import annotations

from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from crawler.config import BreakerConfig

REASON = "breaker"
"""Why the URLs of a retired host are excluded; of `reasons.REASONS`."""


class Breakable(Protocol):
    """What of a host the breaker goes by."""

    failures: int  #: in a row
    trial: int | None  #: identity of the request that tries it while it is half-open


class Effect(Enum):
    """What an attempt did to the breaker."""

    NONE = auto()
    COUNTED = auto()  #: `failures` has changed, and nothing follows yet
    OPENED = auto()
    CLOSED = auto()  #: after it was open
    RETIRED = auto()


class Breaker:
    """Counts failures in a row.

    Args:
        config: ``breaker``.
    """

    def __init__(self, config: BreakerConfig) -> None:
        self._limit: float = inf if config.failures is None else config.failures
        self.rest_s = float(config.rest_s)

    def is_open(self, host: Breakable) -> bool:
        """Whether a host may be asked by one request at most, once it has rested."""
        return host.failures >= self._limit

    def after(self, host: Breakable, attempt: int, *, failed: bool, answered: bool) -> Effect:
        """Count an attempt in.

        Args:
            host: Where it was made; its `failures` and `trial` are changed.
            attempt: The identity of its request.
            failed: Whether the host itself is to blame for how it went.
            answered: Whether the host is well. Neither of both is a failure that may be the URL's own.
        """
        was_open, is_trial = self.is_open(host), host.trial == attempt
        if is_trial:
            host.trial = None
        if failed:
            if was_open:
                return Effect.RETIRED if is_trial else Effect.NONE
            host.failures += 1
            return Effect.OPENED if self.is_open(host) else Effect.COUNTED
        if was_open and not is_trial:
            return Effect.NONE
        if host.failures and (answered or was_open):
            host.failures = 0
            return Effect.CLOSED if was_open else Effect.COUNTED
        return Effect.NONE
