"""How does a crawl look from the server? Serves a web on loopback, and logs every request.

Every host lives on one port: point the crawler at it with ``fetch.resolve: {"*.test": "127.0.0.1:PORT"}``. The
server runs on a thread and loop of its own, so the log's times do not depend on a busy crawler in the same process.
"""

from __future__ import annotations

import asyncio
import contextlib
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
    #: requests of this host unanswered at `at`, this one included
    in_flight: int
    status: int = 0
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
        self._connections: set[asyncio.Task[None]] = set()
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

    async def _listen(self) -> None:
        for address in self._addresses:
            listener = await asyncio.start_server(self._serve, address, self.port, backlog=1024)
            self.port = listener.sockets[0].getsockname()[1]
            self._listeners.append(listener)

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._connections.discard(connection)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        at = time.monotonic()
        request_line, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        host, path = headers["host"].partition(":")[0], request_line.split(" ")[1]
        self._visits[host, path] += 1
        self._in_flight[host] += 1
        address = writer.get_extra_info("sockname")[0]
        hit = Hit(at, host, path, headers.get("user-agent", ""), address, self._in_flight[host])
        self.log.hits.append(hit)
        try:
            reply = self._web.respond(host, path, self._visits[host, path])
            if reply.delay_s:
                await asyncio.sleep(reply.delay_s)
            hit.status = reply.status
            writer.write(encoded(reply))
            await writer.drain()
            hit.ended = time.monotonic()
        finally:
            self._in_flight[host] -= 1
        return headers.get("connection", "").lower() != "close"


def encoded(reply: Reply) -> bytes:
    """A reply as HTTP/1.1 sends it."""
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines += [f"Content-Length: {len(reply.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + reply.body
