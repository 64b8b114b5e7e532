"""A host that asks for a rest while a request is still connecting is not sent that request within the rest."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest

from crawler import Crawl
from tests.support.faults.certificates import context
from tests.support.rawserver import page

pytestmark = pytest.mark.slow

REST_S = 1.0


class SlowToGreet:
    """A server with TLS whose second client has to wait for its handshake until the first has read a 503."""

    def __init__(self):
        self.heads = []  #: path, and when its head was read
        self.rested_at = None  #: when the 503 had been written
        self._refused = asyncio.Event()
        self._tasks = set()

    async def __aenter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._begin(self._accept())
        return self

    async def __aexit__(self, *error):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listener.close()

    def _begin(self, work):
        self._tasks.add(asyncio.get_running_loop().create_task(work))

    async def _accept(self):
        for number in range(100):
            client, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            self._begin(self._serve(client, number))

    async def _serve(self, client, number):
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        if number == 1:
            await self._refused.wait()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, client, ssl=context("good"))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
                self.heads.append((path, time.monotonic()))
                if path == "/robots.txt":
                    transport.write(page(status=b"404 Not Found"))
                elif self.rested_at is None:
                    transport.write(page(b"", b"Retry-After: 1", b"Connection: close", status=b"503 Busy"))
                    self.rested_at = time.monotonic()
                else:
                    transport.write(page(b"<p>well", b"Content-Type: text/html"))
        transport.close()
        self._refused.set()  # the client, told to close, has done so


async def test_request_that_was_connecting_when_its_host_asked_for_a_rest_is_sent_after_it(tmp_path):
    async with SlowToGreet() as server:
        path = tmp_path / "crawl.yaml"
        path.write_text(
            f"fetch: {{allow_addresses: [127.0.0.1], resolve: {{'*.test': '127.0.0.1:{server.port}'}},"
            " hosts: {'*.test': {verify: false}}}\n"
            "limits: {default: {delay: 0, concurrency: 2}, adaptive: false}\n"
            "parse: {backend: inline}\ncheckpoint: {every: 20ms, fsync: false}\n"
        )
        seeds = ("https://busy.test/1", "https://busy.test/2")
        async with Crawl(path, seeds=seeds, directory=tmp_path / "crawl") as crawl:
            async for _ in crawl:
                break  # the one refused is tried again only seconds later
    (robots, _), (refused, _), (held_back, at), *_ = server.heads
    assert robots == "/robots.txt"
    assert {refused, held_back} == {"/1", "/2"}
    assert at - server.rested_at >= REST_S
