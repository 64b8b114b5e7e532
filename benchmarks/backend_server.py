"""Which server is as fast, or as slow, as one likes? It answers from memory, after a pause, in a process of its own.

    python -m benchmarks.backend_server FOLDER PAUSE_S DESCRIPTOR

serves the files of FOLDER on the listening socket DESCRIPTOR until its standard input ends, then prints when the first
request came, as wall time, and how many did.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import uvloop

ROOT = Path(__file__).resolve().parents[1]
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"


class Answering(asyncio.Protocol):
    """One connection; a request at a time, as all clients here ask."""

    first_at = 0.0
    requests = 0

    def __init__(self, folder: Path, pause_s: float, made: dict[bytes, bytes]) -> None:
        self._folder = folder
        self._pause_s = pause_s
        self._made = made
        self._head = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        if not self._head.endswith(b"\r\n\r\n"):
            return
        path = self._head.split(b" ", 2)[1].partition(b"?")[0]
        self._head = b""
        Answering.first_at = Answering.first_at or time.time()
        Answering.requests += 1
        answer = self._made.get(path) or self._make(path)
        if self._pause_s:
            asyncio.get_running_loop().call_later(self._pause_s, self._transport.write, answer)
        else:
            self._transport.write(answer)

    def _make(self, path: bytes) -> bytes:
        """An answer, kept for the next time."""
        file = self._folder / path.decode().lstrip("/")
        answer = _NOT_FOUND
        if file.is_file():
            body = file.read_bytes()
            kind = b"text/html" if file.suffix == ".html" else b"text/plain"
            answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % (
                kind,
                len(body),
            )
            answer += body
        self._made[path] = answer
        return answer


class Server:
    """The process that serves: ``with Server(folder, 0.05) as server: server.base``."""

    def __init__(self, folder: Path, pause_s: float) -> None:
        self._folder = folder
        self._pause_s = pause_s
        self.base = ""
        self.first_at = 0.0  #: known once it has ended

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            self.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            descriptor = listener.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, str(self._folder), str(self._pause_s), str(descriptor)],
                pass_fds=[descriptor],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self

    def __exit__(self, *exc: object) -> None:
        said, _ = self._process.communicate()
        if said:
            self.first_at = float(said.split()[0])


async def serve(folder: Path, pause_s: float, listener: socket.socket) -> None:
    """Until standard input ends."""
    made: dict[bytes, bytes] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(folder, pause_s, made), sock=listener)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)
    print(Answering.first_at, Answering.requests)
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), float(sys.argv[2]), socket.socket(fileno=int(sys.argv[3]))))
