"""Which hosts may this worker ask? All, in a crawl of one process; where workers share it, those that are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.models import RobotsFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crawler.models import HostKey, Request, Robots

UNSURE_S = 0.5
"""For how long a host is left alone that may not be asked just now, as its lease may have lapsed."""


class Tenure:
    """What whoever leases hosts tells the policy, by setting these; None: every host is ours for good."""

    def __init__(self) -> None:
        #: whether a host may be asked now; not from right before its `Policy.dismiss` on, until it is ours again
        self.cleared: Callable[[HostKey], bool] | None = None
        #: monotonic time at which another, whose last requests nobody knows of, may have asked a host at the latest;
        #: -inf if its stored state says all. Asked when the host enters the memory.
        self.asked_at: Callable[[HostKey], float] | None = None
        #: told of requests that `Policy.dismiss` could not return, as they were on their way from the frontier, or to
        #: the wire: they are not made, and the frontier's again
        self.put_back: Callable[[Sequence[Request]], None] | None = None
        #: has a robots.txt asked for, on behalf of an origin, that redirects lead to at a host which is not ours;
        #: whether what comes of it will be told to `Steering.answered`. If not, it counts as unreachable.
        self.abroad: Callable[[str, Request], bool] | None = None
        #: told what came of a `Steering.run_errand`
        self.brought: Callable[[RobotsFile], None] | None = None
        #: origins of others, on whose behalf a robots.txt is asked for here
        self.errands: set[str] = set()

    def holds(self, key: HostKey) -> bool:
        """Whether a host may be asked now."""
        return self.cleared is None or self.cleared(key)

    def last_asked(self, key: HostKey, known: float, ready_at: float) -> float:
        """When a host may have been asked last, at the latest. `known`: what is known of that; `ready_at`: monotonic
        time, past, at which it could be asked again, as was stored by whoever asked it."""
        if self.asked_at is None:
            return known
        return max(known, self.asked_at(key), ready_at)

    def give_back(self, requests: Sequence[Request]) -> None:
        """These are not made."""
        if requests and self.put_back is not None:
            self.put_back(requests)

    def send_abroad(self, origin: str, request: Request) -> bool:
        """Whether somebody asks for a robots.txt in our stead, on behalf of an origin."""
        if self.abroad is None or not self.abroad(origin, request):
            return False
        self.errands.discard(origin)
        return True

    def settled(self, origin: str, robots: Robots, closed: str | None) -> None:
        """It is known what an origin's robots.txt says; whoever sent us to ask is told."""
        if origin in self.errands:
            self.errands.discard(origin)
            if self.brought is not None:
                self.brought(RobotsFile(origin=origin, expires_at=0.0, robots=robots, closed=closed))
