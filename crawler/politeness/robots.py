"""What does robots.txt say of a URL, and what follows when it cannot be had (RFC 9309)?

One verdict an origin, held at most a day (section 2.4). Parsing and matching are `extract`'s; when its
requests start is `policy`'s to say. The cases of section 2.3.1:

- 2xx: what the file says. One that cannot be decoded is unreachable: what it forbids is unknown.
- 3xx: followed over up to five hops, to other hosts too; beyond, or without a usable target, unavailable.
- 4xx, unavailable: all is allowed. But 429 is a host that asks for peace: as 5xx (so does Google).
- One that may not be asked for, as it leads to a private address (`crawler.reach`), closes its origin for that reason.
- 5xx, any other status, no answer: tried again as `retry` says, then all of the origin
  is refused for ten minutes. What is found later asks anew.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import UrlError
from crawler.extract.robots_match import Matcher
from crawler.models import SITEMAP_PRIORITY, Kind, Request, Response, Robots, RobotsFile, Url
from crawler.politeness import retry
from crawler.politeness.unsaved import Unsaved
from crawler.reasons import PRIVATE_ADDRESS
from crawler.url import STANDARD, Base, host_key, origin

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.config import UrlsConfig
    from crawler.errors import FetchError
    from crawler.models import HostKey

FRESH_S = 24 * 3600.0
UNREACHABLE_S = 600.0
MAX_HOPS = 5
MAX_SITEMAPS = 100
MAX_CACHE_BYTES = 64 * 1024**2

UNREACHABLE = "robots_unreachable"

_VERDICT_BYTES = 900
_RULE_BYTES = 100
"""What a verdict, and a rule beside its pattern, takes in memory: measured with tracemalloc, rounded up."""


class Settled(msgspec.Struct, frozen=True):
    """No file to parse: everything is allowed, or refused for the reason `closed`."""

    closed: str | None = None


def request_for(page: Request) -> Request:
    """The robots.txt request that must come before `page`."""
    return Request(
        url=Url(origin(page.url) + "/robots.txt"),
        host_key=page.host_key,
        scope_host=page.scope_host,
        seed=page.seed,
        kind=Kind.ROBOTS,
        inside=page.inside,
    )


def sitemap_requests(robots: Robots, page: Request, rules: UrlsConfig = STANDARD) -> list[Request]:
    """Requests for the sitemaps that a robots.txt names, the first `MAX_SITEMAPS` of those that are http(s) URLs.

    Args:
        robots: What it says.
        page: What it was asked for: they descend from the same seed.
        rules: How their URLs are made canonical. Relative ones are resolved, against the protocol (sitemaps.org).
    """
    via = origin(page.url) + "/robots.txt"
    base = Base(via, rules)
    requests: dict[Url, Request] = {}
    for line in robots.sitemaps:
        with suppress(UrlError):
            url = base.join(line)
            requests[url] = Request(
                url=url,
                host_key=host_key(url),
                scope_host=page.scope_host,
                via=via,
                seed=page.seed,
                kind=Kind.SITEMAP,
                priority=SITEMAP_PRIORITY,
            )
        if len(requests) == MAX_SITEMAPS:
            break
    return list(requests.values())


def asking_origin(request: Request) -> str:
    """The origin on whose behalf a robots.txt request, perhaps redirected, is made."""
    return origin(Url(request.redirected_from[0])) if request.redirected_from else origin(request.url)


def asking_host(request: Request) -> HostKey:
    """The host of that origin, where the requests are that wait for it."""
    return host_of(asking_origin(request))


def host_of(asking: str) -> HostKey:
    """The host of an origin."""
    return host_key(Url(f"{asking}/"))


def after(
    request: Request, answer: Response | FetchError, *, now: float, wall: float, rules: UrlsConfig = STANDARD
) -> retry.Deliver | retry.Redirect | retry.Snooze | Settled:
    """What follows from one attempt at robots.txt; arguments as `retry.after`."""
    if isinstance(answer, Response) and 300 <= answer.status < 500 and answer.status != 429:
        target = retry.redirect_target(request, answer, rules) if retry.is_redirect(answer) else None
        if target is None or len(request.redirected_from) >= MAX_HOPS:
            return Settled()
        return retry.Redirect(retry.hop(request, target), answer.status)
    decision = retry.after(request, answer, now=now, wall=wall, rules=rules)
    if isinstance(decision, retry.Deliver | retry.Snooze):
        return decision
    return Settled(PRIVATE_ADDRESS if retry.failure(answer) == PRIVATE_ADDRESS else UNREACHABLE)


def unreachable(missing: str | None) -> tuple[Robots, str]:
    """What is known of a robots.txt that could not be had."""
    return Robots(missing=missing), UNREACHABLE


def why_not(answer: Response | FetchError, closed: str | None) -> str | None:
    """Why an attempt brought no robots.txt, in words (``tls: certificate has expired``, ``status 503``).

    None where that says nothing more than the reason `closed`, or all is allowed.
    """
    if closed != UNREACHABLE:
        return None
    return f"status {answer.status}" if isinstance(answer, Response) else f"{answer.reason}: {answer.detail}"


class Verdict:
    """What one origin's robots.txt means, until it expires.

    Args:
        robots: Its rules.
        closed: The reason to refuse everything, whatever the rules.
        expires: Monotonic seconds.
    """

    __slots__ = ("_closed", "_matcher", "crawl_delay_s", "expires", "size")

    def __init__(self, robots: Robots, closed: str | None, expires: float) -> None:
        self._closed = closed
        self._matcher = Matcher(robots) if robots.rules else None
        self.crawl_delay_s = robots.crawl_delay_s or 0.0
        self.expires = expires
        #: bytes of memory, roughly
        self.size = _VERDICT_BYTES + sum(_RULE_BYTES + len(pattern) for _, pattern in robots.rules)

    def refusal(self, path_and_query: str) -> str | None:
        """The reason not to request a path; None if it may be."""
        if self._closed is not None:
            return self._closed
        return None if self._matcher is None or self._matcher.allows(path_and_query) else "robots"


class Verdicts:
    """The verdicts at hand: the least recently used are forgotten, and asked for anew, when memory is short.

    Args:
        clock: Expiry runs on its monotonic time.
        max_bytes: Compiled rules in memory; the latest verdict stays, whatever its size.
    """

    def __init__(self, clock: Clock, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._bytes = 0
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()
        self._unsaved: Unsaved[str, RobotsFile] = Unsaved()

    def get(self, origin: str, now: float) -> Verdict | None:
        """The verdict on an origin; None if robots.txt must be asked for."""
        verdict = self._verdicts.get(origin)
        if verdict is None or verdict.expires <= now:
            return None
        self._verdicts.move_to_end(origin)
        return verdict

    def settle(self, origin: str, robots: Robots, closed: str | None = None) -> Verdict:
        """A verdict has been reached. It is the caller's to apply at once: it may soon be forgotten."""
        lifetime_s = FRESH_S if closed is None else UNREACHABLE_S
        verdict = Verdict(robots, closed, self._clock.monotonic() + lifetime_s)
        self._keep(origin, verdict)
        expires_at = self._clock.wall() + lifetime_s
        self._unsaved.mark(origin, RobotsFile(origin=origin, expires_at=expires_at, robots=robots, closed=closed))
        return verdict

    def restore(self, file: RobotsFile) -> Verdict | None:
        """A verdict that was stored; None if it has expired. A wall clock set back does not make it last longer.

        What is closed for a private address is found so again without asking, or not, by another configuration.
        """
        if file.closed == PRIVATE_ADDRESS:
            return None
        left_s = min(file.expires_at - self._clock.wall(), FRESH_S if file.closed is None else UNREACHABLE_S)
        if left_s <= 0:
            return None
        verdict = Verdict(file.robots, file.closed, self._clock.monotonic() + left_s)
        self._keep(file.origin, verdict)
        return verdict

    def changes(self) -> list[RobotsFile]:
        """Verdicts reached and not yet committed."""
        return list(self._unsaved.take())

    def committed(self) -> None:
        """The last `changes` are safe."""
        self._unsaved.committed()

    def _keep(self, origin: str, verdict: Verdict) -> None:
        before = self._verdicts.pop(origin, None)
        self._bytes += verdict.size - (before.size if before else 0)
        self._verdicts[origin] = verdict
        while self._bytes > self._max_bytes and len(self._verdicts) > 1:
            self._bytes -= self._verdicts.popitem(last=False)[1].size
