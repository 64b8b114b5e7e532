"""How a connection with TLS ends: the server is told, and not waited for."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
import uvloop

from crawler.config import HostFetchConfig
from tests.support.fetching import fetcher_for, get, until
from tests.support.rawserver import page

UNVERIFIED = {"127.0.0.1": HostFetchConfig(verify=False)}


class MuteServer:
    """Answers one request in a thread, and neither ends TLS nor the connection as long as it is entered."""

    def __init__(self, tls, answer):
        self._tls = tls
        self._answer = answer
        self._over = threading.Event()

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _serve(self):
        peer, _ = self._listener.accept()
        with self._listener, self._tls.wrap_socket(peer, server_side=True, suppress_ragged_eofs=False) as connection:
            connection.recv(65536)
            connection.sendall(self._answer)
            self._over.wait()
            self.last_read = connection.recv(65536)  # raises if the end of TLS did not come


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_server_that_does_not_end_tls_holds_no_connection(server_tls, loop_factory, is_kept):
    async def ask():
        fetcher = fetcher_for(hosts=UNVERIFIED)
        await get(fetcher, url)
        assert len(fetcher._idle) == is_kept
        for way in fetcher._idle.ways():
            fetcher._idle.close_those(way)
        await until(lambda: not fetcher._connector._acquired)
        await fetcher.aclose()

    server = MuteServer(server_tls, page(b"x", *(() if is_kept else (b"Connection: close",))))
    with server as url, asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(ask())
    assert server.last_read == b""
