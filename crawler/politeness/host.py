"""What does a host in memory hold, and what does it need?

Which hosts are in memory is `window`'s to say, when one is due `schedule`'s, what may be requested `policy`'s.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING

from crawler.models import HostState, Kind, Outcome
from crawler.politeness import robots as robots_txt
from crawler.politeness.retry import Finish
from crawler.politeness.scheduled import Scheduled, State

if TYPE_CHECKING:
    from crawler.models import Request
    from crawler.politeness.limits import Resolved

HAND_PACED = 2
HAND_UNPROVEN = 8
HAND_MAX = 64
HAND_CLOSED = 256
"""Requests a host takes from the frontier at once: two with a delay, else four for each slot, up to `HAND_MAX`, but
up to `HAND_UNPROVEN` where none may be requested: each costs a match with robots.txt, and a refusal takes no slot.
Those of a host that is given up cost next to nothing."""


class Host(Scheduled):
    """A host in the window.

    Args:
        state: What was stored of it.
        limits: What the configuration asks for.
        crawl_delay_s: The longer pause that robots.txt asked for; 0 if it asked for none.
        due: When its first request may start.
        quota: How many of its pages may be kept.
    """

    __slots__ = (
        *("address", "asked_delay_s", "asking", "backoff_s", "crawl_delay_s", "failures", "far"),
        *("first_seen", "given_up", "hand", "idle", "is_inside", "is_lost", "latency_s", "leaving"),
        *("located", "locating", "lookups", "more", "pages", "proven", "quota"),
        *("recovery_s", "requests", "reserved"),
        *("retired", "slots", "told", "trial", "unjudged", "unresolved_until", "urgent"),
        *("waits_for", "wanted", "woken"),
    )

    def __init__(
        self, state: HostState, limits: Resolved, *, crawl_delay_s: float, due: float, quota: float = inf
    ) -> None:
        super().__init__(
            state.host_key,
            delay_s=0.0,  # until `health` has had its say
            concurrency=limits.concurrency,
            due=due,
            jitter_s=limits.jitter_s,
        )
        #: its delay and concurrency by the configuration
        self.asked_delay_s = limits.delay_s
        self.slots = limits.concurrency
        #: its delay, as far as robots.txt asked for it
        self.crawl_delay_s = crawl_delay_s
        #: see `throttle`
        self.latency_s = state.latency_s
        self.backoff_s = state.backoff_s
        self.recovery_s = 0.0
        #: see `breaker`
        self.failures = state.failures
        self.trial: int | None = None
        self.retired = state.retired
        #: how every URL of it ends; None while they are requested
        self.given_up = Finish(Outcome.EXCLUDED, state.retired) if state.retired else None
        #: see `places`
        self.address: str | None = None
        self.located = False
        self.locating = False
        self.lookups = 0
        self.unresolved_until = 0.0
        #: see `inside`
        self.is_inside = False
        self.first_seen = state.first_seen
        #: pages kept, those that may yet be, and how many there may be
        self.pages = state.pages
        self.reserved = 0
        self.quota = quota
        #: requests taken from the frontier that may start, next first
        self.hand: deque[Request] = deque()
        #: those that wait for the verdict of a robots.txt
        self.unjudged: deque[Request] = deque()
        #: robots.txt requests; they go first and wait for nothing but the pace
        self.urgent: deque[Request] = deque()
        #: whether the frontier may have URLs for it
        self.more = True
        #: requests asked of the frontier and not answered yet
        self.wanted = 0
        #: whether URLs were found since the frontier was asked
        self.woken = False
        #: whether a robots.txt is being asked for on its behalf
        self.asking = False
        #: whether the URL judged last may be requested
        self.proven = False
        #: whether it is no longer ours (`leaving`): nothing of it starts
        self.leaving = False
        #: whether its state, too, is others' to store
        self.is_lost = False
        #: whether it is in the window's queues of hosts that may leave
        self.idle = False
        self.far = False
        #: why it rests, in words; empty for a plain pause
        self.waits_for = ""
        #: see `waits`
        self.told: dict[str, float] | None = None
        #: see `crawler.views.HostView`
        self.requests = state.requests
        self.waited_s = state.waited_s

    def state(self, now: float) -> State:
        """What it is doing at `now`."""
        return State.RETIRED if self.retired else super().state(now)

    @property
    def is_set_aside(self) -> bool:
        """Whether it has given as many pages as it may."""
        return self.pages >= self.quota

    @property
    def has_work(self) -> bool:
        """Whether its turn would come to something."""
        if self.locating or self.leaving:
            return False
        at_hand = self.hand or (self.unjudged and not self.asking)
        if self.urgent or (at_hand and self.pages + self.reserved < self.quota):
            return True
        return self.shortfall > 0

    @property
    def shortfall(self) -> int:
        """How many requests to ask of the frontier now; 0 while there are enough."""
        if self.wanted or not self.more:
            return 0
        held = len(self.hand) + len(self.unjudged)
        if self.given_up:
            return HAND_CLOSED
        if self.quota != inf and held >= self.quota - self.pages - self.reserved:
            return 0
        if self.delay_s > 0:
            return 0 if held else HAND_PACED
        full = min(4 * self.slots, HAND_MAX if self.proven else HAND_UNPROVEN)
        return full - held if held < full // 2 else 0

    def next_request(self) -> Request | None:
        """What it starts with when it is due, taken from it; None if nothing is at hand."""
        if self.urgent:
            return self.urgent.popleft()
        if self.pages + self.reserved >= self.quota:
            return None
        if self.hand:
            return self.hand.popleft()
        if self.unjudged and not self.asking:
            self.asking = True
            return robots_txt.request_for(self.unjudged[0])
        return None

    def put_back(self, request: Request) -> None:
        """Undo `next_request`."""
        (self.urgent if request.kind is Kind.ROBOTS else self.hand).appendleft(request)

    def empty_hand(self) -> list[Request]:
        """All requests it has taken from the frontier and not started, no longer in its hand."""
        held = [*self.hand, *self.unjudged]
        self.hand.clear()
        self.unjudged.clear()
        return held

    @property
    def is_quiet(self) -> bool:
        """Whether nothing of it is under way that will yet come back to it."""
        return not (self.in_flight or self.reserved or self.wanted or self.locating)

    def stored(self, now: float, wall: float) -> HostState:
        """Its state, as it is to be stored."""
        return HostState(
            host_key=self.key,
            ready_at=wall + max(0.0, self.due - now),
            delay_s=self.crawl_delay_s,
            failures=self.failures,
            retired=self.retired,
            pages=self.pages,
            backoff_s=self.backoff_s,
            latency_s=self.latency_s,
            first_seen=self.first_seen,
            requests=self.requests,
            waited_s=round(self.waited_s, 3),
        )

    def may_leave(self, now: float, far_s: float) -> bool:
        """Whether forgetting it would lose nothing: it has nothing to do, or not within `far_s`."""
        if self.hand or self.unjudged or self.urgent or self.wanted or self.asking or self.in_flight or self.locating:
            return False
        if self.reserved or self.trial is not None:
            return False
        return self.due > now + far_s or (self.due <= now and (not self.more or self.is_set_aside))
