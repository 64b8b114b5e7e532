"""A broad web: thousands of hosts of a few pages each, several to an address, with manners and troubles of their own.

As in `web`, nothing is stored, and all follows from the seed and a host's number. A host is called ``h7.slow.test``:
the second part says how fast it may be asked. Its front page links to its other pages:

    /p1 … /pN          ordinary ones, at most one of which has a trouble, at its first visit only
    /private/1, /a.cgi forbidden by most robots.txt
    /private/open      allowed all the same
    /away              redirects to a page of another host that nothing else links to
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.support.manners import Pace, Promised
from tests.support.plain_robots import read
from tests.support.web import Fate, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HTML = (("Content-Type", "text/html"),)
TEXT = (("Content-Type", "text/plain"),)
PACES = {"slow": Pace(0.3, 1), "brisk": Pace(0.1, 1), "wide": Pace(0.1, 3), "free": Pace(0.0, 2)}
PER_ADDRESS = 4
FAILURES, REST_S = 4, 2.0
TIMEOUT_S = 1.0
MAX_DELAY_S = 2.0
REFUSING = "127.255.255.254"
"""Where nobody listens."""

RULES = "Disallow: /private/\nAllow: /private/open\nDisallow: /*.cgi$\n"
FORBIDDEN = ("/private/1", "/a.cgi")
MEDIAN_S, SIGMA, SLOWEST_S = 0.04, 0.8, 0.4
_CLOSING = 3
"""Every third host has its connections closed, and so has who is asked for a rest: as a client does that at once, it is
seen when it has read an answer (`rests.Noticed`)."""


class Robots(StrEnum):
    """How a host's robots.txt is."""

    MISSING = "missing"  #: 404
    EMPTY = "empty"
    RULES = "rules"
    NAMED = "named"  #: nobody else may do anything
    DELAY = "delay"  #: asks for a Crawl-delay as well
    RATE = "rate"  #: the same as a Request-rate
    FORBIDDEN = "forbidden"  #: 403
    MOVED = "moved"  #: redirects to a file on another host
    MOVED_TWICE = "moved twice"  #: over a third one
    UNWELL = "unwell"  #: 500 at first
    BUSY = "busy"  #: 429 at first, asking for a rest
    BROKEN = "broken"  #: 500 for ever
    SILENT = "silent"  #: never an answer
    REFUSED = "refused"  #: never a connection


CLOSED = frozenset((Robots.BROKEN, Robots.SILENT, Robots.REFUSED))
"""Of hosts that must be left alone, as it cannot be had."""


class Trouble(StrEnum):
    """What goes wrong at a host."""

    NONE = "none"
    MISSING = "missing"  #: one page is 404
    ERROR = "error"  #: 500 once
    RESET = "reset"  #: the connection is broken once
    SILENCE = "silence"  #: one request is never answered
    REST = "rest"  #: 503 once, asking for a rest in seconds
    DATE = "date"  #: 503 once, asking for a rest until a date
    LIMITED = "limited"  #: 429 once, asking for a rest in seconds
    DEAD = "dead"  #: every page resets the connection; only robots.txt does not


ROBOTS_ALWAYS = {
    Robots.MISSING: Reply(404),
    Robots.FORBIDDEN: Reply(403),
    Robots.BROKEN: Reply(500),
    Robots.SILENT: Reply(200, fate=Fate.SILENCE),
}
ROBOTS_AT_FIRST = {Robots.UNWELL: Reply(500), Robots.BUSY: Reply(429, (("Retry-After", "2"),))}
ALWAYS = {Trouble.MISSING: Reply(404), Trouble.DEAD: Reply(200, fate=Fate.RESET)}
ONCE = {
    Trouble.ERROR: Reply(500),
    Trouble.RESET: Reply(200, fate=Fate.RESET),
    Trouble.SILENCE: Reply(200, fate=Fate.SILENCE),
    Trouble.REST: Reply(503, (("Retry-After", "1"),)),
    Trouble.LIMITED: Reply(429, (("Retry-After", "2"),)),
}


