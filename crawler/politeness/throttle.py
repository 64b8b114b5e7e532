"""How much slower than asked for should a host be asked?

Never faster. Two things slow it down, and the longer pause of all counts:

- *latency*: a host that takes long to answer is given time in proportion, as Heritrix's delay-factor does: the pause
  between request starts is at least `factor` times its smoothed latency (RFC 6298's SRTT, an eighth a sample). Not
  where the configuration asks for no delay at all.
- *errors*: each attempt that speaks of strain (429, 5xx, timeouts, broken connections) doubles the pause; each other
  one shortens it by a fixed step, so that it is gone after at most `RECOVERY_ANSWERS` of them: multiplicative
  back-off and additive recovery, as in TCP's congestion control (RFC 5681).

Pure: it reads and writes the fields of a `Paced`, given what happened.
"""

from __future__ import annotations

from typing import Protocol

from crawler.config import AdaptiveConfig

MIN_BACKOFF_S = 1.0
"""The first pause after an error, where the host's own delay is not half as long."""

RECOVERY_ANSWERS = 10
_SMOOTHING = 1 / 8


class Paced(Protocol):
    """What of a host the throttle goes by, in seconds."""

    asked_delay_s: float  #: by the configuration
    crawl_delay_s: float  #: by robots.txt, as far as it is longer
    latency_s: float  #: smoothed; 0 before the first answer
    backoff_s: float  #: for its errors
    recovery_s: float  #: by which a good answer shortens `backoff_s`


class Throttle:
    """Says how long a host's pauses are.

    Args:
        adaptive: How far; None if they are as long as asked for, whatever happens.
    """

    def __init__(self, adaptive: AdaptiveConfig | None) -> None:
        self._is_on = adaptive is not None
        config = adaptive or AdaptiveConfig()
        self._factor = float(config.factor)
        self._max_delay_s = float(config.max_delay_s)

    def learn(self, host: Paced, latency_s: float | None, *, strained: bool) -> float:
        """Take in how an attempt went.

        Args:
            host: Where it was made.
            latency_s: From the request to the end of the answer; None if there was none.
            strained: Whether it speaks of a host that has too much to do.

        Returns:
            The pause from now on, as `delay_s`.
        """
        if latency_s is not None:
            known_s = host.latency_s or latency_s
            host.latency_s = known_s + (latency_s - known_s) * _SMOOTHING
        if self._is_on and (strained or host.backoff_s):
            self._back_off(host, strained=strained)
        return self.delay_s(host)

    def delay_s(self, host: Paced) -> float:
        """The pause between the starts of two requests to a host, its jitter apart."""
        asked_s, crawl_s = host.asked_delay_s, host.crawl_delay_s
        if not self._is_on:
            return max(asked_s, crawl_s)
        if not asked_s:
            return max(crawl_s, host.backoff_s)
        return max(asked_s, crawl_s, min(self._factor * host.latency_s, self._max_delay_s), host.backoff_s)

    def _back_off(self, host: Paced, *, strained: bool) -> None:
        promised_s = max(host.asked_delay_s, host.crawl_delay_s)
        base_s = max(promised_s, MIN_BACKOFF_S / 2)
        if strained:
            host.backoff_s = min(2 * max(host.backoff_s, base_s), self._max_delay_s)
        if strained or not host.recovery_s:  # it is not stored
            host.recovery_s = max(host.backoff_s / RECOVERY_ANSWERS, base_s / 2)
        if not strained:
            host.backoff_s -= host.recovery_s
            if host.backoff_s <= max(promised_s, host.recovery_s / 2):  # what is left of a last step is rounding
                host.backoff_s = 0.0
