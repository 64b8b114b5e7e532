"""Time, speed and size limits end a fetch, with their reason and nothing left behind."""

from __future__ import annotations

import asyncio
import threading

import pytest

from crawler.config import FetchConfig
from crawler.errors import FetchError
from crawler.fetch.deadlines import Deadlines
from crawler.fetch.http import HttpFetcher
from crawler.fetch.resolver import Resolver
from tests.support.fetching import CHUNKED, HEAD, body_begun, failure, fetcher_for, get, says, until
from tests.support.rawserver import RawServer, page


class SetClock:
    """Shows the time it is set to."""

    now = 0.0

    def monotonic(self):
        return self.now

    def wall(self):
        return self.now


def clocked(resolver=None, **limits):
    """A fetcher that sweeps only when told, and what moves its clock to a time and sweeps; times out after 5 s."""
    clock, config = SetClock(), FetchConfig(timeout_s=5, **limits)
    deadlines = Deadlines(config, clock, sweep_s=60, window_s=1)

    def sweep_at(now):
        clock.now = now
        deadlines._sweep()

    return HttpFetcher(config, clock, concurrency=1, deadlines=deadlines, resolver=resolver), sweep_at


@pytest.fixture
def stuck():
    """Finds no address before the test is over."""
    over = threading.Event()
    yield Resolver({}, lambda name: [str(over.wait())])
    over.set()


def ended(fetcher):
    """Whether an attempt that waits for its answer has got it, or the limit it went past."""
    return any(attempt.answer.done() for attempt in fetcher._deadlines._attempts)


async def test_server_that_never_answers_times_out():
    fetcher, sweep_at = clocked()
    calls = []
    async with RawServer(says(b"", "stay")) as server:
        fetch = asyncio.create_task(get(fetcher, server.url(), lambda: calls.append(1)))
        await server.asked.wait()
        sweep_at(4.9)
        assert not ended(fetcher)
        sweep_at(5)
        with pytest.raises(FetchError, match="timeout"):
            await fetch
        await fetcher.aclose()
    assert calls == [1]


async def test_head_that_drips_times_out():
    dripping = asyncio.Event()

    async def drip(head, peer):
        await peer.send(HEAD)
        while True:
            await peer.send(b"X: y\r\n")
            await asyncio.sleep(0.005)
            dripping.set()

    fetcher, sweep_at = clocked()
    async with RawServer(drip) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await dripping.wait()
        sweep_at(5)
        with pytest.raises(FetchError, match="timeout"):
            await fetch
        await fetcher.aclose()


async def drip_body(head, peer):
    await peer.send(HEAD + b"Content-Length: 100000\r\n\r\n")
    while True:
        await peer.send(b"x")
        await asyncio.sleep(0.005)


async def test_body_that_drips_is_too_slow():
    error, _ = await failure(drip_body, min_speed=10_000)
    assert error.reason == "too_slow"


async def test_minimum_speed_of_zero_leaves_only_the_timeout():
    fetcher, sweep_at = clocked(min_speed=0)
    async with RawServer(drip_body) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await until(body_begun(fetcher))
        sweep_at(4.9)
        assert not ended(fetcher)
        sweep_at(5)
        with pytest.raises(FetchError, match="timeout"):
            await fetch
        await fetcher.aclose()


async def test_slow_start_and_fast_body_is_not_too_slow():
    answered = asyncio.Event()

    async def answer(head, peer):
        await answered.wait()
        await peer.send(page(b"x" * 1000))

    fetcher, sweep_at = clocked(min_speed=10_000)
    async with RawServer(answer) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await server.asked.wait()
        sweep_at(4)  # thinking is not sending: four times the window
        answered.set()
        assert len((await fetch).body) == 1000
        await fetcher.aclose()


async def test_body_fast_at_first_and_then_stuck_is_too_slow():
    error, _ = await failure(says(HEAD + b"Content-Length: 99999\r\n\r\n" + b"x" * 9_000, "stay"), min_speed=1_000)
    assert error.reason == "too_slow"


