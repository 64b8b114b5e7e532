"""May a request be made at all?

By what robots.txt says of it, once that is known: requests wait at their host for the verdict on their origin. Those of
a host that was given up are refused, those of one that rests for long put off. What a verdict is, is `robots`'
business; who asks for it and when, `policy`'s.
"""

from __future__ import annotations

from collections import deque
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.models import Outcome, Request, Robots, RobotsFile, Url
from crawler.politeness import robots as robots_txt
from crawler.politeness.retry import Deliver, Finish, Handled, Redirect, Snooze
from crawler.politeness.robots import Verdict, Verdicts
from crawler.politeness.unvisited import left_to_visit
from crawler.politeness.window import FAR_S
from crawler.reach import UNSEEN
from crawler.reasons import PRIVATE_ADDRESS
from crawler.url import origin, path_and_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crawler.clock import Clock
    from crawler.config import Manners, UrlsConfig
    from crawler.errors import FetchError
    from crawler.models import HostKey, Response
    from crawler.politeness.health import Health
    from crawler.politeness.host import Host
    from crawler.politeness.inside import Inside
    from crawler.politeness.places import Places
    from crawler.politeness.tenure import Tenure
    from crawler.politeness.window import Window

Answer = str | float | Request | None
"""To whether a request may be made: yes; yes, in this form; not before a monotonic time; or a reason why not."""

MAX_LAID_ASIDE = 10_000
"""How many hosts may rest in the middle of asking for their robots.txt; that of others counts as unreachable."""


