"""What does a person see of the hosts in memory?

Made when somebody looks, from what policy keeps anyway; hosts that are not in memory are not shown.
"""

from __future__ import annotations

from collections import Counter
from heapq import nlargest
from operator import attrgetter
from typing import TYPE_CHECKING

from crawler.views import HostCondition, HostView, HostViews, SlowHost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.clock import Clock
    from crawler.politeness.health import Health
    from crawler.politeness.host import Host
    from crawler.politeness.window import Window


class Views:
    """Looks at the hosts in memory.

    Args:
        window: The hosts.
        health: Knows why one waits.
        clock: Tells the time.
    """

    def __init__(self, window: Window, health: Health, clock: Clock) -> None:
        self._window = window
        self._health = health
        self._clock = clock

    def hosts(self, limit: int) -> HostViews:
        """At most `limit` of the busiest hosts and of the slowest, and what all do. Takes 1 us a host in memory."""
        now = self._clock.monotonic()
        hosts = self._window.hosts.values()
        busiest = nlargest(limit, (host for host in hosts if host.requests), key=attrgetter("requests"))
        slowest = nlargest(limit, self._waiting(now), key=attrgetter("due"))
        return HostViews(
            busiest=tuple(self._view(host, now) for host in busiest),
            slowest=tuple(self._view(host, now) for host in slowest),
            conditions=dict(Counter(self._condition(host, now) for host in hosts)),
        )

    def slowest(self, limit: int = 3) -> list[SlowHost]:
        """The hosts that have something to request and wait longest until they may, the longest wait first."""
        now = self._clock.monotonic()
        return [
            SlowHost(host_key=host.key, why=self._health.why(host), wait_s=host.due - now)
            for host in nlargest(limit, self._waiting(now), key=attrgetter("due"))
        ]

    def _waiting(self, now: float) -> Iterator[Host]:
        return (host for host in self._window.hosts.values() if host.due > now and (host.ticket or host.far))

    def _view(self, host: Host, now: float) -> HostView:
        condition = self._condition(host, now)
        waits = condition in _WAITING
        return HostView(
            host_key=host.key,
            condition=condition,
            why=self._health.why(host) if waits else _why(host, condition),
            wait_s=host.due - now if waits else 0.0,
            in_flight=host.in_flight,
            concurrency=host.concurrency,
            delay_s=host.delay_s,
            latency_s=host.latency_s,
            requests=host.requests,
            failures=host.failures,
            waited_s=host.waited(now),
        )

    def _condition(self, host: Host, now: float) -> HostCondition:  # noqa: PLR0911 - one a condition
        if host.given_up is not None:
            return HostCondition.GIVEN_UP
        if host.is_set_aside:
            return HostCondition.SET_ASIDE
        if host.locating:
            return HostCondition.LOOKING_UP
        if host.due > now and (host.ticket or host.waits_for):
            if self._health.is_broken(host):
                return HostCondition.BREAKER_OPEN
            return HostCondition.BACKING_OFF if host.waits_for or host.backoff_s else HostCondition.PACING
        if host.parked:
            return HostCondition.ADDRESS_BUSY
        if host.ticket:
            return HostCondition.READY
        return HostCondition.FETCHING if host.in_flight else HostCondition.IDLE


_WAITING = (HostCondition.PACING, HostCondition.BACKING_OFF, HostCondition.BREAKER_OPEN)


def _why(host: Host, condition: HostCondition) -> str:
    """Why a host is not asked that does not wait for a time; empty where its condition says it all."""
    if condition is HostCondition.GIVEN_UP:
        return "it failed again after a rest" if host.retired else "its name does not resolve"
    if condition is HostCondition.ADDRESS_BUSY:
        return "other hosts at its address are being asked"
    return ""
