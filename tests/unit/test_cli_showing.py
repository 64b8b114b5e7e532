"""What goes wrong with what is shown of a crawl does not reach the crawl."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import pty
import sys
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from crawler.cli.showing import show
from crawler.config import CrawlConfig
from crawler.control import Control
from crawler.progress import PlainLines
from crawler.views import HostViews, MachineView
from tests.support.snapshots import SNAPSHOT


class Crawl:
    """One to look at, but for its hosts: looking at them fails with `error`."""

    stopping = False

    def __init__(self, error):
        self._error = error
        self.control = Control(8, 8)
        self.machine = MachineView
        self._answers = itertools.count(SNAPSHOT.attempts)

    def snapshot(self):
        return replace(SNAPSHOT, attempts=next(self._answers))

    def hosts(self, limit):
        if self._error:
            raise self._error
        return HostViews()


@pytest.fixture
def on_terminal(monkeypatch):
    """Has standard error be a terminal; called in the test, as pytest puts its own there before each."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield lambda: monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.undo()
    os.close(ours)


PLAN = SimpleNamespace(config=CrawlConfig(), stdin=None)


async def test_view_that_fails_is_logged_and_gives_way_to_plain_lines(on_terminal, caplog):
    on_terminal()
    told = asyncio.Event()
    caplog.handler.addFilter(lambda record: told.set() or True)
    with caplog.at_level(logging.ERROR, "crawler.cli.showing"):
        showing = asyncio.create_task(show(Crawl(ValueError("no such host")), PLAN, lambda: None))
        await told.wait()
    assert "no such host" in caplog.text
    assert not showing.done()
    showing.cancel()


async def test_terminal_that_is_gone_ends_what_is_shown(on_terminal):
    on_terminal()
    await show(Crawl(OSError(5, "Input/output error")), PLAN, lambda: None)


async def test_without_standard_error_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    await show(Crawl(None), PLAN, lambda: None)


async def test_pipe_that_nobody_reads_holds_up_no_crawl(monkeypatch):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n" * 4096)
    os.set_blocking(writer, True)
    os.set_blocking(reader, False)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr("crawler.cli.showing.PlainLines", partial(PlainLines, interval_s=0.01))
        showing = asyncio.create_task(show(Crawl(None), PLAN, lambda: None))
        await asyncio.sleep(0.1)  # which would never end if a line waited
        told = b""
        while b"pages" not in told:  # once somebody reads
            with suppress(BlockingIOError):
                told += os.read(reader, 65_536)
            await asyncio.sleep(0.01)
        showing.cancel()
        monkeypatch.undo()
    os.close(reader)
