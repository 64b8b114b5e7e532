"""The stage's face: what may be requested now, and what becomes of each request?

The engine calls, the policy decides; it never waits and touches neither sockets nor storage. One `turn` after
another, all from the event loop's thread; what to do with each part of it is said there.

Which host is due is `schedule`'s to say, which hosts are in memory `window`'s, what may be requested `judge`'s, how a
host fares `health`'s, what an answer means `retry`'s, where a host is `places`', and when it is enough `budget`'s.
"""

from __future__ import annotations

import sys
from random import random
from typing import TYPE_CHECKING

from crawler.models import HostKey, HostState, Kind, Page, ParseFailure, Request, Response, Robots, RobotsFile
from crawler.politeness import retry, waits
from crawler.politeness import robots as robots_txt
from crawler.politeness.budget import Budget, Spent
from crawler.politeness.health import Health
from crawler.politeness.inside import Inside
from crawler.politeness.judge import Answer, Judge
from crawler.politeness.places import Places
from crawler.politeness.retry import Decision, Deliver, Finish, Handled, Redirect, Settlement, Snooze
from crawler.politeness.schedule import Schedule
from crawler.politeness.starting import Starting
from crawler.politeness.steering import Steering
from crawler.politeness.tally import Tally
from crawler.politeness.tenure import Tenure
from crawler.politeness.turn import Turn
from crawler.politeness.views import Views
from crawler.politeness.window import Window
from crawler.reasons import PRIVATE_ADDRESS
from crawler.url import STANDARD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crawler.clock import Clock
    from crawler.config import Manners, UrlsConfig
    from crawler.errors import FetchError
    from crawler.politeness.host import Host
    from crawler.reach import Reach

__all__ = ["Decision", "Deliver", "Finish", "Handled", "Policy", "Redirect", "Settlement", "Snooze", "Spent", "Turn"]

MAX_REFUSED = 256
"""Refusals in one turn, and about as many URLs taken in, so that judging does not hold up the loop."""


