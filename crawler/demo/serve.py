"""Where does the demo's shop run? On a free port of 127.0.0.1, for as long as a ``with`` block lasts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from crawler.demo.shop import respond

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running_shop() -> Iterator[str]:
    """Serve the shop; yields its base URL, such as ``http://127.0.0.1:40123``."""
    server = ShopServer(("127.0.0.1", 0), ShopHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo shop")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class ShopServer(ThreadingHTTPServer):
    """Counts visits, since one of the shop's pages fails at the first."""

    daemon_threads = True
    block_on_close = False  # a client may keep its connection open for longer than we wait

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._visits: Counter[str] = Counter()
        self._counting = threading.Lock()

    def visit(self, path: str) -> int:
        """The number of this visit to `path`, from 1."""
        with self._counting:
            self._visits[path] += 1
            return self._visits[path]


class ShopHandler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    server: ShopServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one packet, or the client's delayed acknowledgement costs 40 ms
    timeout = 30

    def do_GET(self) -> None:
        """Answer, after the page's own delay."""
        answer = respond(self.path, self.server.visit(self.path))
        time.sleep(answer.delay_s)
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Length", str(len(answer.body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - overrides http.server's
        """Say nothing: the terminal belongs to the crawler."""
