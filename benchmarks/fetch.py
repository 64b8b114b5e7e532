"""What does one fetch cost the event loop? CPU per request, beside what it could cost at least and aiohttp's session.

    python -m benchmarks.fetch [--requests 4000] [--rounds 6]

Serves a small page and one as long as a page of documentation from an nginx of its own on 127.0.0.1, over kept-alive
connections, to 16 coroutines; all sides take turns, and the median of the rounds counts. The floor is a protocol that
writes the same request and counts the bytes of the answer, with the same wake-up of one task: the system calls and
uvloop's part. Figures are CPU time of this process on uvloop.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import uvloop

from crawler.clock import SystemClock
from crawler.config import FetchConfig
from crawler.fetch.http import HttpFetcher
from crawler.models import HostKey, Request, Url

COROUTINES = 16
PAGES_BYTES = {"small": 2_000, "documentation": 96_000}
NGINX_CONF = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 1000000; default_type text/html;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port}; root {folder}/www;
    add_header Set-Cookie "a=b"; add_header X-Frame-Options DENY; add_header Cache-Control no-store;
  }}
}}
"""


@contextlib.contextmanager
def page_server():
    """An nginx with one page of each size; yields its origin."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        raise SystemExit("nginx is not installed")
    with tempfile.TemporaryDirectory() as prefix, socket.create_server(("127.0.0.1", 0)) as free:
        folder = Path(prefix)
        port = free.getsockname()[1]
        free.close()
        folder.chmod(0o755)
        (folder / "www").mkdir()
        for name, size_bytes in PAGES_BYTES.items():
            (folder / "www" / f"{name}.html").write_bytes(b"x" * size_bytes)
        (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder, port=port))
        server = subprocess.Popen([nginx, "-p", prefix, "-c", "nginx.conf", "-e", f"{prefix}/error.log"])
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise SystemExit("nginx did not start")


class Counting(asyncio.Protocol):
    """Reads answers of a known length without looking at them."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._missing_bytes = self._answer_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._answer_bytes:
            end = data.index(b"\r\n\r\n") + 4
            length = data.lower().index(b"content-length:") + len("content-length:")
            self._answer_bytes = self._missing_bytes = end + int(data[length : data.index(b"\r\n", length)])
        self._missing_bytes -= len(data)
        if not self._missing_bytes:
            self._whole.set_result(None)

    async def get(self) -> None:
        self._missing_bytes = self._answer_bytes
        self._whole = asyncio.get_running_loop().create_future()
        self._transport.write(self._head)
        await self._whole


async def cpu_us(get, requests: int) -> float:
    """CPU microseconds per call of `get`, from COROUTINES coroutines."""

    async def loop() -> None:
        for _ in range(requests // COROUTINES):
            await get()

    before = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(COROUTINES):
            group.create_task(loop())
    return (time.process_time() - before) / (requests // COROUTINES * COROUTINES) * 1e6


async def compare(url: str, size_bytes: int, requests: int, rounds: int) -> None:
    """Print what each side takes for one page."""
    fetcher = HttpFetcher(FetchConfig(), SystemClock(), concurrency=COROUTINES)
    request = Request(url=Url(url), host_key=HostKey("127.0.0.1"), scope_host="127.0.0.1")
    head = (await fetcher.fetch(request, nothing)).request_head
    address = urlsplit(url)
    make = partial(Counting, head)
    connect = asyncio.get_running_loop().create_connection
    counting = [(await connect(make, address.hostname, address.port))[1] for _ in range(COROUTINES)]

    async def floor() -> None:
        connection = counting.pop()
        await connection.get()
        counting.append(connection)

    async def ours() -> None:
        if len((await fetcher.fetch(request, nothing)).body) != size_bytes:
            raise SystemExit("the page came back short")

    async with aiohttp.ClientSession() as session:

        async def bare() -> None:
            async with session.get(url) as response:
                await response.read()

        sides = {"floor": floor, "HttpFetcher": ours, "bare aiohttp session.get().read()": bare}
        figures: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(rounds + 1):
            for name, get in sides.items():
                figure = await cpu_us(get, requests)
                if turn:  # the first warms up
                    figures[name].append(figure)
    await fetcher.aclose()
    print(f"{size_bytes} bytes")
    for name, values in figures.items():
        print(f"  {name:36} {statistics.median(values):6.1f} us CPU a request   (best {min(values):.1f})")


def nothing() -> None:
    """Nobody waits for the start of a request here."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=6)
    arguments = parser.parse_args()
    with page_server() as origin, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for name, size_bytes in PAGES_BYTES.items():
            runner.run(compare(f"{origin}/{name}.html", size_bytes, arguments.requests, arguments.rounds))


if __name__ == "__main__":
    main()