@pytest.mark.parametrize("answer", [page(b"x" * 11), CHUNKED + b"b\r\n" + b"x" * 11 + b"\r\n0\r\n\r\n"])
async def test_body_above_the_limit_is_too_large(answer):
    error, _ = await failure(answer, max_body_bytes=10)
    assert error.reason == "too_large"


async def test_body_at_the_limit_is_not_too_large():
    fetcher = fetcher_for(max_body_bytes=10)
    async with RawServer(page(b"x" * 10)) as server:
        assert len((await get(fetcher, server.url())).body) == 10
        await fetcher.aclose()


MOVED = b"HTTP/1.1 302 Found\r\nLocation: /there\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        says(MOVED + b"Content-Length: 999999999\r\n\r\n"),
        says(MOVED + b"\r\n" + b"x" * 70_000, "stay"),
        says(MOVED + b"Content-Length: 9\r\n\r\nhalf"),
        says(MOVED + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "stay"),
        says(MOVED + b"Transfer-Encoding: rot13\r\n\r\n", "stay"),
    ],
)
async def test_redirect_is_an_answer_whatever_becomes_of_its_body(answer):
    fetcher = fetcher_for()
    async with RawServer(answer) as server:
        response = await get(fetcher, server.url())
        assert (response.status, response.header(b"location"), response.is_cut) == (302, "/there", True)
        assert len(response.body) <= 64 * 1024
        assert not list(fetcher._idle)
        await fetcher.aclose()


async def test_redirect_whose_body_never_ends_is_an_answer_when_its_time_is_over():
    fetcher, sweep_at = clocked()
    async with RawServer(says(MOVED + b"Content-Length: 9\r\n\r\nhalf", "stay")) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await until(body_begun(fetcher))
        sweep_at(5)
        response = await fetch
        assert (response.status, response.body, response.is_cut) == (302, b"half", True)
        await fetcher.aclose()


async def test_redirect_to_nowhere_needs_its_whole_body():
    error, _ = await failure(says(b"HTTP/1.1 302 Found\r\nContent-Length: 9\r\n\r\nhalf"))
    assert error.reason == "incomplete"


async def test_announced_length_above_the_limit_fails_without_waiting_for_the_body():
    left = asyncio.Event()

    async def answer(head, peer):
        await peer.send(HEAD + b"Content-Length: 11\r\n\r\n")
        await peer.gone()
        left.set()

    fetcher = fetcher_for(max_body_bytes=10)
    async with RawServer(answer) as server:
        with pytest.raises(FetchError, match="11 bytes announced"):
            await get(fetcher, server.url())
        await left.wait()
        await fetcher.aclose()


async def test_no_connection_in_time_is_a_connection_failure():
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def lookup(name):
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return ["127.0.0.1"]

    fetcher = fetcher_for(resolver=Resolver({}, lookup), connect_timeout_s=0.05)
    calls = []
    with pytest.raises(FetchError) as caught:
        await get(fetcher, "http://slow.test/", lambda: calls.append(1))
    assert (caught.value.reason, calls) == ("connect", [])
    released.set()
    await fetcher.aclose()


async def test_answer_may_take_longer_than_the_connection_may():
    answered = asyncio.Event()

    async def answer(head, peer):
        await answered.wait()
        await peer.send(page())

    fetcher, sweep_at = clocked(connect_timeout_s=1)
    async with RawServer(answer) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await server.asked.wait()
        sweep_at(4.9)
        answered.set()
        assert (await fetch).status == 200
        await fetcher.aclose()


async def test_pause_shorter_than_the_window_is_not_too_slow():
    async def answer(head, peer):
        await peer.send(HEAD + b"Content-Length: 2000\r\n\r\nx")
        await asyncio.sleep(0.05)
        await peer.send(b"x" * 1999)

    fetcher = fetcher_for(window_s=10, min_speed=1000)
    async with RawServer(answer) as server:
        assert len((await get(fetcher, server.url())).body) == 2000
        await fetcher.aclose()


