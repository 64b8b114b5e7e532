"""What does a host in memory hold, and what does it need?

Which hosts are in memory is `window`'s to say, when one is due `schedule`'s, what may be requested `policy`'s.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from crawler.models import Kind
from crawler.politeness import robots as robots_txt
from crawler.politeness.schedule import Scheduled, State

if TYPE_CHECKING:
    from crawler.models import HostState, Request

HAND_PACED = 2
HAND_UNPROVEN = 8
HAND_MAX = 64
"""Requests a host takes from the frontier at once: two with a delay, else four for each slot, up to `HAND_MAX`, but
up to `HAND_UNPROVEN` where none may be requested: each costs a match with robots.txt, and a refusal takes no slot."""


class Host(Scheduled):
    """A host in the window.

    Args:
        state: What was stored of it.
        delay_s: Pause between the starts of two requests, by the configuration.
        crawl_delay_s: The longer one that robots.txt asked for; 0 if it asked for none.
        concurrency: Requests in flight at most.
        due: When its first request may start.
    """

    __slots__ = (
        *("asking", "crawl_delay_s", "failures", "hand", "more", "proven"),
        *("resting", "retired", "unjudged", "urgent", "wanted", "woken"),
    )

    def __init__(self, state: HostState, *, delay_s: float, crawl_delay_s: float, concurrency: int, due: float) -> None:
        super().__init__(state.host_key, delay_s=max(delay_s, crawl_delay_s), concurrency=concurrency, due=due)
        #: its delay, as far as robots.txt asked for it: what is stored, so that one of the configuration is not
        self.crawl_delay_s = crawl_delay_s
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
        #: whether it is in the queue of hosts that may leave
        self.resting = False
        self.failures = state.failures
        self.retired = state.retired

    def state(self, now: float) -> State:
        """What it is doing at `now`."""
        return State.RETIRED if self.retired else super().state(now)

    @property
    def has_work(self) -> bool:
        """Whether its turn would come to something."""
        return bool(self.urgent or self.hand or (self.unjudged and not self.asking) or self.shortfall)

    @property
    def shortfall(self) -> int:
        """How many requests to ask of the frontier now; 0 while there are enough."""
        if self.wanted or not self.more:
            return 0
        held = len(self.hand) + len(self.unjudged)
        if self.delay_s > 0:
            return 0 if held else HAND_PACED
        full = min(4 * self.concurrency, HAND_MAX if self.proven else HAND_UNPROVEN)
        return full - held if held < full // 2 else 0

    def next_request(self) -> Request | None:
        """What it starts with when it is due, taken from it; None if nothing is at hand."""
        if self.urgent:
            return self.urgent.popleft()
        if self.hand:
            return self.hand.popleft()
        if self.unjudged and not self.asking:
            self.asking = True
            return robots_txt.request_for(self.unjudged[0])
        return None

    def put_back(self, request: Request) -> None:
        """Undo `next_request`."""
        (self.urgent if request.kind is Kind.ROBOTS else self.hand).appendleft(request)

    def may_leave(self, now: float) -> bool:
        """Whether forgetting it would lose nothing."""
        return self.due <= now and not (
            self.more or self.hand or self.unjudged or self.urgent or self.wanted or self.asking or self.in_flight
        )
