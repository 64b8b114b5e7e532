"""How is a crawl's dashboard reached in a test? The command in a process of its own, and requests byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
from typing import NamedTuple

import msgspec
import pytest

from tests.crawl.conftest import COMMAND, environment, options

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Answer(NamedTuple):
    """What came back for one request."""

    status: int
    #: names in lower case
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return msgspec.json.decode(self.body)


class Shown:
    """A crawl that is served: ``with Shown(folder, server, *seeds, …) as shown: shown.port``.

    Args:
        folder: Where it runs; the crawl is in ``crawl`` there.
        server: What it crawls.
        arguments: Of ``crawler crawl``, besides how to reach the server.
        settings: For ``--set``.
        token: In its environment.
        serve: For ``--serve``.
    """

    def __init__(self, folder, server, *arguments, settings=(), delay="0s", token=None, serve="0"):
        self.directory = folder / "crawl"
        self.server = server
        self._env = environment() | ({"CRAWLER_SERVE_TOKEN": token} if token else {})
        self._command = [*arguments, *options(server, *settings)[2:], "--delay", delay, "-d", "crawl", "--serve", serve]
        self._folder = folder
        self.errors = []

    def __enter__(self):
        command = [*COMMAND, "crawl", *self._command]
        self.process = subprocess.Popen(command, cwd=self._folder, env=self._env, stderr=subprocess.PIPE)
        for line in self.process.stderr:
            self.errors.append(line.decode())
            if found := re.search(r"Dashboard: (http://(\S+):(\d+)/\S*)", self.errors[-1]):
                self.url, self.host, self.port = found[1], found[2], int(found[3])
                return self
        raise AssertionError("".join(self.errors))

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.end()

    def end(self):
        """Its exit code, once it has one."""
        self.errors += [self.process.communicate(timeout=15)[1].decode()] if not self.process.stderr.closed else []
        return self.process.returncode

    def ask(self, path="/", *headers, method="GET", host=None, body=b"", until_closed=True):
        """Send one request; headers are whole lines. ``Host`` is right unless told otherwise."""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {host or f'127.0.0.1:{self.port}'}",
            "Connection: close",
            *headers,
        ]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            received = b""
            while data := connection.recv(65536):
                received += data
                if not until_closed and b"\r\n\r\n" in received:
                    break
        return answer_of(received)

    def tell(self, **wish):
        """``POST /control`` as a script would."""
        body = msgspec.json.encode(wish)
        return self.ask("/control", "Content-Type: application/json", method="POST", body=body)

    def lines(self, name):
        """The records of one of the crawl's files."""
        return [msgspec.json.decode(line) for line in (self.directory / name).read_bytes().splitlines()]


def answer_of(received):
    """What a connection gave, taken apart; a chunked body is put together."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(body))
    return Answer(int(first.split()[1]), headers, body)


def _chunks(body):
    while body:
        size, _, body = body.partition(b"\r\n")
        yield body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]


@contextlib.asynccontextmanager
async def browser():
    """The machine's Chromium; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    playwright = pytest.importorskip("playwright.async_api")
    async with playwright.async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield opened
        finally:
            await opened.close()


class Relay:
    """A way to a port that can be cut, as a network is: ``async with Relay(port) as relay: relay.cut()``."""

    def __init__(self, port):
        self._to = port
        self._writers = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc):
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    def cut(self):
        """Break all connections there are."""
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader, writer):
        try:
            onward = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, onward[1]}
        self._writers |= pair
        await asyncio.gather(_pipe(reader, onward[1]), _pipe(onward[0], writer))
        self._writers -= pair


async def _pipe(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
