"""Which hosts are in memory, and what does each of them hold?

A window over the frontier's hosts, of bounded size. A host enters when it has URLs, with its stored state
(`adopt`); it may leave once it has nothing to request and nothing of it is under way or unsaved, and also while it
rests for long (`FAR_S`). Hosts that find no place are not remembered: the frontier knows them, and is asked for more
(`refill`), first for those that may be asked soon and then for all others. While every place is taken and some of the
hosts only rest, the frontier is asked now and then for others to exchange them for.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING

from crawler.politeness.entrance import Entrance
from crawler.politeness.host import Host
from crawler.politeness.limits import LimitTable
from crawler.politeness.retry import MAX_RETRY_AFTER_S
from crawler.politeness.turn import Refill
from crawler.politeness.unsaved import Unsaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawler.clock import Clock
    from crawler.config import Manners
    from crawler.models import HostKey, HostState, Request
    from crawler.politeness.schedule import Schedule
    from crawler.politeness.tenure import Tenure

FAR_S = 30.0
"""A host that rests for longer has its URLs put off, and need not stay in memory."""

_SOON_S = 1.0
_PAUSE_S = 1.0
_PAUSE_FACTOR = 50.0  # a question to the frontier may take a while: at most this share of the time goes into asking
_EVICTION_TRIES = 8
_WORTHWHILE = 8  # a question is, for an eighth of the window or more


class Window:
    """The hosts in memory.

    Args:
        manners: The limits of hosts, how far a stored delay that robots.txt asked for counts, how long a stored rest
            may be (the wall clock may have been set back meanwhile), and how many pages of a host may be kept.
        size: How many. Hosts that a robots.txt redirect leads to come on top, while it is followed.
        resumed: Whether any host may have been asked just before an earlier run died, so that each waits a delay
            after the start; and whether the frontier may know hosts already.
        left: Told of each host that leaves.
        tenure: Which hosts are ours.
    """

    def __init__(
        self,
        manners: Manners,
        *,
        size: int,
        schedule: Schedule[Host],
        clock: Clock,
        resumed: bool = False,
        left: Callable[[Host], None] = lambda _: None,
        tenure: Tenure,
    ) -> None:
        robots = manners.robots
        self._size = size
        self._schedule = schedule
        #: of hosts that enter from now on
        self.limits = LimitTable(manners.limits)
        self._max_crawl_delay_s = robots.max_crawl_delay_s if robots.obey else 0.0
        self._clock = clock
        self._max_rest_s = max(MAX_RETRY_AFTER_S, manners.breaker.rest_s)
        self._pages_per_host = manners.budget.pages_per_host
        self._left = left
        self._tenure = tenure
        self._last_asked = clock.monotonic() if resumed else -inf
        self.hosts: dict[HostKey, Host] = {}
        self._unsaved: Unsaved[HostKey, Host] = Unsaved()
        #: hosts whose counts have changed: worth storing, but not by each checkpoint where there are many
        self.counted = self._unsaved.later
        #: whether something was pressed since the last `changes`
        self.pressing = False
        self._entrance = Entrance()
        #: hosts whose stored states are needed, each once
        self.newcomers = self._entrance.newcomers
        # those that may leave, as far as was known when they were queued:
        self._idle: deque[Host] = deque()  # having nothing to request
        self._far: deque[Host] = deque()  # resting for long, to be exchanged for others that may be asked soon
        self._overflow = resumed  # an earlier run may have left hosts
        self._refill: Refill | None = None  # asked and not answered
        self._refill_got = 0
        self._refill_from = -inf
        self._asked_at = 0.0
        self._want_all = False  # no others may be asked soon

    def wake(self, key: HostKey) -> None:
        """The frontier has URLs for this host."""
        host = self.hosts.get(key)
        if host is None:
            self._call(key)
            return
        host.woken = True
        if not host.more:
            host.more = True
            self.settle(host)

    def visit(self, request: Request) -> None:
        """Queue a robots.txt request, at whichever host it is; one that is not here is let in."""
        host = self.hosts.get(request.host_key)
        if host is None:
            self._entrance.visit(request)
        else:
            host.urgent.append(request)
            self.settle(host)

    def refill(self, now: float, *, idle: bool) -> tuple[Refill | None, float | None]:
        """The question for more hosts, if it is time for one.

        Small numbers are not worth a question, unless nothing else is to be done.

        Returns:
            The question, and if there is none the time at which there may be one.
        """
        if self._refill is not None:
            self._answered(self._refill, now)
        if not self._overflow:
            return None, None
        free = self._size - self._occupied
        while free < self._size and self._let_go(self._idle, now):
            free += 1
        places = max(free, 0) + len(self._far)
        if not places:
            return None, now + _PAUSE_S if self._idle else None  # they may leave once their last pause is over
        if places * _WORTHWHILE < self._size and not idle:
            return None, None
        if now < self._refill_from:
            return None, self._refill_from
        asks_all = self._want_all and free > 0
        limit = free if asks_all or free * _WORTHWHILE >= self._size else min(places, self._size // _WORTHWHILE + 1)
        self._refill = Refill(limit, inf if asks_all else self._clock.wall() + _SOON_S, self._pages_per_host)
        self._asked_at = now
        self._overflow = not asks_all  # what is found or leaves meanwhile may set it again
        return self._refill, None

    def adopt(self, states: Iterable[HostState]) -> list[Host]:
        """Let hosts in with what was stored of them; those already here are woken. Returns those that are new."""
        wall, now = self._clock.wall(), self._clock.monotonic()  # in this order, what passes between lengthens rests
        adopted = []
        for state in states:
            key = state.host_key
            was_asked = self._entrance.arrived(key)
            self._refill_got += not was_asked
            if key in self.hosts:
                self.wake(key)
            elif was_asked and self._entrance.is_outdated(key):
                continue
            elif self._entrance.is_visited(key) or (self._tenure.holds(key) and self._has_room(now)):
                adopted.append(self._enter(state, now, wall))
            else:
                self._overflow = True
        return adopted

    def settle(self, host: Host, now: float | None = None) -> None:
        """Put a host whose work has changed where it belongs."""
        if host.has_work:
            if not host.ticket:
                self._schedule.offer(host, self._clock.monotonic() if now is None else now)
            return
        self._schedule.rest(host, self._clock.monotonic() if now is None else now)
        if host.leaving:
            self._depart(host)
        elif (not host.more or host.is_set_aside) and not host.idle:
            host.idle = True
            self._idle.append(host)
            self._unsaved.hasten(host.key)  # it may leave once that is stored

    def dismiss(self, belongs: Callable[[HostKey], bool], *, lost: bool) -> tuple[list[Host], list[Request]]:
        """These hosts are not ours any more; `lost`: nor is their state ours to store. Those that were here, each of
        which departs once it is settled and nothing of it is under way; and the robots.txt requests for others."""
        if lost:
            self._unsaved.forget(belongs)
        hosts = [host for key, host in self.hosts.items() if belongs(key)]
        for host in hosts:
            host.leaving, host.is_lost, host.more, host.woken = True, lost, False, False
            self.changed(host)
        return hosts, self._entrance.dismiss(belongs)

    def rests(self, host: Host) -> None:
        """It may be asked again only after long."""
        if not host.far:
            host.far = True
            self._far.append(host)

    def changed(self, host: Host) -> None:
        """Its state is worth storing."""
        if not host.is_lost:
            self._unsaved.mark(host.key, host)

    def press(self, host: Host) -> None:
        """As `changed`, by something that a crash must not make us forget: a rest, or a longer delay."""
        self.changed(host)
        self.pressing = True

    def changes(self, *, everything: bool = False) -> list[HostState]:
        """The states to store, see `Policy.changes`. Plain pauses are not: after a resume every host is given one."""
        self.pressing = False
        now, wall = self._clock.monotonic(), self._clock.wall()
        return [host.stored(now, wall) for host in self._unsaved.take(everything=everything)]

    def committed(self) -> None:
        """The last `changes` are safe."""
        self._unsaved.committed()

    @property
    def is_whole(self) -> bool:
        """Whether no host outside of it, or on its way into it, is known to have anything to request."""
        return not (self._overflow or self._entrance or self._refill)

    def _answered(self, refill: Refill, now: float) -> None:
        """The last question was answered with `_refill_got` hosts."""
        is_full, is_all = self._refill_got >= refill.limit, refill.ready_before == inf
        self._overflow |= is_full
        self._want_all = not is_full and not is_all
        self._refill = None
        self._refill_got = 0
        if not self._want_all or self._occupied >= self._size:
            self._refill_from = now + max(_PAUSE_S, _PAUSE_FACTOR * (now - self._asked_at))

    def _enter(self, state: HostState, now: float, wall: float) -> Host:
        limits = self.limits.resolve(state.host_key)
        crawl_delay_s = min(state.delay_s, self._max_crawl_delay_s)
        if crawl_delay_s <= limits.delay_s:
            crawl_delay_s = 0.0
        rest_s = min(max(state.ready_at - wall, 0.0), self._max_rest_s)
        quota = inf if self._pages_per_host is None else self._pages_per_host
        host = Host(state, limits, crawl_delay_s=crawl_delay_s, due=now + rest_s, quota=quota)
        host.last_start = self._tenure.last_asked(host.key, self._last_asked, now + min(state.ready_at - wall, 0.0))
        host.urgent = self._entrance.visits(host.key)
        self.hosts[host.key] = host
        if rest_s > FAR_S:
            host.waits_for = "it was left to rest before"
            host.since = host.due  # counted when it began
            self.rests(host)
        return host

    def _depart(self, host: Host) -> None:
        """A host that was dismissed leaves, once nothing of it is under way."""
        if host.is_quiet and self.hosts.get(host.key) is host:
            self.changed(host)
            self._left(host)
            del self.hosts[host.key]
            if host.woken:
                self._call(host.key)

    @property
    def _occupied(self) -> int:
        asked = self._refill.limit if self._refill is not None else 0
        return len(self.hosts) + len(self._entrance) + asked

    def _call(self, key: HostKey) -> None:
        if key in self._entrance:
            return
        if self._occupied < self._size or self._make_room(self._clock.monotonic()):
            self._entrance.call(key)
        else:
            self._overflow = True

    def _has_room(self, now: float) -> bool:
        return len(self.hosts) < self._size or self._make_room(now)

    def _make_room(self, now: float) -> bool:
        """Let one host go: one that has nothing to do, else one that rests for long; False if there is none."""
        return self._let_go(self._idle, now) or self._let_go(self._far, now)

    def _let_go(self, candidates: deque[Host], now: float) -> bool:
        """Let one of these hosts go, the one queued first if possible; False if none of the first few can."""
        for _ in range(min(len(candidates), _EVICTION_TRIES)):
            host = candidates.popleft()
            if self.hosts.get(host.key) is not host:
                continue  # it has left, from the other queue
            is_far = candidates is self._far
            still = host.due > now + FAR_S if is_far else not host.has_work
            if still and host.key not in self._unsaved and host.may_leave(now, FAR_S):
                self._overflow |= host.more and not host.is_set_aside
                self._schedule.rest(host, now)
                self._left(host)
                del self.hosts[host.key]
                return True
            self._unsaved.hasten(host.key)
            if is_far:
                host.far = still
            else:
                host.idle = still
            if still:
                candidates.append(host)
        return False
