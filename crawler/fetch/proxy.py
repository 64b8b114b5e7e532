"""Through which of its proxies does a request go, and which of them rest?  Pure, given the time.

A host keeps to the first proxy of its own order (`Proxy.rank`), which is the same in every run, spreads hosts evenly,
and changes for as few hosts as can be when the list does (rendezvous hashing). A proxy that fails rests, each time
twice as long, and its hosts go to the next of their orders meanwhile; where all rest, the one back soonest is tried.
What rests after a failure depends on how far the request had come:

- the proxy was not reached, or asked for a tunnel and refused our credentials (407): the proxy, for all hosts
- it opened no tunnel to the host (any other status but 2xx, no answer in time, closed): the proxy for this host. It
  may be the host that is dead, and proxies say 502, 503 and 504 for that; were the proxy to rest, a few dead hosts
  would take all proxies from the others. If the same befalls `DOUBTS` hosts with no success between them, it is the
  proxy after all. Likewise where it was sent the request itself and the answer is 407, as a hostile host may say that
- the tunnel stands, or the request itself was sent: nothing, all else is between us and the host
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections import OrderedDict
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from xxhash import xxh3_64_intdigest

from crawler.errors import CrawlerError, FetchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.clock import Clock

log = logging.getLogger(__name__)

REST_S = 30.0
MAX_REST_S = 600.0
DOUBTS = 3
_RESTS_KEPT = 10_000
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Proxy:
    """A proxy and how to speak to it. Compared by identity; shows none of its secrets.

    Args:
        url: ``http://user:password@host:port`` or https, checked; user and password percent-encoded, both optional,
            as is the port (80 or 443).
    """

    __slots__ = ("_name", "authorization", "label", "origin")

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        #: host and port, to be told to people
        self.label = f"{host}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"
        #: where to connect to
        self.origin = f"{parts.scheme}://{self.label}"
        #: what gives it its place in an order: users count, who may be sessions of one provider, passwords do not
        self._name = f"{parts.username or ''}@{self.origin}"
        #: the header line that it wants to see (RFC 9110 section 11.7.2), empty if none
        self.authorization = ""
        if parts.username is not None:
            credentials = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
            self.authorization = f"Proxy-Authorization: Basic {b64encode(credentials).decode()}\r\n"

    def __repr__(self) -> str:
        return f"Proxy({self.label})"

    def rank(self, host: str) -> int:
        """Its place in the order of `host`: low comes first."""
        return xxh3_64_intdigest(f"{self._name} {host}".encode())


class Stage(Enum):
    """How far a request has come, and so what a failure is put down to."""

    REACHING = "to the proxy"
    ASKING = "the proxy is asked to lead on"
    THROUGH = "through"


class Passage:
    """One attempt's way through a proxy. Whoever makes the connection says how far it has come."""

    __slots__ = ("host", "proxy", "since", "stage", "tunnel")

    def __init__(self, proxy: Proxy, host: str, since: float, *, tunnel: bool) -> None:
        self.proxy = proxy
        #: host with a port that is not the default
        self.host = host
        #: monotonic time at which it was chosen
        self.since = since
        #: whether by CONNECT (RFC 9110 section 9.3.6); otherwise the proxy is asked for the URL itself
        self.tunnel = tunnel
        self.stage = Stage.REACHING

    def asked(self, url: str, target: str, lines: str) -> tuple[str, str]:
        """Request target and header lines, where `target` and `lines` are those the server itself would be sent.

        Without a tunnel that is the URL (RFC 9112 section 3.2.2), and what is for the proxy alone.
        """
        return (target, lines) if self.tunnel else (url, self.proxy.authorization + lines)

    def check(self, status: int) -> None:
        """Look at the status of an answer, which is the server's for all we know, unless it is meant to be the proxy's.

        Raises:
            FetchError: ``proxy``.
        """
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and not self.tunnel:
            self.stage = Stage.ASKING
            raise FetchError("proxy", f"status {status}")


class _Rest(NamedTuple):
    since: float
    until: float
    #: how many there have been without a success between them, this one included
    times: int


class Rota:
    """Chooses among proxies, and knows which rest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: proxies, and proxies for one host; those that failed the longest time ago first
        self._rests: OrderedDict[Proxy | tuple[Proxy, str], _Rest] = OrderedDict()
        #: hosts to which a proxy has not led since its last success
        self._doubts: dict[Proxy, set[str]] = {}

    def choose(self, order: Sequence[Proxy], host: str, *, tunnel: bool) -> Passage:
        """A way for one attempt, by the first proxy of `order` that does not rest, or the one back soonest."""
        now = self._clock.monotonic()
        proxy = order[0]
        if self._rests:
            proxy = min(order, key=lambda proxy: max(now, self._back_at(proxy), self._back_at((proxy, host))))
        return Passage(proxy, host, now, tunnel=tunnel)

    def worked(self, passage: Passage) -> None:
        """An answer came by this way: nothing is held against it any longer."""
        if self._rests:
            self._rests.pop(passage.proxy, None)
            self._rests.pop((passage.proxy, passage.host), None)
        if self._doubts:
            self._doubts.pop(passage.proxy, None)

    def failed(self, passage: Passage, error: CrawlerError) -> CrawlerError:
        """What an attempt that went this way is to fail with, and the consequences for the proxy.

        Returns:
            `error` itself, if it came after the proxy had done its part, or concerns this machine rather than the
            attempt; otherwise a `FetchError` with reason ``proxy``.
        """
        if passage.stage is Stage.THROUGH or not isinstance(error, FetchError):
            return error
        proxy = passage.proxy
        if passage.stage is Stage.ASKING:
            self._rest((proxy, passage.host), passage.since)
            self._doubts.setdefault(proxy, set()).add(passage.host)
        if passage.stage is Stage.REACHING or len(self._doubts[proxy]) >= DOUBTS:
            self._doubts.pop(proxy, None)
            if self._rest(proxy, passage.since) == 1:
                log.warning("a proxy fails, and rests", extra={"host": proxy.label, "why": error.detail})
        return FetchError("proxy", f"{proxy.label}: {error.detail}")

    def _back_at(self, key: Proxy | tuple[Proxy, str]) -> float:
        rest = self._rests.get(key)
        return rest.until if rest is not None else 0.0

    def _rest(self, key: Proxy | tuple[Proxy, str], since: float) -> int:
        """Let a proxy rest; returns for the how many-th time in a row, 0 if the failure is no news.

        That is one of an attempt that was under way when the rest began: all those end together.
        """
        last = self._rests.get(key)
        if last is not None and since <= last.since:
            return 0
        times = 1 if last is None else last.times + 1
        now = self._clock.monotonic()
        pause_s = min(REST_S * 2.0 ** min(times - 1, 10), MAX_REST_S)
        self._rests[key] = _Rest(now, now + pause_s, times)
        self._rests.move_to_end(key)
        if len(self._rests) > _RESTS_KEPT:
            self._rests.popitem(last=False)
        return times
