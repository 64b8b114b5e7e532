"""Which cookies does a request carry? Jars, kept up with what servers set, and stored with every checkpoint.

``fetch.cookies`` is one jar for all hosts; each cookies.txt of ``fetch.hosts`` is a jar of its own, for the hosts whose
pattern names it and for no others: what they set goes into it, and nothing of it leaves it. Within a jar a cookie goes
where its domain, path, security and expiry say (RFC 6265 section 5.4).

A jar is bounded: a domain that sets too many loses its oldest, and so does the jar. Cookies without an expiry live as
long as the crawl. They are stored in crawl.db as they are, since a resumed crawl needs them.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.fetch.cookies_txt import read_cookies
from crawler.fetch.set_cookie import Cookie, Origin, cookie_of, covers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.clock import Clock
    from crawler.config import FetchConfig

log = logging.getLogger(__name__)

MAX_JAR_BYTES: Final = 1 << 20
MAX_PER_DOMAIN: Final = 150
"""What common browsers keep, roughly."""

_BYTES: Final = 60  # of a stored cookie beside its texts, at most
_COMMON: Final = ""  # the name of the jar that is no file's

Key = tuple[str, str]
"""Path and name: what tells the cookies of one domain apart."""


class Jar:
    """Cookies, and where each may go.

    Args:
        clock: Expiry is measured on its wall time.
        max_bytes: What they may take, stored; the oldest make room.
    """

    def __init__(self, clock: Clock, max_bytes: int = MAX_JAR_BYTES) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._bytes = 0
        self._domains: dict[str, dict[Key, Cookie]] = {}
        #: domain and key of every cookie, the one set longest ago first
        self._ages: OrderedDict[tuple[str, Key], None] = OrderedDict()
        #: counts changes
        self.version = 0

    def fill(self, cookies: Iterable[Cookie]) -> None:
        """Hold these, oldest first, in place of others."""
        for domain, key in tuple(self._ages):
            self._remove(domain, key)
        for cookie in cookies:
            self.put(cookie)

    def __len__(self) -> int:
        return len(self._ages)

    def __iter__(self) -> Iterator[Cookie]:
        """All, oldest first."""
        return (self._domains[domain][key] for domain, key in self._ages)

    def pairs(self, origin: Origin) -> list[tuple[str, str]]:
        """Names and values for a request to `origin`: those of longer paths first, then those set earlier."""
        found = [
            cookie
            for domain in _domains(origin.host)
            for cookie in self._domains.get(domain, {}).values()
            if covers(cookie, origin) and not (cookie.host_only and domain != origin.host)
        ]
        if not found:
            return []
        now = self._clock.wall()
        for cookie in found:
            if _is_over(cookie, now):
                self._remove(cookie.domain, (cookie.path, cookie.name))
        found.sort(key=lambda cookie: -len(cookie.path))
        return [(cookie.name, cookie.value) for cookie in found if not _is_over(cookie, now)]

    def hear(self, lines: Iterable[str], origin: Origin) -> None:
        """Do as the Set-Cookie headers of an answer from `origin` ask."""
        now = self._clock.wall()
        for line in lines:
            cookie = cookie_of(line, origin, now)
            if cookie is not None and (origin.secure or not self._is_secured(cookie)):
                self.put(cookie)

    def put(self, cookie: Cookie) -> None:
        """Keep `cookie`, in place of the one it renews; one that is over only removes that."""
        key = (cookie.path, cookie.name)
        before = self._domains.get(cookie.domain, {}).get(key)
        if before == cookie:
            self._ages.move_to_end((cookie.domain, key))
            return
        if _is_over(cookie, self._clock.wall()):
            self._remove(cookie.domain, key)
            return
        self.version += 1
        self._bytes += _size(cookie) - (_size(before) if before else 0)
        cookies = self._domains.setdefault(cookie.domain, {})
        cookies[key] = cookie
        self._ages[cookie.domain, key] = None
        self._ages.move_to_end((cookie.domain, key))
        if len(cookies) > MAX_PER_DOMAIN:
            self._remove(cookie.domain, next(iter(cookies)))
        while self._bytes > self._max_bytes:
            self._remove(*next(iter(self._ages)))

    def _is_secured(self, cookie: Cookie) -> bool:
        """Whether one set over https would be lost to one set over http (RFC 6265bis section 5.6)."""
        before = self._domains.get(cookie.domain, {}).get((cookie.path, cookie.name))
        return before is not None and before.secure

    def _remove(self, domain: str, key: Key) -> None:
        cookies = self._domains.get(domain, {})
        if key not in cookies:
            return
        self.version += 1
        self._bytes -= _size(cookies.pop(key))
        del self._ages[domain, key]
        if not cookies:
            del self._domains[domain]


class _Stored(msgspec.Struct, frozen=True):
    """A jar as a checkpoint stores it."""

    #: of the file it began as, to see whether that is still the same; empty for none
    digest: str
    cookies: tuple[Cookie, ...]


class Cookies:
    """All jars of a crawl. A `checkpoint.Keeper`.

    Args:
        config: Its cookies.txt files are read at once.

    Raises:
        ConfigError: One cannot be read.
    """

    def __init__(self, config: FetchConfig, clock: Clock) -> None:
        self._jars = {_COMMON: Jar(clock)} if config.cookies else {}
        self._digests = {_COMMON: ""}
        self._state = (0, b"")  # as of a sum of versions
        for name in sorted({host.cookies for host in config.hosts.values() if host.cookies}):
            file = read_cookies(Path(name))
            self._jars[name] = Jar(clock)
            self._jars[name].fill(file.cookies)
            self._digests[name] = file.digest
            if over := len(file.cookies) - len(self._jars[name]):
                log.warning(
                    "cookies left out", extra={"why": f"{name}: {over} have expired, repeat others or are too many"}
                )

    @property
    def are_kept(self) -> bool:
        """Whether there is any jar."""
        return bool(self._jars)

    def jar(self, name: str | None) -> Jar | None:
        """The jar of a cookies.txt file as the configuration calls it; without a name that of all other hosts, if there
        is to be one."""
        return self._jars.get(name or _COMMON)

    def restore(self, state: bytes) -> None:
        """Go on with the jars of the last checkpoint; one whose file has changed since is as that file says."""
        stored = msgspec.json.decode(state, type=dict[str, _Stored]) if state else {}
        for name, jar in stored.items():
            if name in self._jars and jar.digest == self._digests[name]:
                self._jars[name].fill(jar.cookies)

    def state(self) -> bytes:
        """All cookies; empty where none are kept."""
        version = sum(jar.version for jar in self._jars.values())
        if version != self._state[0]:
            stored = {name: _Stored(self._digests[name], tuple(jar)) for name, jar in self._jars.items()}
            self._state = (version, msgspec.json.encode(stored))
        return self._state[1]

    async def sync(self, *, fsync: bool) -> None:
        """Nothing: all of it is in `state`."""


def _domains(host: str) -> Iterator[str]:
    """`host` and all it lies below."""
    while host:
        yield host
        host = host.partition(".")[2]


def _is_over(cookie: Cookie, now: float) -> bool:
    return cookie.expires_at is not None and cookie.expires_at <= now


def _size(cookie: Cookie) -> int:
    return _BYTES + len(cookie.domain) + len(cookie.path) + len(cookie.name) + len(cookie.value)