class Judge:
    """Lets requests into their host's hand, or refuses them. Arguments are those of `Policy`."""

    def __init__(
        self,
        manners: Manners,
        *,
        agent: str,
        clock: Clock,
        health: Health,
        places: Places,
        inside: Inside,
        window: Window,
        urls: UrlsConfig,
        refusal: Callable[[Request], Answer] | None,
        tenure: Tenure,
    ) -> None:
        self._robots = manners.robots
        self._follow_sitemaps = manners.sitemaps.follow
        self._agent = agent
        self._clock = clock
        self._health = health
        self._places = places
        self._inside = inside
        self._window = window
        self._urls = urls
        self._refusal = refusal
        self._tenure = tenure
        #: what was said by each robots.txt
        self.verdicts = Verdicts(clock)
        #: refused, with the end of each
        self.refused: deque[tuple[Request, Finish]] = deque()
        #: not to be made before a monotonic time
        self.put_off: list[tuple[Request, float]] = []
        #: by origin: the next request for its robots.txt, once its host has rested
        self.laid_aside: dict[str, Request] = {}

    def take_in(self, wants: Sequence[tuple[HostKey, int]], requests: Sequence[Request]) -> list[str]:
        """What the frontier gave, see `Policy.supply`."""
        hosts, now = self._window.hosts, self._clock.monotonic()
        for key, together in groupby(requests, attrgetter("host_key")):
            host, given = hosts[key], list(together)
            host.wanted -= len(given)
            if host.leaving:
                self._tenure.give_back(given)
                continue
            if host.given_up is not None:
                self._places.look_again(host, now)
            self._sort_in(host, given, now)
        asked = [hosts[key] for key, _ in wants]
        for host, (_, wanted) in zip(asked, wants, strict=True):
            if host.wanted > 0 and not host.woken:
                host.more = False
                if host.wanted == wanted:
                    self._health.in_vain(host)
            host.wanted = 0
            if host.given_up is not None:
                self._health.turn_over(host, now)  # behind all that are due already
            self.turn_away(host, now)
        return list(dict.fromkeys(origin(request.url) for host in asked for request in host.unjudged))

    def _sort_in(self, host: Host, requests: Sequence[Request], now: float) -> None:
        """Find requests of a host their place: they may start, are refused, or wait for a robots.txt."""
        requests, settled = left_to_visit(requests)
        self.refused += settled
        if (end := host.given_up) is not None:
            self.refused += [(request, end) for request in requests]
            return
        asked, verdict = "", None  # most are of one origin
        judges_all, judges_seeds = self._inside.concerns(host)
        for given in requests:
            request, answer = given, self._refusal(given) if self._refusal else None
            if isinstance(answer, float):
                self._later(host, given, answer, now)
                continue
            if isinstance(answer, Request):
                request, answer = answer, None  # the same, with a note
            reason = answer
            if reason is None and (judges_all or (judges_seeds and given.via is None)):
                may_go = self._inside.judged(host, request)
                request, reason = (may_go, None) if may_go is not None else (given, PRIVATE_ADDRESS)
            if reason is not None or not self._robots.obey:
                self._judged(host, request, reason, now)
                continue
            if (asking := origin(request.url)) != asked:
                asked, verdict = asking, self.verdicts.get(asking, now)
            if verdict is None:
                host.unjudged.append(request)
            else:
                self._apply(verdict, host, request, now)

    def visit(self, request: Request) -> None:
        """Have a robots.txt asked for at whichever host it is, unless that is not to be had soon."""
        if request.host_key != robots_txt.asking_host(request) and not self._tenure.holds(request.host_key):
            self._ask_abroad(request)
            return
        now = self._clock.monotonic()
        self._window.visit(request)
        host = self._window.hosts.get(request.host_key)
        if host is not None:
            self._places.look_again(host, now)
            self.turn_away(host, now)

    def turn_back(self, request: Request) -> None:
        """A robots.txt request is not made, as its host is no longer ours. The host on whose behalf it was may be."""
        if self._is_awaited(request):
            self._ask_abroad(request)

    def located(self, host: Host, addresses: Sequence[str], now: float) -> None:
        """A host is at these addresses: what waits there already is judged by them."""
        self._inside.found(host, addresses)
        if host.is_inside or host.first_seen == UNSEEN:
            self._sort_in(host, host.empty_hand(), now)

    def shut(self, host: Host, now: float) -> None:
        """A host has turned out to be at no public address any more."""
        if not host.is_inside:
            host.is_inside = True
            self._sort_in(host, host.empty_hand(), now)

    def turn_away(self, host: Host, now: float) -> None:
        """See to what waits at a host, if that is given up or rests for long, and put it where it belongs."""
        if host.given_up is not None:
            self._refuse(host, host.given_up)
        elif host.waits_for and host.due > now + FAR_S:
            self._put_off(host)
        self._window.settle(host, now)

    def _refuse(self, host: Host, finish: Finish) -> None:
        """End all that waits at a host; origins that wait for an answer of it are closed."""
        self.refused += [(request, finish) for request in host.empty_hand()]
        while host.urgent:
            self.settle(host.urgent.popleft(), Robots(), robots_txt.UNREACHABLE)

    def _put_off(self, host: Host) -> None:
        """Empty the hand of a host, so that it need not be kept in memory while it rests.

        A robots.txt it is asked for on behalf of another host counts as unreachable: that one would wait as long.
        """
        self.put_off += [(request, host.due) for request in host.empty_hand()]
        urgent, host.urgent = host.urgent, deque()
        for request in urgent:
            asking = robots_txt.asking_origin(request)
            if robots_txt.host_of(asking) == host.key and len(self.laid_aside) < MAX_LAID_ASIDE:
                self.laid_aside[asking] = request
                host.asking = False
            else:
                self.settle(request, Robots(), robots_txt.UNREACHABLE)
        self._window.rests(host)

    def take_up(self, request: Request) -> Request:
        """The first robots.txt request for an origin, or the one that was laid aside when its host had to rest."""
        return self.laid_aside.pop(origin(request.url), request) if not request.redirected_from else request

    def after_robots(self, host: Host, request: Request, answer: Response | FetchError) -> Deliver | Handled:
        """What follows from an attempt at robots.txt, made at `host`."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        step = robots_txt.after(request, answer, now=now, wall=wall, rules=self._urls)
        match step:
            case Deliver():
                return step
            case _ if not self._is_awaited(request):
                pass
            case Redirect(request=target):
                self.visit(target)
            case Snooze(request=again, until=until):
                self._health.rest(host, until - now, "its robots.txt could not be had", now)
                self.visit(again)
            case robots_txt.Settled(closed=closed):
                self.settle(request, Robots(missing=robots_txt.why_not(answer, closed)), closed)
        return Handled()

    def settle(self, asked: Request, robots: Robots, closed: str | None) -> list[Request]:
        """A verdict is reached: the host that waited for it goes on. Returns the sitemaps to follow."""
        asking = robots_txt.asking_origin(asked)
        self._tenure.settled(asking, robots, closed)
        host = self._window.hosts.get(robots_txt.host_of(asking))
        if host is None or host.is_lost:
            return []  # it is not ours any more
        verdict = self.verdicts.settle(asking, robots, closed)
        host.asking = False
        self._apply_to_waiting(asking, verdict, self._clock.monotonic())
        return self._sitemaps(robots, asking, asked)

    def recall(self, files: Iterable[RobotsFile]) -> list[Request]:
        """Verdicts that were stored, unless they are stale or of another agent. Returns the sitemaps to follow."""
        now = self._clock.monotonic()
        found: list[Request] = []
        for file in files:
            is_ours = file.robots.agent in ("", self._agent)
            verdict = self.verdicts.restore(file) if is_ours else None
            if verdict is not None:
                host = self._window.hosts.get(robots_txt.host_of(file.origin))
                waiting = next((r for r in host.unjudged if origin(r.url) == file.origin), None) if host else None
                if waiting is not None:
                    found += self._sitemaps(file.robots, file.origin, waiting)
                self._apply_to_waiting(file.origin, verdict, now)
        return found

    def _is_awaited(self, request: Request) -> bool:
        """Whether the host on whose behalf a robots.txt is asked for is still ours, or has sent us to ask."""
        host = self._window.hosts.get(robots_txt.asking_host(request))
        return (host is not None and not host.leaving) or robots_txt.asking_origin(request) in self._tenure.errands

    def _ask_abroad(self, request: Request) -> None:
        """A robots.txt is at a host that is not ours, and only whose that is may ask it."""
        if not self._tenure.send_abroad(robots_txt.asking_origin(request), request):
            self.settle(request, Robots(), robots_txt.UNREACHABLE)

    def _sitemaps(self, robots: Robots, asking: str, asked: Request) -> list[Request]:
        """The sitemaps that a robots.txt names, on behalf of the seed that `asked` descends from."""
        if not self._follow_sitemaps:
            return []
        return robots_txt.sitemap_requests(robots, replace(asked, url=Url(f"{asking}/robots.txt")), self._urls)

    def _apply(self, verdict: Verdict, host: Host, request: Request, now: float) -> None:
        self.heed(verdict, host)
        self._judged(host, request, verdict.refusal(path_and_query(request.url)), now)

    def heed(self, verdict: Verdict, host: Host) -> None:
        """Keep the pause that a host's robots.txt asks for."""
        if verdict.crawl_delay_s:
            self._health.told_delay(host, min(verdict.crawl_delay_s, self._robots.max_crawl_delay_s))

    def _judged(self, host: Host, request: Request, reason: str | None, now: float) -> None:
        host.proven = reason is None
        if reason is None:
            host.hand.append(request)
            return
        self.refused.append((request, Finish(Outcome.EXCLUDED, reason)))
        if not host.hand:
            self._health.turn_over(host, now)  # it has had its turn: behind all that are due already

    def _later(self, host: Host, request: Request, until: float, now: float) -> None:
        """Put off a single request of a host that need not rest."""
        self.put_off.append((request, until))
        if not host.hand:
            self._health.turn_over(host, now)

    def _apply_to_waiting(self, judged: str, verdict: Verdict, now: float) -> None:
        """The requests that waited for the verdict on the origin `judged` go on."""
        host = self._window.hosts.get(robots_txt.host_of(judged))
        if host is None:
            return
        waiting, host.unjudged = host.unjudged, deque()
        for request in waiting:
            if origin(request.url) == judged:
                self._apply(verdict, host, request, now)
            else:
                host.unjudged.append(request)
        self._window.settle(host)
