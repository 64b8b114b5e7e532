"""May a request be made at all?

By what robots.txt says of it, once that is known: requests wait at their host for the verdict on their origin. What a
verdict is, is `robots`' business; who asks for it and when, `policy`'s.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from crawler.models import Outcome, Request, Robots, RobotsFile, Url
from crawler.politeness import robots as robots_txt
from crawler.politeness.retry import Deliver, Finish, Handled, Redirect, Snooze
from crawler.politeness.robots import Verdict, Verdicts
from crawler.url import host_key, origin, path_and_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawler.clock import Clock
    from crawler.config import RobotsConfig, UrlsConfig
    from crawler.errors import FetchError
    from crawler.models import Response
    from crawler.politeness.host import Host
    from crawler.politeness.schedule import Schedule
    from crawler.politeness.window import Window


class Judge:
    """Lets requests into their host's hand, or refuses them. Arguments are those of `Policy`."""

    def __init__(
        self,
        *,
        robots: RobotsConfig,
        agent: str,
        clock: Clock,
        schedule: Schedule[Host],
        window: Window,
        urls: UrlsConfig,
        refusal: Callable[[Request], str | None] | None,
    ) -> None:
        self._robots = robots
        self._agent = agent
        self._clock = clock
        self._schedule = schedule
        self._window = window
        self._urls = urls
        self._refusal = refusal
        self._verdicts = Verdicts(clock)
        #: refused, with the end of each
        self.refused: deque[tuple[Request, Finish]] = deque()

    def sort_in(self, host: Host, request: Request, now: float) -> None:
        """Find a request its place: it may start, is refused, or waits for a robots.txt."""
        reason = host.retired or (self._refusal(request) if self._refusal else None)
        if reason is not None or not self._robots.obey:
            self._judged(host, request, reason, now)
        elif (verdict := self._verdicts.get(origin(request.url), now)) is None:
            host.unjudged.append(request)
        else:
            self._apply(verdict, host, request, now)

    def after_robots(self, host: Host, request: Request, answer: Response | FetchError) -> Deliver | Handled:
        """What follows from an attempt at robots.txt, made at `host`."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        step = robots_txt.after(request, answer, now=now, wall=wall, rules=self._urls)
        match step:
            case Deliver():
                return step
            case Redirect(request=target):
                self._window.visit(target)
            case Snooze(request=again, until=until):
                self._schedule.hold(host, until)
                self._window.press(host)
                self._window.visit(again)
            case robots_txt.Settled(closed=closed):
                self.settle(request, Robots(), closed)
        return Handled()

    def settle(self, asked: Request, robots: Robots, closed: str | None) -> None:
        """A verdict is reached: the host that waited for it goes on."""
        asking = robots_txt.asking_origin(asked)
        verdict = self._verdicts.settle(asking, robots, closed)
        self._window.hosts[host_key(Url(f"{asking}/"))].asking = False
        self._apply_to_waiting(asking, verdict, self._clock.monotonic())

    def recall(self, files: Iterable[RobotsFile]) -> None:
        """Verdicts that were stored; those that are stale, or what was said to another agent, are ignored."""
        now = self._clock.monotonic()
        for file in files:
            is_ours = file.robots.agent in ("", self._agent)
            verdict = self._verdicts.restore(file) if is_ours else None
            if verdict is not None:
                self._apply_to_waiting(file.origin, verdict, now)

    def changes(self) -> list[RobotsFile]:
        """Verdicts reached and not yet committed."""
        return self._verdicts.changes()

    def committed(self) -> None:
        """The last `changes` are safe."""
        self._verdicts.committed()

    def _apply(self, verdict: Verdict, host: Host, request: Request, now: float) -> None:
        delay_s = min(verdict.crawl_delay_s, self._robots.max_crawl_delay_s)
        if self._schedule.slow_down(host, delay_s):
            host.crawl_delay_s = delay_s
            self._window.press(host)
        self._judged(host, request, verdict.refusal(path_and_query(request.url)), now)

    def _judged(self, host: Host, request: Request, reason: str | None, now: float) -> None:
        host.proven = reason is None
        if reason is None:
            host.hand.append(request)
            return
        self.refused.append((request, Finish(Outcome.EXCLUDED, reason)))
        if not host.hand:
            self._schedule.hold(host, now)  # it has had its turn: behind all that are due already

    def _apply_to_waiting(self, judged: str, verdict: Verdict, now: float) -> None:
        """The requests that waited for the verdict on the origin `judged` go on."""
        host = self._window.hosts.get(host_key(Url(f"{judged}/")))
        if host is None:
            return
        waiting, host.unjudged = host.unjudged, deque()
        for request in waiting:
            if origin(request.url) == judged:
                self._apply(verdict, host, request, now)
            else:
                host.unjudged.append(request)
        self._window.settle(host)
