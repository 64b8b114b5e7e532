"""A loopback server that answers HTTP requests with whatever bytes a test says, well-formed or not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable


class Peer:
    """One connection as its server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._reader = reader
        self._writer = writer
        #: 0 for the server's first connection
        self.number = number

    async def next_head(self) -> bytes | None:
        """The next request head, with the empty line; None once the client has gone."""
        try:
            return await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def gone(self) -> None:
        """Return once the client has closed the connection."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65536):
                pass

    def close(self) -> None:
        self._writer.close()

    def is_closing(self) -> bool:
        return self._writer.is_closing()

    def reset(self) -> None:
        """Break the connection with an RST."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class RawServer:
    """Serves on `port` of `host`, or a free one, while entered.

    Args:
        answer: Bytes that answer every request, or a coroutine function that does so: it is given the head and
            the connection, may close it, and the next request is read once it returns.
        greeting: Sent as soon as a client has connected.
    """

    def __init__(
        self,
        answer: bytes | Callable[[bytes, Peer], Awaitable[None]],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        greeting: bytes = b"",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._answer = answer
        self._host = host
        self.port = port
        self._greeting = greeting
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        #: heads of all requests, in order of arrival
        self.heads: list[bytes] = []
        self.connections = 0
        #: set whenever a head has arrived
        self.asked = asyncio.Event()
        #: set once a client has closed a connection
        self.left = asyncio.Event()

    async def __aenter__(self) -> RawServer:
        self._server = await asyncio.start_server(self._accept, self._host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def url(self, target: str = "/") -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{target}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(reader, writer, self.connections)
        self.connections += 1
        try:
            if self._greeting:
                await peer.send(self._greeting)
            while (head := await peer.next_head()) is not None:
                self.heads.append(head)
                self.asked.set()
                if isinstance(self._answer, bytes):
                    await peer.send(self._answer)
                else:
                    await self._answer(head, peer)
            self.left.set()
        except asyncio.CancelledError:
            pass  # the test is over; StreamReaderProtocol would log it
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()


def page(body: bytes = b"hello", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A well-formed answer with a Content-Length."""
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
