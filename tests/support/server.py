"""How does a crawl look from the server? Serves a web on loopback, and logs every request.

Every host lives on one port: point the crawler at it with ``fetch.resolve: {"*.test": "127.0.0.1:PORT"}``. A server
runs on a loop of its own, in a thread (`Server`) or in a process (`ServerApart`), so that its answers do not depend on
a busy crawler.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import uvloop

from tests.support.hits import Hit, Log
from tests.support.site import Conditional, Responder, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection

__all__ = ["Hit", "Log", "Responder", "Server", "ServerApart"]

_START_WITHIN_S = 20.0


class Server:
    """A running server: ``with Server(web) as server: server.port, server.log``.

    Args:
        web: What to serve. Called on the server's thread; must not block.
        addresses: Loopback addresses to listen on, all at the same port.
    """

    def __init__(self, web: Responder | Conditional, addresses: Iterable[str] = ("127.0.0.1",)) -> None:
        self._addresses = tuple(addresses)
        self._loop = asyncio.new_event_loop()
        self._site = Site(web, self._addresses, self._loop)
        self._thread = threading.Thread(target=self._loop.run_forever, name="web server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._on_loop(self._site.open), self._loop).result()
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._on_loop(self._site.close), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def log(self) -> Log:
        """All requests so far."""
        return self._site.log

    @contextmanager
    def slow_after(self, more: int) -> Iterator[None]:
        """Meanwhile, after so many requests more, answers take a second longer: nobody is done before a test acts."""
        self._site.quick_answers = len(self.log.hits) + more
        try:
            yield
        finally:
            self._site.quick_answers = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._site.port

    @property
    def resolve(self) -> dict[str, str]:
        """What to put under ``fetch.resolve``."""
        return {"*.test": f"{self._addresses[0]}:{self.port}"}

    async def _on_loop(self, act) -> None:
        act()


class ServerApart:
    """The same in a process of its own, for webs of thousands of hosts: its log is there once it has ended.

    Args:
        web: As for `Server`; it is sent to the process.
        addresses: As for `Server`.
    """

    def __init__(self, web: Responder | Conditional, addresses: Iterable[str] = ("127.0.0.1",)) -> None:
        self.log = Log()
        self.port = 0
        starting = multiprocessing.get_context("spawn")  # nothing of this process's threads and sockets
        self._here, there = starting.Pipe()
        self._process = starting.Process(target=_serve, args=(there, web, tuple(addresses)), daemon=True)
        self._there = there

    def __enter__(self) -> Self:
        self._process.start()
        self._there.close()
        if not self._here.poll(_START_WITHIN_S):
            raise TimeoutError("the server has not begun to listen")
        self.port = self._here.recv()
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self._here.send_bytes(b"end")
            self.log = Log(self._here.recv())
        finally:
            self._here.close()
            self._process.join()

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process.pid is not None
        return self._process.pid


def _serve(parent: Connection, web: Responder | Conditional, addresses: tuple[str, ...]) -> None:
    """Serve until the parent says so, then give it the log."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # a collection would take longer the longer the log is
    loop = uvloop.new_event_loop()
    site = Site(web, addresses, loop)
    site.open()
    loop.add_reader(parent.fileno(), loop.stop)
    parent.send(site.port)
    loop.run_forever()
    site.close()
    loop.close()
    os.set_blocking(parent.fileno(), True)  # uvloop has made it otherwise
    parent.send(site.log.hits)
