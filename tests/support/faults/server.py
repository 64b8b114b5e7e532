"""How are all faults served on one port? By threads and blocking sockets, since TLS may begin or not on any of them.

The first byte of a connection tells whether its client speaks TLS; which fault is meant, the name in the TLS handshake
or the Host header.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.support.faults.certificates import context, name_asked_for
from tests.support.faults.fault import DOMAIN, Cut, Drip, Endless, Fault, Plain, Reset, Silence, html, ok

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_S = 60.0  # no connection is held for longer, whoever forgets to leave
_HEAD_BYTES = 64 * 1024
_TLS_HANDSHAKE = 22


class FaultServer:
    """Serves `faults` on a free port of 127.0.0.1 while entered, each as the host of its name."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = {fault.host: fault for fault in faults}
        #: (host, path) -> how many times it was asked for
        self.asked = Counter()
        self._open = set()
        self._lock = threading.Lock()

    @property
    def resolve(self) -> dict[str, str]:
        """For ``fetch.resolve``."""
        return {f"*.{DOMAIN}": f"127.0.0.1:{self.port}"}

    def fault_of(self, host: str) -> Fault | None:
        """The one that a host does; None: it answers well."""
        return self.faults.get(host)

    def __enter__(self) -> FaultServer:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="fault server", daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for sock in connections:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(5)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(_LONGEST_S)
        with self._lock:
            self._open.add(sock)
        plain = sock
        try:
            first = sock.recv(1, socket.MSG_PEEK)
            if not first:
                return
            fault = None
            if first[0] == _TLS_HANDSHAKE:
                fault = self.fault_of(name_asked_for(sock))
                if fault is not None and fault.at_connect:
                    self._take(sock, plain, fault.at_connect)
                    return
                if fault is None or fault.certificate is None:
                    self._speak_plainly(sock, fault)
                    return
                sock = context(fault.certificate).wrap_socket(sock.dup(), server_side=True)  # `plain` stays of use
            self._talk(sock, plain)
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            pass
        finally:
            with self._lock:
                self._open.discard(plain)
            for each in {sock, plain}:
                with contextlib.suppress(OSError):
                    each.close()

    def _speak_plainly(self, sock: socket.socket, fault: Fault | None) -> None:
        """To a client that wants TLS of a port that has none."""
        sock.recv(_HEAD_BYTES)
        self._take(sock, sock, fault.steps if fault and not callable(fault.steps) else (ok(html()),))

    def _talk(self, sock: socket.socket, plain: socket.socket) -> None:
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                piece = sock.recv(_HEAD_BYTES)
                if not piece or len(rest) > _HEAD_BYTES:
                    return
                rest += piece
            head, _, rest = rest.partition(b"\r\n\r\n")
            host, path = _asked(head)
            self.asked[host, path] += 1
            fault = self.fault_of(host)
            if fault is None or not fault.is_at(path):
                sock.sendall(_good(path))
                continue
            scheme = "http" if sock is plain else "https"
            steps = fault.steps(head, f"{scheme}://{host}") if callable(fault.steps) else fault.steps
            self._take(sock, plain, steps)
            return

    def _take(self, sock: socket.socket, plain: socket.socket, steps) -> None:
        for step in steps:
            match step:
                case bytes():
                    sock.sendall(step)
                case Drip(data=data, every_s=every_s, size=size):
                    for at in range(0, len(data), size):
                        sock.sendall(data[at : at + size])
                        if _gone(plain, every_s):
                            return
                case Endless(data=data, most=most, make=make):
                    sent = turn = 0
                    while sent < most:
                        piece = data if make is None else make(turn)
                        sock.sendall(piece)
                        sent += len(piece)
                        turn += 1
                case Silence():
                    _wait_until_gone(plain)
                case Reset():
                    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                case Plain(data=data):
                    plain.sendall(data)
                case Cut():
                    plain.shutdown(socket.SHUT_WR)
                    _gone(plain, 2.0)
                    return
        _say_goodbye(sock, plain)


def _asked(head: bytes) -> tuple[str, str]:
    """Host without port, and path, of a request head."""
    target = head.split(b" ", 2)[1].decode("latin-1")
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"host":
            return value.strip().decode("latin-1").partition(":")[0], target
    return "", target


def _good(path: str) -> bytes:
    if path == "/robots.txt":
        return ok(b"", status=b"HTTP/1.1 404 Not Found")
    return ok(html("a good page"))


def _gone(sock: socket.socket, within_s: float) -> bool:
    """Whether the client closes the connection within that time; what it sends meanwhile is not read."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(within_s * 1000))


def _wait_until_gone(sock: socket.socket) -> None:
    until = time.monotonic() + _LONGEST_S
    while time.monotonic() < until and not _gone(sock, 1.0):
        pass


def _say_goodbye(sock: socket.socket, plain: socket.socket) -> None:
    """Close orderly: with unread bytes in the buffer, a plain close would be an RST and take the answer with it."""
    if isinstance(sock, ssl.SSLSocket):
        with contextlib.suppress(OSError, ValueError):
            sock.settimeout(1)
            sock.unwrap()
    with contextlib.suppress(OSError):
        plain.shutdown(socket.SHUT_WR)
    _gone(plain, 2.0)
