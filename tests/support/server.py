"""How does a crawl look from the server? Serves a web on loopback, and logs every request.

Every host lives on one port: point the crawler at it with ``fetch.resolve: {"*.test": "127.0.0.1:PORT"}``. The
server runs on a thread and loop of its own, so the log's times do not depend on a busy crawler in the same process.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.web import Reply


class Responder(Protocol):
    """What can be served: `Web`, or a test's own."""

    def respond(self, host: str, path: str, visit: int) -> Reply:
        """Answer the `visit`-th request (from 1) for this path; `host` without its port."""
        ...


@dataclass(slots=True)
class Hit:
    """One request as the server saw it; times are `time.monotonic` seconds."""

    at: float  #: its head was complete
    host: str
    path: str
    user_agent: str
    #: local address the connection came in on
    address: str
    #: requests of this host unanswered at `at` on connections that were open then, this one included
    in_flight: int
    status: int = 0
    #: what a 429 or 503 asked for, in seconds; None if nothing
    retry_after_s: float | None = None
    #: the answer had been written; None if the client went away first
    ended: float | None = None


@dataclass
class Log:
    """All requests so far, in order of arrival."""

    hits: list[Hit] = field(default_factory=list)

    def of(self, host: str, *, robots: bool = True) -> list[Hit]:
        """The requests of one host, those for robots.txt included unless told otherwise."""
        return [hit for hit in self.hits if hit.host == host and (robots or hit.path != "/robots.txt")]

    def hosts(self) -> set[str]:
        """Every host asked."""
        return {hit.host for hit in self.hits}

    def counts(self) -> Counter[str]:
        """URL -> how often it was asked for."""
        return Counter(f"http://{hit.host}{hit.path}" for hit in self.hits)

    def smallest_gap_s(self, host: str) -> float:
        """The shortest time between two request starts of a host; infinite for fewer than two."""
        return min((later.at - earlier.at for earlier, later in pairwise(self.of(host))), default=float("inf"))

    def max_in_flight(self, host: str | None = None) -> int:
        """The most requests unanswered at once: of one host, or of any one host."""
        return max((hit.in_flight for hit in self.hits if host in (None, hit.host)), default=0)


class Server:
    """A running server: ``with Server(web) as server: server.port, server.log``.

    Args:
        web: What to serve. Called on the server's thread; must not block.
        addresses: Loopback addresses to listen on, all at the same port.
    """

    def __init__(self, web: Responder, addresses: Iterable[str] = ("127.0.0.1",)) -> None:
        self.log = Log()
        self.port = 0
        self._web = web
        self._addresses = tuple(addresses)
        self._visits: Counter[tuple[str, str]] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._listeners: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="web server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def resolve(self) -> dict[str, str]:
        """What to put under ``fetch.resolve``."""
        return {"*.test": f"{self._addresses[0]}:{self.port}"}

    def asked(self, head: bytes, at: float, address: str) -> tuple[Hit, Reply, bool]:
        """Log a request: its entry, its answer, and whether the connection stays open after it."""
        request_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        host, path = headers["host"].partition(":")[0], request_line.split(" ")[1]
        self._visits[host, path] += 1
        self._in_flight[host] += 1
        hit = Hit(at, host, path, headers.get("user-agent", ""), address, self._in_flight[host])
        self.log.hits.append(hit)
        reply = self._web.respond(host, path, self._visits[host, path])
        return hit, reply, headers.get("connection", "").lower() != "close"

    def settled(self, hit: Hit) -> None:
        """A request is in flight no more: it was answered, or its client went away."""
        self._in_flight[hit.host] -= 1

    async def _listen(self) -> None:
        for address in self._addresses:
            listener = await self._loop.create_server(self._connect, address, self.port, backlog=1024)
            self.port = listener.sockets[0].getsockname()[1]
            self._listeners.append(listener)

    def _connect(self) -> Connection:
        return Connection(self, self._loop, self._connections)

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        for connection in tuple(self._connections):
            connection.abort()
        await asyncio.sleep(0)  # they hear of it in the next turn


class Connection(asyncio.Protocol):
    """One client: a request after the other. That it went away is noticed at once, whatever the answer waits for."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, open_ones: set[Connection]) -> None:
        self._server = server
        self._loop = loop
        self._open_ones = open_ones
        self._transport: asyncio.Transport
        self._address = ""
        self._received = b""
        self._unanswered: Hit | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._address = transport.get_extra_info("sockname")[0]
        self._open_ones.add(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_ones.discard(self)
        if self._unanswered is not None:
            self._server.settled(self._unanswered)
            self._unanswered = None

    def abort(self) -> None:
        """Break the connection."""
        self._transport.abort()

    def _next(self) -> None:
        """Take up the next request, if it is here and the one before is answered."""
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found or self._unanswered is not None:
            return
        self._received = rest
        hit, reply, stays = self._server.asked(head, time.monotonic(), self._address)
        self._unanswered = hit
        if reply.delay_s:
            self._loop.call_later(reply.delay_s, self._answer, hit, reply, stays)
        else:
            self._answer(hit, reply, stays)

    def _answer(self, hit: Hit, reply: Reply, stays: bool) -> None:
        if self._unanswered is not hit:
            return  # the client has gone
        hit.status = reply.status
        hit.retry_after_s = asked_to_wait_s(reply)
        self._transport.write(encoded(reply))
        hit.ended = time.monotonic()
        self._unanswered = None
        self._server.settled(hit)
        if stays:
            self._next()
        else:
            self._transport.close()


def asked_to_wait_s(reply: Reply) -> float | None:
    """The seconds that a 429 or 503 asks its host to be left alone."""
    named = {name.lower(): value for name, value in reply.headers} if reply.status in {429, 503} else {}
    return float(named["retry-after"]) if "retry-after" in named else None


def encoded(reply: Reply) -> bytes:
    """A reply as HTTP/1.1 sends it."""
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines += [f"Content-Length: {len(reply.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + reply.body
