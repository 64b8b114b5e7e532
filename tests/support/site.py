"""How is a web served on loopback, and every request to it logged? On a loop of the caller's choice.

Sockets are used bare, for what asyncio's transports do not hand on: the kernel's own stamp of when a request arrived
(Linux). So the log's times are the wire's, however late a busy machine lets the server read them.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import time
from collections import Counter
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tests.support.hits import Hit, Log
from tests.support.web import Fate

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

    from tests.support.web import Reply

_BACKLOG = 1024
_SLOW_S = 1.0
_RECEIVED_AT_ONCE = 65_536
_ACCEPTED_AT_ONCE = 64
#: SO_TIMESTAMPNS of Linux's asm-generic/socket.h, which Python does not name: a struct timespec with all that arrives
_STAMPED, _STAMP = 35, struct.Struct("@ll")
_LINUX = sys.platform == "linux"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, with an RST
_PHRASES = {int(status): status.phrase for status in HTTPStatus}


class Responder(Protocol):
    """What can be served: `Web`, or a test's own."""

    def respond(self, host: str, path: str, visit: int) -> Reply:
        """Answer the `visit`-th request (from 1) for this path; `host` without its port."""
        ...


@runtime_checkable
class Conditional(Protocol):
    """What heeds conditions of requests besides."""

    def respond_to(self, hit: Hit, visit: int) -> Reply:
        """Answer the `visit`-th request (from 1) for its path."""
        ...


class Site:
    """Listens, answers and logs.

    Args:
        web: What to serve. Called on the loop; must not block.
        addresses: Loopback addresses to listen on, all at the same port.
        loop: Runs it; all methods are to be called from there.
    """

    def __init__(self, web: Responder | Conditional, addresses: Iterable[str], loop: asyncio.AbstractEventLoop) -> None:
        self.log = Log()
        self.port = 0
        self.loop = loop
        self.wall_ahead_s = _wall_ahead_s()
        self._answers = web.respond_to if isinstance(web, Conditional) else _unconditional(web)
        self._addresses = tuple(addresses)
        #: how many requests are answered as fast as the web says; those after them take a second more; None for all
        self.quick_answers: int | None = None
        self._visits: Counter[tuple[str, str]] = Counter()
        #: connections with an unanswered request, by host and by address
        self._waiting: dict[str, set[Connection]] = {}
        self._listeners: list[socket.socket] = []
        self._connections: set[Connection] = set()

    def open(self) -> None:
        """Begin to listen."""
        for address in self._addresses:
            listener = socket.create_server((address, self.port), backlog=_BACKLOG)
            self.port = listener.getsockname()[1]
            listener.setblocking(False)
            if _LINUX:
                listener.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)  # its connections inherit it
            self.loop.add_reader(listener, self._accept, listener)
            self._listeners.append(listener)

    def close(self) -> None:
        """Break all connections."""
        for listener in self._listeners:
            self.loop.remove_reader(listener)
            listener.close()
        for connection in tuple(self._connections):
            connection.close(reset=True)

    def asked(self, head: bytes, at: float, connection: Connection) -> tuple[Hit, Reply, bool]:
        """Log a request: its entry, its answer, and whether the connection stays open after it."""
        request_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        host, path = headers["host"].partition(":")[0], request_line.split(" ")[1]
        self._visits[host, path] += 1
        in_flight = [self._now_waiting(key, connection) for key in (host, connection.address)]
        hit = Hit(at, host, path, headers.get("user-agent", ""), connection.address, *in_flight)
        hit.if_none_match, hit.if_modified_since = headers.get("if-none-match"), headers.get("if-modified-since")
        self.log.hits.append(hit)
        reply = self._answers(hit, self._visits[host, path])
        if self.quick_answers is not None and len(self.log.hits) > self.quick_answers:
            reply = replace(reply, delay_s=reply.delay_s + _SLOW_S)
        return hit, reply, headers.get("connection", "").lower() != "close"

    def settled(self, hit: Hit, connection: Connection) -> None:
        """A request is in flight no more."""
        for key in (hit.host, hit.address):
            self._waiting[key].discard(connection)

    def forget(self, connection: Connection) -> None:
        """A connection is no more."""
        self._connections.discard(connection)

    def _now_waiting(self, key: str, connection: Connection) -> int:
        """How many requests of a host or an address are in flight with one on `connection`."""
        waiting = self._waiting.setdefault(key, set())
        for other in tuple(waiting):
            other.notice_if_gone()
        waiting.add(connection)
        return len(waiting)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_ACCEPTED_AT_ONCE):
                client, _ = listener.accept()
                self._connections.add(Connection(self, client))