class Policy:
    """Paces all hosts of one crawl.

    Args:
        manners: What the configuration asks for.
        clock: Tells the time; gaps are kept on its monotonic side.
        agent: Our product name, as robots.txt calls us.
        window: How many hosts are kept in memory.
        urls: How redirect targets are canonicalised.
        resumed: Whether an earlier run may have asked the same hosts a moment ago.
        spent: What earlier runs have used of the budgets.
        locates: Whether `Turn.locate` is answered; if not, addresses count for nothing.
        refusal: Why an admitted request must not be made, as a reason of `reasons.REASONS`; or a monotonic time before
            which it may not; or the same with a note, to be made in its place. Asked before robots.txt is.
        reach: Where what was found may lead; None: anywhere.
        random: A number of at least 0 and below 1, for jitter.
    """

    def __init__(
        self,
        manners: Manners,
        *,
        clock: Clock,
        agent: str = "",
        window: int = 10_000,
        urls: UrlsConfig = STANDARD,
        resumed: bool = False,
        spent: Spent = Spent(),  # noqa: B008  (frozen)
        locates: bool = False,
        refusal: Callable[[Request], Answer] | None = None,
        reach: Reach | None = None,
        random: Callable[[], float] = random,
    ) -> None:
        self._clock = clock
        self._urls = urls
        #: of hosts left out in this run
        self.tally = Tally()
        self._schedule: Schedule[Host] = Schedule(random, crowded=waits.crowded)
        self._places = Places(manners.limits.per_address.concurrency, self._schedule, self.tally)
        #: which hosts are ours to ask, where workers share a crawl
        self.tenure = Tenure()
        self._window = Window(
            manners, size=window, schedule=self._schedule, clock=clock, resumed=resumed, left=self._places.leave,
            tenure=self.tenure,
        )  # fmt: skip
        self._health = Health(manners, self._schedule, self._window, self.tally, clock)
        #: what may be spent, and is
        self.budget = Budget(manners.budget, spent, clock.monotonic())
        #: what a person sees of the hosts
        self.views = Views(self._window, self._health, clock)
        self.inside = Inside(reach, self._window)
        self._judge = Judge(
            manners, agent=agent, clock=clock, health=self._health, places=self._places, window=self._window, urls=urls,
            refusal=refusal, inside=self.inside, tenure=self.tenure,
        )  # fmt: skip
        self._starting = Starting(
            schedule=self._schedule, window=self._window, health=self._health, judge=self._judge, places=self._places,
            budget=self.budget, clock=clock, tenure=self.tenure, locates=locates,
        )  # fmt: skip
        self.steering = Steering(
            window=self._window, judge=self._judge, health=self._health, places=self._places, tenure=self.tenure,
            clock=clock,
        )  # fmt: skip
        self.dismiss, self.has_left = self.steering.dismiss, self.steering.has_left
        self.relimit, self.allow_at_address = self.steering.relimit, self.steering.allow_at_address

    @property
    def in_flight(self) -> int:
        """Requests handed out by `turn` whose attempt has not ended."""
        return self._starting.in_flight

    @property
    def stopped_by(self) -> str | None:
        """The budget that is spent, once nothing is under way: ``budget.pages``; else None."""
        return None if self.in_flight else self.budget.spent(self._clock.monotonic())

    @property
    def all_set_aside(self) -> str | None:
        """``budget.pages_per_host``, if only hosts that have given it are known to have anything to request; else None.
        Only events can change that: URLs found or woken, the end of a request."""
        busy = self.in_flight or self._places.asked or self._judge.refused or self._judge.put_off
        if self.budget.per_host is None or busy or not self._window.is_whole:
            return None
        return "budget.pages_per_host" if self._schedule.next_at() is None else None

    def wake(self, host_key: HostKey) -> None:
        """The frontier has new URLs for this host."""
        self._window.wake(host_key)

    def adopt(self, states: Iterable[HostState]) -> None:
        """The answer to `Turn.unknown` and `Turn.refill`, together or apart."""
        now = self._clock.monotonic()
        for host in self._window.adopt(states):
            self._health.admitted(host, now)
            self._judge.turn_away(host, now)

    def located(self, host_key: HostKey, addresses: Sequence[str]) -> None:
        """Where a host of `Turn.locate` is; empty where that is not ours to know."""
        host = self._window.hosts[host_key]
        self._places.found(host, addresses)
        self._judge.located(host, addresses, self._clock.monotonic())
        self._window.settle(host)

    def not_located(self, host_key: HostKey, error: FetchError) -> None:
        """The name of a host of `Turn.locate` does not resolve."""
        host, now = self._window.hosts[host_key], self._clock.monotonic()
        self._places.not_found(host, error, now)
        self._judge.turn_away(host, now)

    def turn(self, room: int) -> Turn:
        """What to do now, starting at most `room` requests."""
        now = self._clock.monotonic()
        free = self.budget.free(now)
        turn = self.refusals(MAX_REFUSED if free or self.budget.is_portioned else 0)
        if not free:
            if self.budget.is_portioned:  # whoever is not adopted shows nobody that more would be used
                turn.unknown = self._window.newcomers()
                if self._schedule.next_at() is not None:
                    self.budget.lack()
            return turn
        refused = self._judge.refused
        to_judge = len(refused)
        left = int(min(room, free))
        while left > 0 and to_judge < MAX_REFUSED and (host := self._schedule.pop(now)) is not None:
            before = len(turn.start)
            to_judge += self._starting.serve(host, now, turn, left)
            left -= len(turn.start) - before or 1
        turn.unknown = self._window.newcomers()
        turn.refill, refill_at = self._window.refill(now, idle=not (turn.start or turn.wants or self.in_flight))
        if turn.wants or turn.unknown or turn.refill or refused:
            turn.next_at = now
        else:
            due = self._schedule.next_at()
            if due is not None and due <= now and self.in_flight:
                due = None  # for lack of room, which an attempt's end will make
            turn.next_at = min((at for at in (refill_at, due, self.budget.ends_at) if at is not None), default=None)
        return turn

    def refusals(self, most: int = sys.maxsize) -> Turn:
        """Of a turn what needs no request: what is put off, and at most so much of what is refused. To be asked for
        while nothing may be started, as a host that is to leave may wait for it (`dismiss`)."""
        turn, refused = Turn(), self._judge.refused
        turn.put_off, self._judge.put_off = self._judge.put_off, []
        turn.refused = [refused.popleft() for _ in range(min(len(refused), most))]
        self.budget.forgo(request for request, _ in turn.refused)
        return turn

    def supply(self, wants: Sequence[tuple[HostKey, int]], requests: Sequence[Request]) -> list[str]:
        """What the frontier gave for `Turn.wants`: fewer than wanted means that it has no more of that host. Returns
        origins whose stored verdicts may save asking for robots.txt, for `recall`."""
        return self._judge.take_in(wants, requests)

    def recall(self, files: Iterable[RobotsFile]) -> list[Request]:
        """Stored verdicts, stale ones among them. Returns the sitemaps to follow that they name; some may be known."""
        return self._judge.recall(files)

    def may_start(self, request: Request) -> bool:
        """Whether a request of `turn` may still go on the wire, to be asked before it is fetched: not if its host must
        rest by now (Retry-After, Crawl-delay, breaker); it is then taken back, for a later turn."""
        return self._starting.may_go(request)

    def may_send(self, request: Request) -> bool:
        """The same, to be asked once there is a connection, right before the head is written."""
        return self._starting.may_go(request)

    def withdraw(self, request: Request, *, keep: bool = False) -> None:
        """A request of `turn` does not go on the wire now; the frontier's again, unless it is kept for a later turn."""
        self._starting.withdraw(request, keep=keep)

    def started(self, request: Request) -> None:
        """The head of a request is on the wire now."""
        self._starting.started(request)

    def after(self, request: Request, answer: Response | FetchError) -> Decision:
        """What follows from an attempt that has ended; its slot at the host is free again."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        host = self._window.hosts[request.host_key]
        self._starting.ended(host, request, now)
        if isinstance(answer, Response):
            self.budget.received(len(answer.body))
            if (address := answer.address) != host.address and address is not None and host.address is not None:
                self._places.move(host, address)
        elif answer.reason == PRIVATE_ADDRESS:
            self._judge.shut(host, now)
        gave_up = self._health.learn(host, request, answer, now, wall)
        decision: Decision
        if request.kind is Kind.ROBOTS:
            decision = self._judge.after_robots(host, request, answer)
        else:
            decision = retry.after(request, answer, now=now, wall=wall, rules=self._urls)
            if not isinstance(decision, Deliver) and request.kind is Kind.PAGE:
                kept = isinstance(decision, Finish) and decision.has_page  # by an earlier generation
                self.budget.settle(host, request, kept=kept, again=isinstance(decision, Snooze))
                self._health.gave(host, kept=kept)
            if host.waits_for and isinstance(decision, Snooze):
                self._schedule.wait_out(host, now)
        if gave_up:
            self._places.leave(host)
        if not host.ticket or host.waits_for or host.given_up is not None:
            self._judge.turn_away(host, now)
        return decision

    def after_parse(self, request: Request, response: Response, result: Page | ParseFailure) -> Finish:
        """How a delivered page or sitemap ends, now that it is parsed."""
        finish = retry.after_parse(response, result, request.known)
        if request.kind is Kind.PAGE:
            host = self._window.hosts[request.host_key]
            self.budget.settle(host, request, kept=finish.has_page)
            self._health.gave(host, kept=finish.has_page)
            if host.leaving:
                self._window.settle(host)
        return finish

    def robots_parsed(self, request: Request, robots: Robots | None, missing: str | None = None) -> list[Request]:
        """What a delivered robots.txt says; None if it could not be parsed, and why. Returns the sitemaps to follow."""
        return self._judge.settle(request, *((robots, None) if robots else robots_txt.unreachable(missing)))

    @property
    def pressing(self) -> bool:
        """Whether a host has asked for a rest or a longer delay since the last `changes`: worth storing at once."""
        return self._window.pressing

    def changes(self, *, everything: bool = False) -> tuple[list[HostState], list[RobotsFile]]:
        """What the next checkpoint must hold, unless it was `stored`; mere counts of hosts only if `everything`."""
        return self._window.changes(everything=everything), self._judge.verdicts.changes()

    def stored(self) -> None:
        """The last `changes` are committed."""
        self._window.committed()
        self._judge.verdicts.committed()
