"""What does one fetch cost the event loop? CPU per request, beside a bare ``session.get().read()``.

    python -m benchmarks.fetch [--requests 4000] [--rounds 6]

Serves one 20 KB page from an nginx of its own on 127.0.0.1, over kept-alive connections, to 16 coroutines; both
sides take turns, and the median of the rounds counts. Figures are CPU time of this process on uvloop.
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
from pathlib import Path

import aiohttp
import uvloop

from crawler.clock import SystemClock
from crawler.config import FetchConfig
from crawler.fetch.http import HttpFetcher
from crawler.models import HostKey, Request, Url

COROUTINES = 16
PAGE_BYTES = 20_000
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
    """An nginx with one page; yields its URL."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        raise SystemExit("nginx is not installed")
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as free:
        folder = Path(name)
        port = free.getsockname()[1]
        free.close()
        folder.chmod(0o755)
        (folder / "www").mkdir()
        (folder / "www" / "page.html").write_bytes(b"x" * PAGE_BYTES)
        (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder, port=port))
        server = subprocess.Popen([nginx, "-p", name, "-c", "nginx.conf", "-e", f"{name}/error.log"])
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}/page.html"
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


async def cpu_us(get, requests: int) -> float:
    """CPU microseconds per call of `get`, from COROUTINES coroutines."""

    async def loop() -> None:
        for _ in range(requests // COROUTINES):
            if await get() != PAGE_BYTES:
                raise SystemExit("the page came back short")

    before = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(COROUTINES):
            group.create_task(loop())
    return (time.process_time() - before) / (requests // COROUTINES * COROUTINES) * 1e6


async def compare(url: str, requests: int, rounds: int) -> None:
    fetcher = HttpFetcher(FetchConfig(), SystemClock(), concurrency=COROUTINES)
    request = Request(url=Url(url), host_key=HostKey("127.0.0.1"), scope_host="127.0.0.1")

    async def ours() -> int:
        return len((await fetcher.fetch(request, nothing)).body)

    async with aiohttp.ClientSession() as session:

        async def bare() -> int:
            async with session.get(url) as response:
                return len(await response.read())

        sides = {"HttpFetcher": ours, "bare aiohttp session.get().read()": bare}
        figures: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(rounds + 1):
            for name, get in sides.items():
                figure = await cpu_us(get, requests)
                if turn:  # the first warms up
                    figures[name].append(figure)
    await fetcher.aclose()
    for name, values in figures.items():
        print(f"{name:36} {statistics.median(values):6.1f} us CPU a request   (best {min(values):.1f})")


def nothing() -> None:
    """Nobody waits for the start of a request here."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=6)
    arguments = parser.parse_args()
    with page_server() as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(compare(url, arguments.requests, arguments.rounds))


if __name__ == "__main__":
    main()
