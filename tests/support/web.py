"""What would a web of this shape answer, and what must a crawl of it find?

Nothing is stored: every page follows from the seed, its host and its number, so a web may be of any size. What a
crawl must find is computed from page numbers alone, never from URLs, so it owes nothing to the crawler's own code.

Page 0 of a host is its front page, ``/``. Page n links to pages 2n+1 and 2n+2 of its host, which makes most of it
reachable however many pages fail, and to `degree` random pages. Links are spelled in several ways, all of which
resolve to the one URL the page has.

Where `hops` is set, a redirect leads to a landing page of its own, over up to so many redirects, none of which
anything else links to: then a page's `redirected_from` does not depend on the order of the crawl. Hop h of page n is
page ``n + h * pages_per_host``; the landing page has the links that page n would have had.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

WORDS = ("harbour", "lantern", "meadow", "copper", "orchard", "signal", "winter", "gravel", "canvas", "ember")


class Role(StrEnum):
    """What a page turns out to be."""

    PAGE = "page"
    MISSING = "missing"  #: 404
    REDIRECT = "redirect"  #: 301 to a random page, or to a landing page
    PRIVATE = "private"  #: robots.txt disallows it
    FLAKY = "flaky"  #: `flaky_status` at the first visit, a page from the second on
    FILE = "file"  #: plain text


class Fate(StrEnum):
    """What becomes of a request."""

    ANSWER = "answer"
    RESET = "reset"  #: the connection is broken instead
    SILENCE = "silence"  #: nothing ever comes


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    #: seconds from the request head to the first byte of the answer
    delay_s: float = 0.0
    fate: Fate = Fate.ANSWER


@dataclass(frozen=True, slots=True)
class Expected:
    """How a URL must end. `reason` is None where it depends on the order of the crawl (redirects) or is not given."""

    outcome: str
    reason: str | None = None
    status: int | None = None


@dataclass(frozen=True, kw_only=True)
class Web:
    """A web computed from `seed`: hosts ``h0.test``, ``h1.test``, … of equally many pages."""

    seed: int = 0
    hosts: int = 1
    pages_per_host: int = 50
    #: random links a page has besides its two tree links
    degree: int = 5
    #: how many of those lead to another host
    cross_host_share: float = 0.2
    body_bytes: int = 1500
    latency_s: float = 0.0
    #: how many pages take `slow_s` instead of `latency_s`
    slow_share: float = 0.0
    slow_s: float = 0.2
    error_share: float = 0.0
    redirect_share: float = 0.0
    #: most redirects before a landing page; 0: they lead to a random page
    hops: int = 0
    private_share: float = 0.0
    flaky_share: float = 0.0
    flaky_status: int = 503
    #: its Retry-After, in seconds
    flaky_rest_s: int = 0
    file_share: float = 0.0

    def seeds(self) -> list[str]:
        """The front page of every host."""
        return [self.url(host, 0) for host in range(self.hosts)]

    def url(self, host: int, number: int) -> str:
        """The one spelling of a page's URL."""
        return f"http://h{host}.test{self._path(host, number)}"

    def respond(self, host: str, path: str, visit: int = 1) -> Reply:
        """Answer a request. `visit` counts those for this URL, from 1."""
        number_of_host = host.removesuffix(".test").removeprefix("h")
        if not number_of_host.isdecimal() or int(number_of_host) >= self.hosts:
            return Reply(421, body=b"no such host")
        if path == "/robots.txt":
            return Reply(200, (("Content-Type", "text/plain"),), b"User-agent: *\nDisallow: /private/\n")
        page = self._page_at(int(number_of_host), path)
        return Reply(404, body=b"no such page") if page is None else self._answer(*page, visit)

    def expected(self, seeds: list[str] | None = None, *, stay_on_host: bool = False) -> dict[str, Expected]:
        """URL -> how it must end, for all URLs a complete crawl admits from these front pages (default: all)."""
        found: dict[str, Expected] = {}
        for seed in self.seeds() if seeds is None else seeds:
            start = self._page_of_front(seed)
            queue, known = deque([start]), {start}
            while queue:
                page = queue.popleft()
                found[self.url(*page)] = self._ending(*page)
                for target in self._leads_to(*page):
                    if target not in known and not (stay_on_host and target[0] != start[0]):
                        known.add(target)
                        queue.append(target)
        return found

    def role(self, host: int, number: int) -> Role:
        """What a page is. Front pages are always pages."""
        hop, number = divmod(number, self.pages_per_host)
        if hop:
            return Role.REDIRECT if hop < self._hops_of(host, number) else Role.PAGE
        if number == 0:
            return Role.PAGE
        drawn = self._random("role", host, number).random()
        for role, share in (
            (Role.MISSING, self.error_share),
            (Role.REDIRECT, self.redirect_share),
            (Role.PRIVATE, self.private_share),
            (Role.FLAKY, self.flaky_share),
            (Role.FILE, self.file_share),
        ):
            drawn -= share
            if drawn < 0:
                return role
        return Role.PAGE

    def _random(self, purpose: str, host: int, number: int) -> random.Random:
        return random.Random(f"{self.seed}/{purpose}/{host}/{number}")

    def _path(self, host: int, number: int) -> str:
        if number == 0:
            return "/"
        return f"/private/{number}" if self.role(host, number) is Role.PRIVATE else f"/pages/{number}"

    def _page_at(self, host: int, path: str) -> tuple[int, int] | None:
        name = "0" if path == "/" else path.rpartition("/")[2]
        if not name.isdecimal() or self._path(host, int(name)) != path:
            return None
        hop, number = divmod(int(name), self.pages_per_host)
        exists = hop == 0 or (self.role(host, number) is Role.REDIRECT and hop <= self._hops_of(host, number))
        return (host, int(name)) if exists else None

    def _hops_of(self, host: int, number: int) -> int:
        """How many redirects lead from this one to its landing page."""
        return self._random("hops", host, number).randint(1, self.hops) if self.hops else 0

    def _page_of_front(self, url: str) -> tuple[int, int]:
        fronts = {self.url(host, 0): (host, 0) for host in range(self.hosts)}
        return fronts[url]

    def _ending(self, host: int, number: int) -> Expected:
        match self.role(host, number):
            case Role.MISSING:
                return Expected("failed", "http_404", 404)
            case Role.REDIRECT:
                return Expected("redirected", None, 301)
            case Role.PRIVATE:
                return Expected("excluded", "robots")
            case Role.FILE:
                return Expected("fetched", "not_html", 200)
            case _:
                return Expected("fetched", None, 200)

    def _leads_to(self, host: int, number: int) -> list[tuple[int, int]]:
        match self.role(host, number):
            case Role.PAGE | Role.FLAKY:
                return self._targets(host, number)
            case Role.REDIRECT:
                return [self._redirect_target(host, number)]
            case _:
                return []

    def _redirect_target(self, host: int, number: int) -> tuple[int, int]:
        """The next hop, or without hops a page with a lower number, so that redirects never loop."""
        if self.hops:
            return host, number + self.pages_per_host
        return host, self._random("redirect", host, number).randrange(number)

    def _targets(self, host: int, number: int) -> list[tuple[int, int]]:
        place = number % self.pages_per_host
        children = [(host, child) for child in (2 * place + 1, 2 * place + 2) if child < self.pages_per_host]
        drawn = self._random("links", host, number)
        strangers = [
            (
                drawn.randrange(self.hosts) if drawn.random() < self.cross_host_share else host,
                drawn.randrange(self.pages_per_host),
            )
            for _ in range(self.degree)
        ]
        return children + strangers

    def _answer(self, host: int, number: int, visit: int) -> Reply:
        slow = self._random("slow", host, number).random() < self.slow_share
        delay_s = self.slow_s if slow else self.latency_s
        match self.role(host, number):
            case Role.MISSING:
                return Reply(404, (("Content-Type", "text/html"),), b"<title>Not found</title>", delay_s)
            case Role.REDIRECT:
                location = self.url(*self._redirect_target(host, number))
                return Reply(301, (("Location", location),), b"", delay_s)
            case Role.FLAKY if visit == 1:
                return Reply(self.flaky_status, (("Retry-After", str(self.flaky_rest_s)),), b"", delay_s)
            case Role.FILE:
                return Reply(200, (("Content-Type", "text/plain"),), b"Just a text.\n", delay_s)
            case _:
                html = self._html(host, number).encode()
                return Reply(200, (("Content-Type", "text/html; charset=utf-8"),), html, delay_s)

    def _html(self, host: int, number: int) -> str:
        drawn = self._random("text", host, number)
        title = f"{drawn.choice(WORDS).title()} {drawn.choice(WORDS)} {host}-{number}"
        links = "\n".join(
            f'<li><a href="{self._spelling(host, target, drawn.randrange(5))}">{drawn.choice(WORDS)}</a></li>'
            for target in self._targets(host, number)
        )
        text = " ".join(drawn.choices(WORDS, k=max(1, (self.body_bytes - 300 - len(links)) // 7)))
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
            f'<meta name="description" content="About {title}."></head>\n'
            f"<body><h1>{title}</h1>\n<p>{text}</p>\n<ul>\n{links}\n</ul></body></html>\n"
        )

    def _spelling(self, base_host: int, target: tuple[int, int], way: int) -> str:
        """One of several ways to write a link to `target`; only the absolute ones can leave the host."""
        host, number = target
        path = self._path(host, number)
        absolute = (f"http://h{host}.test{path}", f"HTTP://H{host}.Test:80{path}#part", f"//h{host}.test/x/..{path}")
        relative = (path, f"/./%70ages/..{path}#top")
        return (absolute + relative)[way if host == base_host else way % len(absolute)]
