"""A loopback HTTP proxy that remembers what it was asked and fails as it is told to, and a fetcher that uses it."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from crawler.errors import FetchError
from tests.support.fetching import fetcher_for, get, nothing
from tests.support.rawserver import RawServer

if TYPE_CHECKING:
    import ssl

    from tests.support.rawserver import Peer

LOGIN = "us%40er:pass%3Aword"
SENT = b"Proxy-Authorization: Basic " + b64encode(b"us@er:pass:word")


class RawProxy(RawServer):
    """Leads every name to 127.0.0.1, at the port of the URL. `heads` are what the proxy was asked, CONNECT included."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._pass_on, tls=tls)
        #: sent in answer to everything, and the connection closed; None: work
        self.refusal: bytes | None = None
        #: whether nothing is answered at all
        self.silent = False

    def lines(self) -> list[str]:
        """The request lines, without the protocol."""
        return [head.decode().partition(" HTTP/1.1\r\n")[0] for head in self.heads]

    async def _pass_on(self, head: bytes, peer: Peer) -> None:
        if self.silent:
            await peer.gone()
            return
        if self.refusal is not None:
            await peer.send(self.refusal)
            peer.close()
            return
        method, target, _ = head.split(b" ", 2)
        tunnel = method == b"CONNECT"
        authority = target if tunnel else target.split(b"/", 3)[2]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(authority.rpartition(b":")[2]))
        back = asyncio.create_task(_pump(reader, peer._writer))
        try:
            if tunnel:
                await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _pump(peer._reader, writer)
            else:
                await self._requests(head, peer, writer)
        finally:
            back.cancel()
            writer.close()
            await asyncio.gather(back, writer.wait_closed(), return_exceptions=True)

    async def _requests(self, head: bytes | None, peer: Peer, writer: asyncio.StreamWriter) -> None:
        """Send the requests of one connection on, as what the server itself expects (RFC 9112 section 3.2.1)."""
        while head is not None:
            first, *lines = head.split(b"\r\n")
            method, target, protocol = first.split(b" ")
            path = b"/" + target.split(b"/", 3)[3]
            kept = [line for line in lines if not line.lower().startswith(b"proxy-")]
            writer.write(b"\r\n".join([b" ".join((method, path, protocol)), *kept]))
            head = await peer.next_head()
            if head is not None:
                self.heads.append(head)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until there is no more, then close."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Asking:
    """A fetcher with proxies: ``async with Asking(proxy, …) as fetcher``. Proxies get `LOGIN`."""

    def __init__(self, *proxies, login=LOGIN, named=None, **config):
        urls = [
            f"{'https' if proxy._tls else 'http'}://{login}@{named or '127.0.0.1'}:{proxy.port}" for proxy in proxies
        ]
        self.config = {"proxy": tuple(urls), "resolve": {"*.test": "127.0.0.1"}, **config}

    async def __aenter__(self):
        self.fetcher = fetcher_for(**self.config)
        return self.fetcher

    async def __aexit__(self, *_):
        await self.fetcher.aclose()


async def failure_of(fetcher, url, started=nothing):
    with pytest.raises(FetchError) as caught:
        await get(fetcher, url, started)
    return caught.value


def turn(fetcher, url, proxies):
    """Which of `proxies` the next request for `url` would go through."""
    port = int(fetcher._proxies.passage(url).proxy.label.rpartition(":")[2])
    return [proxy.port for proxy in proxies].index(port)
