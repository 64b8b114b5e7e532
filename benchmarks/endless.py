"""A web of any size, made up as it is asked for, by a server in a process of its own.

Page n of a host, ``/n``, is of about 1.9 KB and has 20 links: to pages 2n+1 and 2n+2, which makes all reachable, and to
pages before these. So a crawl that comes by them in order always knows about twice as many URLs as it has fetched.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import time
from typing import Self

import uvloop

LINKS_A_PAGE = 20
TEXT = "anchor basin cedar delta ember fjord grove heath islet juniper knoll lagoon " * 12
START_WITHIN_S = 10.0


class Endless:
    """Serves `pages` pages on every host name: ``with Endless(pages) as server: server.port, server.requests``."""

    def __init__(self, pages: int) -> None:
        forking = multiprocessing.get_context("fork")
        self._requests = forking.Value("Q", 0, lock=False)
        self._first_at = forking.Value("d", 0.0, lock=False)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._process = forking.Process(target=self._run, args=(pages,), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._listener.close()
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def requests(self) -> int:
        """How many there were."""
        return self._requests.value

    @property
    def first_at(self) -> float:
        """Wall time of the first request; 0 while there was none."""
        return self._first_at.value

    def counted(self) -> None:
        """Count a request."""
        if not self._requests.value:
            self._first_at.value = time.time()
        self._requests.value += 1

    def _run(self, pages: int) -> None:
        uvloop.run(self._serve(pages))

    async def _serve(self, pages: int) -> None:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: Connection(self, pages), sock=self._listener)
        await listening.serve_forever()


class Connection(asyncio.Protocol):
    """One client, which sends no bodies and does not pipeline."""

    def __init__(self, server: Endless, pages: int) -> None:
        self._server = server
        self._pages = pages
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(b"\r\n\r\n"):
            path = self._received.split(b" ", 2)[1]
            self._received = b""
            self._server.counted()
            self._transport.write(answer(path, self._pages))


def answer(path: bytes, pages: int) -> bytes:
    """The response to a request for `path`, head and all."""
    name = path[1:] or b"0"
    number = int(name) if name.isdigit() else pages
    if number >= pages:
        return b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
    body = html(number, pages).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def html(number: int, pages: int) -> str:
    """A page. The known ones it links to are drawn by a multiplier, far cheaper than a random generator."""
    known = min(2 * number + 1, pages)
    targets = [child for child in (2 * number + 1, 2 * number + 2) if child < pages]
    targets += [(number * 2_654_435_761 + way * 40_503_221) % known for way in range(LINKS_A_PAGE - len(targets))]
    links = "\n".join(f'<li><a href="/{target}">page {target}</a></li>' for target in targets)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page {number}</title>'
        f'<meta name="description" content="About {number}."></head><body><h1>Page {number}</h1>\n'
        f"<p>{TEXT}</p>\n<ul>\n{links}\n</ul></body></html>\n"
    )
