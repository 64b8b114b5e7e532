"""What does an answer say of its host rather than of its URL?

It may ask for a rest (Retry-After), speak of strain (`throttle`), or be one failure too many (`breaker`). What is
learnt is applied to the schedule here, and marked for the next checkpoint: at once, where a crash must not make us
forget it.
"""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

from crawler.models import Outcome, Response
from crawler.politeness import retry, waits
from crawler.politeness.breaker import REASON, Breaker, Effect
from crawler.politeness.limits import adaptive_of
from crawler.politeness.retry import Finish
from crawler.politeness.schedule import GUARD_S
from crawler.politeness.throttle import Throttle

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.config import Manners
    from crawler.errors import FetchError
    from crawler.models import Request
    from crawler.politeness.host import Host
    from crawler.politeness.schedule import Schedule
    from crawler.politeness.tally import Tally
    from crawler.politeness.window import Window

log = logging.getLogger(__name__)

_TELLING = 0.1
"""A pause that changes by this share of itself is worth storing."""


class Health:
    """Learns how hosts fare.

    Args:
        manners: How pauses grow, and when a failing host rests.
        schedule: Of the hosts.
        window: Told what is worth storing.
        tally: Told of hosts that are given up, or have given all that they may.
        clock: Tells the time.
    """

    def __init__(self, manners: Manners, schedule: Schedule[Host], window: Window, tally: Tally, clock: Clock) -> None:
        self._throttle = Throttle(adaptive_of(manners.limits))
        self._breaker = Breaker(manners.breaker)
        self._tally = tally
        self._schedule = schedule
        self._window = window
        self._clock = clock

    def admitted(self, host: Host, now: float) -> None:
        """A host is in the window, with what was stored of it."""
        if host.is_set_aside:
            self.set_aside(host)
        if host.retired:
            self._tally.given_up(host.key)
            self._schedule.free(host, now)
            return
        self._schedule.pace(host, self._throttle.delay_s(host), now)
        if self._breaker.is_open(host):
            host.concurrency = 1
            host.waits_for = f"it failed {host.failures} times in a row"
        if host.waits_for:
            waits.resting(host, host.waits_for, host.due - now)

    def only_pauses(self, host: Host) -> bool:
        """Whether nothing but its pace, as it is, keeps it from being asked."""
        return host.due <= host.last_start + host.delay_s + GUARD_S + host.jitter_s

    def relimited(self, host: Host, now: float, *, only_paused: bool) -> None:
        """Other limits hold for it: its delay and concurrency, as far as it bears them. A shorter delay counts from its
        latest start on, if it `only_paused`."""
        if host.retired:
            return
        self._schedule.pace(host, self._throttle.delay_s(host), now)
        if only_paused:
            self._schedule.bring_forward(host, host.last_start + host.delay_s + GUARD_S, now)
        self._schedule.narrow(host, 1 if self._breaker.is_open(host) else host.slots, now)

    def set_aside(self, host: Host) -> None:
        """It has given all the pages that it may."""
        self._tally.set_aside(host.key)
        waits.set_aside(host)

    def starting(self, host: Host, request: Request) -> None:
        """A request is handed out; of an open breaker it is the one that tries the host."""
        if self._breaker.is_open(host):
            host.trial = id(request)

    def may_start(self, host: Host, request: Request) -> bool:
        """Whether a request handed out may go on the wire, as far as the breaker is concerned."""
        return host.trial == id(request) or not self._breaker.is_open(host)

    def taken_back(self, host: Host, request: Request) -> None:
        """It will not be made now after all."""
        if host.trial == id(request):
            host.trial = None

    def learn(self, host: Host, request: Request, answer: Response | FetchError, now: float, wall: float) -> bool:
        """Take in how an attempt went; whether the host has just been given up."""
        reason = retry.failure(answer)
        latency_s = answer.elapsed_s if isinstance(answer, Response) else None
        strained = reason is not None and retry.strains(reason)
        backs_off = strained or host.backoff_s > 0
        delay_s = self._throttle.learn(host, latency_s, strained=strained)
        if backs_off or delay_s != host.delay_s:
            if backs_off or abs(delay_s - host.delay_s) > _TELLING * host.delay_s:
                self._window.changed(host)
            self._schedule.pace(host, delay_s, now)
        if log.isEnabledFor(logging.DEBUG):  # asked first: it is rarely, and this is for every request
            waits.pausing(host, self.why(host), now)
        if reason is None and not host.failures:
            return False  # there is nothing to count
        if reason is not None and (rest_s := retry.retry_after_s(answer, wall)):
            self.rest(host, rest_s, "it asked to be left alone", now)
        failed = reason is not None and retry.rule_for(reason).blames_host
        if not failed and not host.failures:
            return False
        answered = not failed and isinstance(answer, Response) and answer.status < 500
        return self._count(host, self._breaker.after(host, id(request), failed=failed, answered=answered), now)

    def told_delay(self, host: Host, delay_s: float) -> None:
        """Its robots.txt asks for a pause; one not longer than what it has changes nothing."""
        if delay_s > max(host.asked_delay_s, host.crawl_delay_s):
            host.crawl_delay_s = delay_s
            self._schedule.pace(host, self._throttle.delay_s(host), self._clock.monotonic())
            self._window.press(host)

    def gave(self, host: Host, *, kept: bool) -> None:
        """A page of a host has ended, with a record or not; that matters where it may give only so many."""
        if host.quota == inf:
            return
        if kept:
            self._window.changed(host)
        if host.is_set_aside:
            self.set_aside(host)
            host.empty_hand()  # they stay pending, as do those it never took
        self._window.settle(host)

    def rest(self, host: Host, rest_s: float, why: str, now: float) -> None:
        """Nothing of a host starts for `rest_s`; `why` in words, as the end of a sentence about it.

        One that was given up need not rest: nothing of it starts anyway.
        """
        if host.given_up is not None:
            return
        if (until := now + rest_s) > host.due:
            if why != host.waits_for or until > host.due + waits.MOMENT_S:
                waits.resting(host, why, rest_s)
            host.waits_for = why
            self._schedule.hold(host, until, now)
        self._window.press(host)

    def in_vain(self, host: Host) -> None:
        """A host's time had come, and there was nothing to request."""
        self._schedule.in_vain(host)

    def turn_over(self, host: Host, now: float) -> None:
        """A host has had its turn, without a request."""
        self._schedule.hold(host, now, now)

    def why(self, host: Host) -> str:
        """Why a host waits, in words, as the end of a sentence about it."""
        return host.waits_for or _pace(host)

    def is_broken(self, host: Host) -> bool:
        """Whether it failed too often to be asked more than a trial."""
        return self._breaker.is_open(host)

    def _count(self, host: Host, effect: Effect, now: float) -> bool:
        """Do what follows from an attempt; whether the host has just been given up."""
        match effect:
            case Effect.NONE:
                pass
            case Effect.COUNTED:
                self._window.changed(host)
            case Effect.OPENED:
                self._schedule.narrow(host, 1, now)
                why = f"it failed {host.failures} times in a row"
                self.rest(host, self._breaker.rest_s, why, now)
                log.warning("host rests", extra={"host": host.key, "wait_s": self._breaker.rest_s, "why": why})
            case Effect.CLOSED:
                self._schedule.narrow(host, host.slots, now)
                self._window.press(host)
            case Effect.RETIRED:
                host.retired = REASON
                self._tally.given_up(host.key)
                host.given_up = Finish(Outcome.EXCLUDED, REASON)
                self._schedule.free(host, now)
                self._window.press(host)
                log.warning("host given up", extra={"host": host.key, "why": "it failed again after a rest"})
                return True
        return False


def _pace(host: Host) -> str:
    """What sets the pause between its requests, in words."""
    if host.backoff_s >= host.delay_s:
        return f"{_seconds(host.backoff_s)} between requests after errors"
    if host.crawl_delay_s >= host.delay_s:
        return f"its robots.txt asks for {_seconds(host.crawl_delay_s)} between requests"
    if host.asked_delay_s >= host.delay_s:
        return f"{_seconds(host.asked_delay_s)} between requests"
    return f"it takes {_seconds(host.latency_s)} to answer"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 100 else f"{seconds:.2g} s"