class Connection:
    """One client: a request after the other. That it went away is noticed at once, whatever the answer waits for."""

    def __init__(self, site: Site, client: socket.socket) -> None:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address: str = client.getsockname()[0]
        self._site = site
        self._loop = site.loop
        self._socket = client
        self._received = b""
        self._received_at = 0.0
        self._unanswered: Hit | None = None
        self._answered: Hit | None = None  # the last one
        self._unsent = b""
        self._loop.add_reader(client, self._read)

    def notice_if_gone(self) -> None:
        """Look whether the client has closed the connection, though the loop has not come round to it yet."""
        try:
            gone = not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            self.close()

    def close(self, *, reset: bool = False) -> None:
        """Part from the client, whether it has its answer or not."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._socket.close()
        self._site.forget(self)
        if self._unanswered is not None:
            hit, self._unanswered = self._unanswered, None
            hit.gone = time.monotonic()
            self._site.settled(hit, self)

    def _read(self) -> None:
        try:
            data, ancillary, _, _ = self._socket.recvmsg(_RECEIVED_AT_ONCE, socket.CMSG_SPACE(_STAMP.size))
        except BlockingIOError:
            return
        except OSError:
            data, ancillary = b"", []
        self._received_at = self._arrival(ancillary)
        if self._answered is not None:
            self._answered.noticed, self._answered = self._received_at, None
        if not data:
            self.close()
            return
        self._received += data
        try:
            self._next()
        except BaseException:  # of a web that is wrong: told by the loop, and no crawler is left waiting
            self.close(reset=True)
            raise

    def _arrival(self, ancillary: Sequence[tuple[int, int, bytes]]) -> float:
        """When the latest byte came, by the kernel if it says so."""
        for level, kind, stamp in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _STAMPED):
                seconds, nanoseconds = _STAMP.unpack(stamp)
                return seconds - self._site.wall_ahead_s + nanoseconds / 1e9
        return time.monotonic()

    def _next(self) -> None:
        """Take up the next request, if it is here and the one before is answered."""
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found or self._unanswered is not None:
            return
        self._received = rest
        hit, reply, stays = self._site.asked(head, self._received_at, self)
        self._unanswered = hit
        if reply.fate is Fate.SILENCE:
            return
        if reply.delay_s:
            self._loop.call_later(reply.delay_s, self._answer, hit, reply, stays)
        else:
            self._answer(hit, reply, stays)

    def _answer(self, hit: Hit, reply: Reply, stays: bool) -> None:
        if self._unanswered is not hit:
            return  # the client has gone
        if reply.fate is Fate.RESET:
            self.close(reset=True)
            return
        hit.status, hit.headers = reply.status, reply.headers
        if hit.path.endswith("robots.txt"):
            hit.body = reply.body
        self._unsent = encoded(reply)
        hit.sent_bytes = len(self._unsent)
        self._send(hit, stays)

    def _send(self, hit: Hit, stays: bool) -> None:
        """Write what is left of the answer, now and whenever the client has taken some of it."""
        hit.ended = time.monotonic()
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            hit.ended = None
            self.close()
            return
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._loop.add_writer(self._socket, self._send, hit, stays)
            return
        self._loop.remove_writer(self._socket)
        self._unanswered, self._answered = None, hit
        self._site.settled(hit, self)
        if stays:
            self._next()
        else:
            self.close()


def encoded(reply: Reply) -> bytes:
    """A reply as HTTP/1.1 sends it."""
    lines = [f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    if reply.status != HTTPStatus.NOT_MODIFIED:  # which says nothing of a body, as servers do it
        lines.append(f"Content-Length: {len(reply.body)}")
    lines += ["", ""]
    return "\r\n".join(lines).encode("latin-1") + reply.body


def _unconditional(web: Responder) -> Callable[[Hit, int], Reply]:
    """As of a web that answers every request in full."""
    return lambda hit, visit: web.respond(hit.host, hit.path, visit)


def _wall_ahead_s() -> float:
    """By how much the wall clock, which the kernel stamps with, is ahead of the monotonic one.

    Measured once: the closest of a few looks at both. Only setting the clock while a test runs changes it.
    """
    looks = []
    for _ in range(20):
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        looks.append((after - before, wall - (before + after) / 2))
    return min(looks)[1]
