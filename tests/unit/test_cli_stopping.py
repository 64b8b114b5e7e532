"""What signals and the key `q` do to a crawl, whoever else may stop it."""

from __future__ import annotations

import asyncio
import signal

import pytest

from crawler.cli.stopping import Stopper


class Crawl:
    """Notes what it is told, and waits for requests in flight once it is stopped."""

    def __init__(self):
        self.stopping = False
        self.told = []
        self.heard = asyncio.Event()

    def stop(self):
        self.stopping = True
        self._hear("stop")

    def abort(self):
        self._hear("abort")

    def _hear(self, what):
        self.told.append(what)
        self.heard.set()


@pytest.fixture
async def crawl():
    return Crawl()


@pytest.fixture
async def stopper(crawl):
    stopper = Stopper(None, quiet=True)
    with stopper.listening():
        stopper.opened(crawl)
        yield stopper


async def signalled(crawl):
    crawl.heard.clear()
    signal.raise_signal(signal.SIGTERM)
    await crawl.heard.wait()


async def test_the_first_signal_stops_and_the_second_does_not_wait(crawl, stopper):
    await signalled(crawl)
    await signalled(crawl)
    assert crawl.told == ["stop", "abort"]


async def test_q_stops_once_and_a_signal_after_it_does_not_wait(crawl, stopper):
    stopper.quit()
    stopper.quit()
    await signalled(crawl)
    assert crawl.told == ["stop", "abort"]


async def test_a_signal_after_a_stop_from_elsewhere_does_not_wait_and_q_changes_nothing(crawl, stopper):
    crawl.stop()  # as the dashboard does
    stopper.quit()
    await signalled(crawl)
    assert crawl.told == ["stop", "abort"]