async def test_outer_cancellation_wins_over_a_deadline_reached_in_the_same_turn():
    fetcher, sweep_at = clocked()
    async with RawServer(says(b"", "stay")) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await server.asked.wait()
        sweep_at(6)
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        await fetcher.aclose()


async def test_deadline_seen_by_two_sweeps_is_one_failure():
    fetcher, sweep_at = clocked()
    async with RawServer(says(b"", "stay")) as server:
        fetch = asyncio.create_task(get(fetcher, server.url()))
        await server.asked.wait()
        sweep_at(6)
        sweep_at(6)
        with pytest.raises(FetchError, match="timeout"):
            await fetch
        await fetcher.aclose()


async def test_finished_fetch_has_no_deadline_any_more():
    fetcher, sweep_at = clocked()
    async with RawServer(page()) as server:
        await get(fetcher, server.url())
        assert not fetcher._deadlines._attempts
        sweep_at(6)
        assert asyncio.current_task().cancelling() == 0
        await fetcher.aclose()


async def test_task_that_met_a_deadline_can_go_on():
    fetcher, sweep_at = clocked()
    async with RawServer(says(b"", "stay")) as server:

        async def sweep_when_asked():
            await server.asked.wait()
            server.asked.clear()
            sweep_at(fetcher._clock.now + 6)

        for _ in range(2):
            sweeping = asyncio.create_task(sweep_when_asked())
            with pytest.raises(FetchError, match="timeout"):
                await get(fetcher, server.url())
            await sweeping
        assert asyncio.current_task().cancelling() == 0
        await fetcher.aclose()


async def test_outer_cancellation_wins_over_a_deadline_while_it_connects(stuck):
    fetcher, sweep_at = clocked(stuck, connect_timeout_s=1)
    fetch = asyncio.create_task(get(fetcher, "http://slow.test/"))
    await until(lambda: fetcher._deadlines._attempts)
    sweep_at(2)
    fetch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetch
    await fetcher.aclose()


async def test_task_that_met_a_deadline_while_it_connected_can_go_on(stuck):
    fetcher, sweep_at = clocked(stuck, connect_timeout_s=1)

    async def sweep_twice():
        await until(lambda: fetcher._deadlines._attempts)
        sweep_at(fetcher._clock.now + 2)
        sweep_at(fetcher._clock.now)

    for _ in range(2):
        sweeping = asyncio.create_task(sweep_twice())
        with pytest.raises(FetchError, match="connect: no connection"):
            await get(fetcher, "http://slow.test/")
        await sweeping
    assert asyncio.current_task().cancelling() == 0
    await fetcher.aclose()


async def test_time_in_which_this_process_stood_still_counts_for_nobody():
    clock = SetClock()
    deadlines = Deadlines(FetchConfig(timeout_s=5, min_speed=100), clock, window_s=1)
    waits, loads = (deadlines.begin() for _ in range(2))
    for attempt in (waits, loads):
        deadlines.asked(attempt, asyncio.get_running_loop().create_future())
    loads.received = 50
    clock.now = 0.25
    loads.begin_body()
    deadlines._sweep()
    clock.now = 3600.0
    deadlines._sweep()
    assert not waits.answer.done()
    assert not loads.answer.done()
    assert waits.asked_at == 3600.0 - 0.5  # as if the sweep had come when it was due
    for late in (3600.6, 3601.2, 3601.8):  # from here on as ever
        clock.now = late
        deadlines._sweep()
    assert str(loads.answer.exception()).startswith("too_slow")
    assert not waits.answer.done()
    clock.now = 3604.6
    deadlines._due = clock.now
    deadlines._sweep()
    assert str(waits.answer.exception()).startswith("timeout")
    deadlines.close()
