"""A request may be withheld at the last moment: with its connection made, and its head not written."""

from __future__ import annotations

import pytest

from crawler.errors import FetchError, WithheldError
from crawler.models import Kind
from tests.support.fetching import fetcher_for, get
from tests.support.rawserver import RawServer, page


class Gate:
    """Lets requests through, or not, and keeps what it was asked."""

    def __init__(self):
        self.is_open = False
        self.asked = []

    def may_send(self, request):
        self.asked.append(request.url)
        return self.is_open


async def test_withheld_request_is_not_sent_and_its_new_connection_carries_the_next_one():
    fetcher, gate, started = fetcher_for(), Gate(), []
    fetcher.ask_before_sending(gate.may_send)
    async with RawServer(page()) as server:
        for kind in (Kind.PAGE, Kind.ROBOTS):
            with pytest.raises(WithheldError):
                await get(fetcher, server.url("/held"), lambda: started.append("held"), kind)
        assert (len(fetcher._idle), server.connections, server.heads, started) == (1, 1, [], [])
        gate.is_open = True
        await get(fetcher, server.url("/sent"), lambda: started.append("sent"))
        assert (server.connections, len(server.heads), started) == (1, 1, ["sent"])
        await fetcher.aclose()
    assert gate.asked == [server.url("/held")] * 2 + [server.url("/sent")]


async def test_gate_is_not_asked_where_there_is_no_connection_to_write_to():
    fetcher, gate = fetcher_for(), Gate()
    fetcher.ask_before_sending(gate.may_send)
    async with RawServer(page()) as server:
        url = server.url()
    with pytest.raises(FetchError):
        await get(fetcher, url)
    await fetcher.aclose()
    assert not gate.asked


async def test_withheld_request_keeps_no_connection_on_which_the_server_spoke_unasked():
    fetcher = fetcher_for()
    async with RawServer(page()) as server:
        fetcher.ask_before_sending(Gate().may_send)
        protocols = []
        take = fetcher._connector.open

        async def open_and_hear(destination):
            protocols.append(protocol := await take(destination))
            protocol.data_received(memoryview(b"HTTP/1.1 408 "))  # has come before anybody asked
            return protocol

        fetcher._connector.open = open_and_hear
        with pytest.raises(WithheldError):
            await get(fetcher, server.url())
        assert len(fetcher._idle) == 0
        assert not protocols[0].is_connected()
        await fetcher.aclose()
