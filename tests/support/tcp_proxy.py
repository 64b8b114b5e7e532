"""A TCP proxy on loopback that can be cut, made slow, and led elsewhere: the network between a worker and Redis.

Cut, it says nothing: no connection is refused or reset, as with a cable that was pulled; what was sent meanwhile
arrives when the cut is mended. Led elsewhere, it closes all connections, as a name that fails over does.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Self

_PIECE = 1 << 16
_START_S = 10.0


class TcpProxy:
    """``with TcpProxy(port) as proxy: proxy.port``; what it is told holds at once, for all connections.

    Args:
        target: The port on 127.0.0.1 that it leads to.
        delay_s: How much later each piece arrives, either way.
    """

    def __init__(self, target: int, *, delay_s: float = 0.0) -> None:
        self.target = target
        self.delay_s = delay_s
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, name="tcp proxy", daemon=True)
        self._started = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(_START_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)

    @property
    def url(self) -> str:
        """Where Redis is, for whoever goes through it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def cut(self) -> None:
        """Let nothing through any more."""
        self._told(self._whole.clear)

    def mend(self) -> None:
        """Let all through again."""
        self._told(self._whole.set)

    def lead_to(self, target: int) -> None:
        """Lead to another port, and close what led to the one before."""

        def lead() -> None:
            self.target = target
            self._close_all()

        self._told(lead)

    def close_all(self) -> None:
        """Close every connection; new ones are welcome."""
        self._told(self._close_all)

    def _close_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _told(self, what) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        assert done.wait(_START_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        self._close_all()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # asyncio's streams want their callbacks to end by themselves
            await self._lead(reader, writer)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        self._open.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(back)
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            for each in (writer, back):
                each.transport.abort()
                self._open.discard(each)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, in order, each piece so much later; the end of one side is the end of the other."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)
        with suppress(OSError, ConnectionError):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write(pieces, writer))
                piece = b"-"
                while piece:
                    piece = await self._read(reader)
                    await pieces.put((self._loop.time() + self.delay_s, piece))

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.read(_PIECE)
        except OSError:
            return b""

    async def _write(self, pieces: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._whole.wait()
            if not piece:
                writer.transport.abort()
                return
            with suppress(OSError):
                writer.write(piece)
                await writer.drain()