@dataclass(frozen=True, kw_only=True)
class BroadWeb:
    """A web of `hosts` hosts on about a quarter as many addresses.

    Manners and troubles are drawn by weight; what has none does not occur.
    """

    seed: int = 0
    hosts: int = 2000
    pages_per_host: int = 4
    addresses: int = 500
    #: so many hosts share one address
    crowd: int = 40
    robots: Mapping[Robots, float] = field(
        default_factory=lambda: dict.fromkeys(Robots, 1.0) | dict.fromkeys(CLOSED, 0.3)
    )
    troubles: Mapping[Trouble, float] = field(
        default_factory=lambda: dict.fromkeys(Trouble, 1.0) | {Trouble.NONE: 6.0, Trouble.DEAD: 0.3}
    )

    @cached_property
    def names(self) -> list[str]:
        """The name of every host."""
        return [f"h{number}.{self._random('pace', number).choice(tuple(PACES))}.test" for number in range(self.hosts)]

    def robots_of(self, number: int) -> Robots:
        """How a host's robots.txt is."""
        return self._drawn("robots", number, self.robots)

    def trouble_of(self, number: int) -> Trouble:
        """What goes wrong at a host."""
        return self._drawn("trouble", number, self.troubles)

    def address_of(self, number: int) -> str:
        """Where a host is."""
        if self.robots_of(number) is Robots.REFUSED:
            return REFUSING
        place = 0 if number < self.crowd else 1 + number % self.addresses
        return f"127.1.{place // 250}.{1 + place % 250}"

    def all_addresses(self) -> list[str]:
        """Where to listen."""
        return sorted({self.address_of(number) for number in range(self.hosts)} - {REFUSING})

    def configuration(self, port: int) -> dict[str, Any]:
        """A crawl of it."""
        return {
            "seeds": [seed for number in range(self.hosts) for seed in self._seeds(number)],
            "scope": {"stay_on": "any"},
            "limits": {
                "per_address": {"concurrency": PER_ADDRESS},
                "adaptive": {"max_delay": f"{MAX_DELAY_S:g}s"},
                "hosts": {
                    f"*.{name}.test": {"delay": f"{pace.delay_s * 1000:g}ms", "concurrency": pace.concurrency}
                    for name, pace in PACES.items()
                },
            },
            "traps": {"detect": False},  # its hosts say all the same, as mirrors do
            "breaker": {"failures": FAILURES, "rest": f"{REST_S:g}s"},
            "fetch": {
                "timeout": f"{TIMEOUT_S:g}s",
                "resolve": {name: f"{self.address_of(number)}:{port}" for number, name in enumerate(self.names)},
            },
        }

    def promised(self, deaths: Sequence[float] = (), remembered_after_s: float = 0.3) -> Promised:
        """What that crawl promises."""
        return Promised(
            pace=lambda host: PACES[host.split(".")[1]],
            per_address=PER_ADDRESS,
            failures=FAILURES,
            rest_s=REST_S,
            deaths=deaths,
            remembered_after_s=remembered_after_s,
        )

    def pages(self) -> set[str]:
        """The URLs that a complete crawl has a record of."""
        reached = set()
        for number, name in enumerate(self.names):
            if not self._is_open(number):
                continue
            missing = self._troubled(number) if self.trouble_of(number) is Trouble.MISSING else None
            paths = {"/", "/private/open", *FORBIDDEN, *self._numbered()} - {missing}
            said = read(self._file(number), "crawler")
            reached |= {f"http://{name}{path}" for path in paths if said.allows(path)}
            if self._is_open(self._other(number)):
                reached.add(self._away(number))
        return reached

    def respond(self, host: str, path: str, visit: int) -> Reply:
        """Answer a request."""
        number = int(host[1:].partition(".")[0])
        if self.names[number] != host:
            return Reply(421)
        drawn = self._random("latency", number, path)
        delay_s = min(MEDIAN_S * math.exp(drawn.gauss(0, SIGMA)), SLOWEST_S)
        reply = (self._robots_txt if path.endswith("robots.txt") else self._page)(number, path, visit)
        if reply.status in {429, 503} or not number % _CLOSING:
            reply = replace(reply, headers=(*reply.headers, ("Connection", "close")))
        return replace(reply, delay_s=delay_s)

    def _page(self, number: int, path: str, visit: int) -> Reply:
        trouble = self.trouble_of(number)
        if trouble in ALWAYS and (trouble is Trouble.DEAD or path == self._troubled(number)):
            return ALWAYS[trouble]
        if visit == 1 and path == self._troubled(number):
            if trouble is Trouble.DATE:
                return Reply(503, (("Retry-After", formatdate(math.ceil(time.time()) + 1, usegmt=True)),))
            if trouble in ONCE:
                return ONCE[trouble]
        if path == "/away":
            return Reply(302, (("Location", self._away(number)),))
        return Reply(200, HTML, self._html(path))

    def _robots_txt(self, number: int, path: str, visit: int) -> Reply:
        """The file of this host, or of another's that is redirected here: ``/for/7/robots.txt``."""
        manner = self.robots_of(number)
        if path.startswith("/for/"):
            return Reply(200, TEXT, self._file(int(path.split("/")[2])))
        if path.startswith("/via/"):
            return Reply(308, (("Location", self._stand_in(number, int(path.split("/")[2]), "for")),))
        if manner in {Robots.MOVED, Robots.MOVED_TWICE}:
            way = "for" if manner is Robots.MOVED else "via"
            return Reply(301, (("Location", self._stand_in(number, number, way)),))
        if visit == 1 and manner in ROBOTS_AT_FIRST:
            return ROBOTS_AT_FIRST[manner]
        return ROBOTS_ALWAYS.get(manner) or Reply(200, TEXT, self._file(number))

    def _file(self, number: int) -> bytes:
        """What a host's robots.txt says, wherever it is."""
        match self.robots_of(number):
            case Robots.MISSING | Robots.FORBIDDEN | Robots.EMPTY:
                return b""
            case Robots.NAMED:
                text = f"User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: Crawler\n{RULES}"
            case Robots.DELAY:
                text = f"User-agent: *\n{RULES}Crawl-delay: 0.4\n"
            case Robots.RATE:
                text = f"User-agent: *\nRequest-rate: 4/1s\n{RULES}"
            case _:
                text = f"User-agent: *\n{RULES}"
        return text.encode()

    def _stand_in(self, number: int, asker: int, way: str) -> str:
        """Where one host has another ask for the robots.txt of a third, which may be the first."""
        return f"http://{self.names[self._other(number)]}/{way}/{asker}/robots.txt"

    def _away(self, number: int) -> str:
        """Where a host's redirect leads."""
        return f"http://{self.names[self._other(number)]}/from/{number}"

    def _other(self, number: int) -> int:
        """The host that another one's redirects lead to."""
        other = (number * 7 + 3) % self.hosts
        while self.robots_of(other) is Robots.REFUSED or other == number:
            other = (other + 1) % self.hosts
        return other

    def _is_open(self, number: int) -> bool:
        return self.robots_of(number) not in CLOSED and self.trouble_of(number) is not Trouble.DEAD

    def _numbered(self) -> list[str]:
        return [f"/p{n}" for n in range(1, self.pages_per_host + 1)]

    def _troubled(self, number: int) -> str:
        return self._random("troubled", number).choice(self._numbered())

    def _seeds(self, number: int) -> list[str]:
        """The front page; all pages of a host whose front page will never be had."""
        paths = ["/", *self._numbered()] if self.trouble_of(number) is Trouble.DEAD else ["/"]
        return [f"http://{self.names[number]}{path}" for path in paths]

    def _html(self, path: str) -> bytes:
        links = ["/private/open", *FORBIDDEN, *self._numbered(), "/away"] if path == "/" else ["/", "/p1"]
        listed = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
        return f"<!doctype html><html lang=en><title>{path}</title><ul>{listed}</ul></html>".encode()

    def _drawn(self, purpose: str, number: int, weights: Mapping[Any, float]) -> Any:
        (chosen,) = self._random(purpose, number).choices(tuple(weights), tuple(weights.values()))
        return chosen

    def _random(self, *purpose: object) -> random.Random:
        return random.Random(f"{self.seed} {purpose}")
