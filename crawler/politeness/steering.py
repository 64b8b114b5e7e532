"""How do those who lead a crawl change it while it runs: which hosts are this worker's, how fast is each asked?

Hosts leave a worker that go on to be asked by another. What they have at hand goes back to the frontier, what is in
flight comes to its end. Their own robots.txt is asked for anew by whose they are then; one that another host's
redirects have led to them is sought there (`Tenure.abroad`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.politeness.robots import host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crawler.clock import Clock
    from crawler.config import Pace
    from crawler.models import HostKey, Request, RobotsFile
    from crawler.politeness.health import Health
    from crawler.politeness.judge import Judge
    from crawler.politeness.places import Places
    from crawler.politeness.tenure import Tenure
    from crawler.politeness.window import Window


class Steering:
    """A part of `Policy`, to be used through it."""

    def __init__(
        self, *, window: Window, judge: Judge, health: Health, places: Places, tenure: Tenure, clock: Clock
    ) -> None:
        self._window = window
        self._judge = judge
        self._health = health
        self._places = places
        self._tenure = tenure
        self._clock = clock
        self._configured = window.limits

    def dismiss(self, belongs: Callable[[HostKey], bool], *, lost: bool = False) -> list[Request]:
        """Hosts are others' from now on: nothing of them starts, what is in flight comes to its end, and then they are
        out of memory (`has_left`). One that comes back is taken for new, by what was stored of it.

        Args:
            belongs: Which.
            lost: Their states are others' already: what has changed is not stored. Else it is in the next `changes`.

        Returns:
            Their requests at hand, for the frontier. Those that are on their way are told to `Tenure.put_back`; what
            was refused, or put off, is still in the next turns.
        """
        now = self._clock.monotonic()
        hosts, visits = self._window.dismiss(belongs, lost=lost)
        for origin in [origin for origin in self._judge.laid_aside if belongs(host_of(origin))]:
            del self._judge.laid_aside[origin]
        back: list[Request] = []
        for host in hosts:
            back += host.empty_hand()
            visits += host.urgent
            host.urgent.clear()
            host.asking = False
            self._window.settle(host, now)
        for request in visits:
            self._judge.turn_back(request)
        return back

    def has_left(self, belongs: Callable[[HostKey], bool]) -> bool:
        """Whether none of these hosts, dismissed before, has anything under way any more."""
        return not any(host.leaving and belongs(key) for key, host in self._window.hosts.items())

    def run_errand(self, origin: str, request: Request) -> bool:
        """Ask for a robots.txt on behalf of an origin that may be another's (`Tenure.brought`); False if its host is
        not ours."""
        if not self._tenure.holds(request.host_key):
            return False
        asking = self._window.hosts.get(host_of(origin))
        if asking is None or asking.leaving:
            self._tenure.errands.add(origin)
        self._judge.visit(request)
        return True

    def answered(self, request: Request, file: RobotsFile) -> list[Request]:
        """What came of a robots.txt request that others made (`Tenure.abroad`). Returns the sitemaps to follow."""
        asking = self._window.hosts.get(host_of(file.origin))
        if asking is None or asking.leaving or not asking.asking:
            return []
        return self._judge.settle(request, file.robots, file.closed)

    def relimit(self, changes: Mapping[str, Pace]) -> None:
        """Ask hosts at another pace from now on, as if these patterns were in ``limits.hosts``, too: none but these,
        whatever was said before. What robots.txt and back-off demand holds as ever."""
        now = self._clock.monotonic()
        self._window.limits = self._configured.with_changes(changes)
        for host in list(self._window.hosts.values()):
            limits, only_paused = self._window.limits.resolve(host.key), self._health.only_pauses(host)
            host.asked_delay_s, host.jitter_s = limits.delay_s, limits.jitter_s
            self._places.resized(host, limits.concurrency)
            for scheme in ("https", "http"):  # its robots.txt may have asked for less than what held until now
                if (verdict := self._judge.verdicts.get(f"{scheme}://{host.key}", now)) is not None:
                    self._judge.heed(verdict, host)
            self._health.relimited(host, now, only_paused=only_paused)
            self._window.settle(host, now)

    def allow_at_address(self, concurrency: int) -> None:
        """So many requests may be in flight here to one address: this worker's part of ``limits.per_address``."""
        self._places.allow(concurrency)

    @property
    def most_at_address(self) -> int:
        """Requests in flight to the address that has most, of those that `allow_at_address` counts."""
        return self._places.most_in_flight
