"""The stage's face: what may be requested now, and what becomes of each request?

The engine calls, the policy decides; it never waits and touches neither sockets nor storage. One `turn` after
another, all from the event loop's thread:

    turn(room) ->   start     `may_start`, put on the wire, `started` when the head is written, `after` when it ended
                    refused   ended by robots.txt or a retired host, at no cost to anybody
                    wants     frontier.take -> `supply` -> frontier.robots -> `recall`
                    unknown   frontier.host -> `adopt`
                    refill    frontier.hosts -> `adopt`

`wants`, `unknown` and `refill` are answered before the next turn. Which host is due is `schedule`'s to say, which
hosts are in memory `window`'s, what may be requested at all `judge`'s, what an answer means `retry`'s.

Budget: a page request takes a slot of ``budget.pages`` when it is started, and gives it back unless it ends with a
page.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from crawler.models import HostKey, HostState, Kind, Page, ParseFailure, Request, Response, Robots, RobotsFile
from crawler.politeness import retry
from crawler.politeness import robots as robots_txt
from crawler.politeness.budget import PageBudget
from crawler.politeness.judge import Judge
from crawler.politeness.limits import LimitTable
from crawler.politeness.retry import Decision, Deliver, Finish, Handled, Redirect, Settlement, Snooze
from crawler.politeness.schedule import Schedule
from crawler.politeness.turn import Refill, Turn
from crawler.politeness.window import Window
from crawler.url import STANDARD, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crawler.clock import Clock
    from crawler.config import BudgetConfig, LimitsConfig, RobotsConfig, UrlsConfig
    from crawler.errors import FetchError
    from crawler.politeness.host import Host

__all__ = ["Decision", "Deliver", "Finish", "Handled", "Policy", "Redirect", "Settlement", "Snooze", "Turn"]

MAX_REFUSED = 256
"""Refusals in one turn, and about as many URLs taken in, so that judging does not hold up the loop."""


class Policy:
    """Paces all hosts of one crawl.

    Args:
        limits: Pace and concurrency by host.
        robots: Whether and how robots.txt is obeyed.
        agent: Our product name, as robots.txt calls us.
        budget: Where to stop.
        clock: Tells the time; gaps are kept on its monotonic side.
        window: How many hosts are kept in memory.
        urls: How redirect targets are canonicalised.
        resumed: Whether an earlier run may have asked the same hosts a moment ago.
        pages_kept: How many pages earlier runs have kept, for the budget.
        refusal: Why a request must not be made although it was admitted, as a reason of `models.REASONS`; None if
            it may. Asked once for each, before robots.txt is.
    """

    def __init__(
        self,
        *,
        limits: LimitsConfig,
        robots: RobotsConfig,
        budget: BudgetConfig,
        clock: Clock,
        agent: str = "",
        window: int = 10_000,
        urls: UrlsConfig = STANDARD,
        resumed: bool = False,
        pages_kept: int = 0,
        refusal: Callable[[Request], str | None] | None = None,
    ) -> None:
        self._clock = clock
        self._urls = urls
        self._schedule: Schedule[Host] = Schedule()
        self._window = Window(
            size=window, schedule=self._schedule, limits=LimitTable(limits), robots=robots, clock=clock, resumed=resumed
        )
        self._budget = PageBudget(budget.pages, pages_kept)
        self._unstarted: set[int] = set()
        self._judge = Judge(
            robots=robots,
            agent=agent,
            clock=clock,
            schedule=self._schedule,
            window=self._window,
            urls=urls,
            refusal=refusal,
        )
        #: requests handed out by `turn` whose attempt has not ended
        self.in_flight = 0

    @property
    def stopped_by(self) -> str | None:
        """``budget.pages`` once it is spent and nothing is under way; else None."""
        return "budget.pages" if self._budget.spent and not self.in_flight else None

    def wake(self, host_key: HostKey) -> None:
        """The frontier has new URLs for this host."""
        self._window.wake(host_key)

    def adopt(self, states: Iterable[HostState]) -> None:
        """The answer to `Turn.unknown` and `Turn.refill`, together or apart."""
        self._window.adopt(states)

    def turn(self, room: int) -> Turn:
        """What to do now, starting at most `room` requests."""
        turn = Turn()
        if not self._budget.free:
            return turn
        now = self._clock.monotonic()
        refused = self._judge.refused
        turn.refused = [refused.popleft() for _ in range(min(len(refused), MAX_REFUSED))]
        to_judge = len(refused)
        for _ in range(int(min(room, self._budget.free))):
            host = self._schedule.pop(now) if to_judge < MAX_REFUSED else None
            if host is None:
                break
            to_judge += self._serve(host, now, turn)
        turn.unknown = self._window.newcomers()
        free, refill_at = self._window.refill(now, idle=not (turn.start or turn.wants or self.in_flight))
        if free:
            turn.refill = Refill(free, inf, None)
        if turn.wants or turn.unknown or turn.refill or refused:
            turn.next_at = now
        else:
            due = self._schedule.next_at()
            if due is not None and due <= now:
                due = None  # for lack of room, which an attempt's end will make
            turn.next_at = min((at for at in (refill_at, due) if at is not None), default=None)
        return turn

    def supply(self, wants: Sequence[tuple[HostKey, int]], requests: Sequence[Request]) -> list[str]:
        """What the frontier gave for `Turn.wants`: fewer than wanted means that it has no more of that host.

        Returns:
            Origins whose stored verdicts may save asking for robots.txt, for `recall`.
        """
        hosts, now = self._window.hosts, self._clock.monotonic()
        for request in requests:
            host = hosts[request.host_key]
            host.wanted -= 1
            self._judge.sort_in(host, request, now)
        for key, _ in wants:
            host = hosts[key]
            if host.wanted > 0 and not host.woken:
                host.more = False
            host.wanted = 0
            self._window.settle(host)
        return list(dict.fromkeys(origin(request.url) for key, _ in wants for request in hosts[key].unjudged))

    def recall(self, files: Iterable[RobotsFile]) -> None:
        """Verdicts that an earlier run, or this one before it forgot them, has stored; stale ones are ignored."""
        self._judge.recall(files)

    def may_start(self, request: Request) -> bool:
        """Whether a request of `turn` may still go on the wire, to be asked right before it does.

        Not if its host must rest by now (Retry-After, Crawl-delay): it is then taken back, for a later turn.
        """
        host = self._window.hosts[request.host_key]
        if self._schedule.may_start(host, self._clock.monotonic()):
            return True
        self._unstarted.discard(id(request))
        self.in_flight -= 1
        if request.kind is Kind.PAGE:
            self._budget.settle(kept=False)
        self._schedule.taken_back(host)
        host.put_back(request)
        self._window.settle(host)
        return False

    def started(self, request: Request) -> None:
        """The head of a request is on the wire now."""
        self._unstarted.discard(id(request))
        self._schedule.started(self._window.hosts[request.host_key], self._clock.monotonic())

    def after(self, request: Request, answer: Response | FetchError) -> Decision:
        """What follows from an attempt that has ended; its slot at the host is free again."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        host = self._window.hosts[request.host_key]
        started = id(request) not in self._unstarted
        self._unstarted.discard(id(request))
        self.in_flight -= 1
        self._schedule.released(host, now, started=started)
        self._learn(host, answer, now, wall)
        if request.kind is Kind.ROBOTS:
            return self._judge.after_robots(host, request, answer)
        decision = retry.after(request, answer, now=now, wall=wall, rules=self._urls)
        if request.kind is Kind.PAGE and not isinstance(decision, Deliver):
            self._budget.settle(kept=False)
        return decision

    def after_parse(self, request: Request, response: Response, result: Page | ParseFailure) -> Finish:
        """How a delivered page or sitemap ends, now that it is parsed."""
        finish = retry.after_parse(response, result)
        if request.kind is Kind.PAGE:
            self._budget.settle(kept=finish.has_page)
        return finish

    def robots_parsed(self, request: Request, robots: Robots | None) -> None:
        """What a delivered robots.txt says; None if it could not be parsed."""
        self._judge.settle(request, robots or Robots(), None if robots else robots_txt.UNREACHABLE)

    @property
    def pressing(self) -> bool:
        """Whether a host has asked for a rest or a longer delay since the last `changes`: a crash must not forget it,
        so it is worth a checkpoint at once."""
        return self._window.pressing

    def changes(self) -> tuple[list[HostState], list[RobotsFile]]:
        """What the next checkpoint must hold: all that changed since the last `stored` one."""
        return self._window.changes(), self._judge.changes()

    def stored(self) -> None:
        """The last `changes` are committed."""
        self._window.committed()
        self._judge.committed()

    def _serve(self, host: Host, now: float, turn: Turn) -> int:
        """Give a due host its turn: it starts a request, asks for some, or both. Returns how many it asks for."""
        request = host.next_request()
        if request is not None:
            self._schedule.claim(host, now)
            self._unstarted.add(id(request))
            self.in_flight += 1
            if request.kind is Kind.PAGE:
                self._budget.reserve()
            turn.start.append(request)
        # A paced host is asked for when it is due: any sooner, and shallower URLs found meanwhile would come later.
        wanted = host.shortfall if request is None or host.delay_s == 0 else 0
        if wanted:
            host.wanted = wanted
            host.woken = False
            turn.wants.append((host.key, wanted))
        self._window.settle(host)
        return wanted

    def _learn(self, host: Host, answer: Response | FetchError, now: float, wall: float) -> None:
        """What an answer says of its host rather than of its URL."""
        reason = retry.failure(answer)
        if reason is not None and retry.rule_for(reason).blames_host:
            host.failures += 1
            self._window.changed(host)
        elif host.failures and isinstance(answer, Response) and answer.status < 500:
            host.failures = 0
            self._window.changed(host)
        rest_s = retry.retry_after_s(answer, wall)
        if rest_s:
            self._schedule.hold(host, now + rest_s)
            self._window.press(host)
