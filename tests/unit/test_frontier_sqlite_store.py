"""The file: what it takes, what it remembers. What is refused is in test_frontier_sqlite_refused."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.frontier.bounds import Bounds
from crawler.models import Checkpoint, HostState, Snoozed
from tests.support.clock import FakeClock
from tests.support.frontiers import opened, seed

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@pytest.fixture
def path(tmp_path):
    return tmp_path / "crawl.db"


@pytest.fixture
def clock():
    return FakeClock()


# --- what is left behind -----------------------------------------------------------------------------------------


async def test_after_closing_the_store_is_one_file(path, clock):
    frontier = await opened(path, clock)
    frontier.add([seed()])
    await frontier.commit(Checkpoint())
    assert {file.name for file in path.parent.iterdir()} == {"crawl.db", "crawl.db-wal", "crawl.db-shm"}
    await frontier.aclose()
    await frontier.aclose()
    assert [file.name for file in path.parent.iterdir()] == ["crawl.db"]


async def test_closing_waits_for_a_commit_whose_caller_was_cancelled(path, clock):
    frontier = await opened(path, clock)
    frontier.add([seed()])
    commit = asyncio.create_task(frontier.commit(Checkpoint()))
    await asyncio.sleep(0)
    commit.cancel()
    await asyncio.gather(commit, return_exceptions=True)
    assert commit.cancelled()
    await frontier.aclose()
    frontier = await opened(path, clock)
    assert frontier.counts().admitted == 1
    await frontier.aclose()


@pytest.mark.parametrize(("fsync", "synchronous"), [(True, 2), (False, 1)])
async def test_fsync_decides_how_far_a_commit_is_brought_down(path, clock, fsync, synchronous):
    frontier = await opened(path, clock, fsync=fsync)
    ask = lambda: frontier._writer._connection.execute("PRAGMA synchronous").fetchone()  # noqa: E731
    assert await frontier._thread.run(ask) == (synchronous,)
    await frontier.aclose()


async def test_seed_that_is_no_proper_text_is_stored_with_what_is_wrong_replaced(path, clock):
    frontier = await opened(path, clock)
    frontier.add([seed(seed="a.test/\udcff\0é")])
    await frontier.commit(Checkpoint())
    await frontier.aclose()
    frontier = await opened(path, clock)
    (request,) = await frontier.take([("a.test", 1)])
    assert request.seed == "a.test/?\ufffdé"
    await frontier.aclose()


@pytest.mark.parametrize("priority", [-1, 64])
async def test_priority_that_is_none_is_refused(path, clock, priority):
    frontier = await opened(path, clock)
    with pytest.raises(FrontierError, match=f"priority {priority} is not one of 0 to 63"):
        frontier.add([seed(priority=priority)])
    await frontier.aclose()


async def test_text_of_a_url_is_stored_as_it_is(path, clock):
    texts = ["https://a.test/?q=%22é\"\\'{}[]:,", "https://a.test/\u2028\x01\U0001f600", "https://a.test/0"]
    frontier = await opened(path, clock)
    frontier.add([seed(text) for text in texts])
    await frontier.commit(Checkpoint())
    await frontier.aclose()
    frontier = await opened(path, clock)
    assert [request.url for request in await frontier.take([("a.test", 9)])] == texts
    await frontier.aclose()


# --- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "longest_s"), [({}, HOUR_S), ({"longest_snooze_s": DAY_S}, DAY_S)])
async def test_snooze_of_an_earlier_process_lasts_no_longer_than_any_wherever_the_clock_went(
    path, clock, options, longest_s
):
    frontier = await opened(path, clock, **options)
    frontier.add([seed()])
    (request,) = await frontier.take([("a.test", 1)])
    again = replace(request, attempt=2)
    await frontier.commit(Checkpoint(snoozed=(Snoozed(request=again, until=clock.monotonic() + 60),)))
    await frontier.aclose()
    clock.wall_s -= 365 * DAY_S
    frontier = await opened(path, clock, **options)
    clock.advance(longest_s - 1)
    assert await frontier.wake() == ([], clock.monotonic() + 1)
    clock.advance(1)
    assert await frontier.wake() == (["a.test"], None)
    assert await frontier.take([("a.test", 1)]) == [again]
    await frontier.aclose()


@pytest.mark.parametrize("jump_s", [-DAY_S, DAY_S])
async def test_setting_the_clock_neither_wakes_nor_delays_a_snoozed_url(path, clock, jump_s):
    frontier = await opened(path, clock)
    frontier.add([seed()])
    (request,) = await frontier.take([("a.test", 1)])
    await frontier.commit(Checkpoint(snoozed=(Snoozed(request=request, until=clock.monotonic() + 60),)))
    clock.wall_s += jump_s
    clock.advance(59)
    assert await frontier.wake() == ([], clock.monotonic() + 1)
    clock.advance(1)
    assert await frontier.wake() == (["a.test"], None)
    assert await frontier.take([("a.test", 1)]) == [request]
    await frontier.aclose()


# --- bounds ------------------------------------------------------------------------------------------------------


async def test_memory_holds_no_more_urls_than_its_bounds_allow(path, clock):
    bounds = Bounds(memory_urls=100, window_urls=50, chunk_urls=10)
    frontier = await opened(path, clock, bounds=bounds)
    hosts = [f"host{n}.test" for n in range(40)]
    for n in range(40):
        frontier.add([seed(f"https://{host}/{n}") for host in hosts])
        await frontier.commit(Checkpoint())
    taken = await frontier.take([(host, 3) for host in hosts])
    assert len(taken) == 120
    queues = frontier._queues
    assert len(queues._fresh) < 140
    assert len(queues._read) <= 50
    assert sum(len(queue.heap) for queue in queues._queues.values()) <= 200
    rest = await frontier.take([(host, 100) for host in hosts])
    assert len({request.url for request in (*taken, *rest)}) == len(taken) + len(rest) == 1600
    await frontier.aclose()


async def test_host_whose_name_was_forgotten_keeps_its_number_and_its_state(path, clock):
    frontier = await opened(path, clock, bounds=Bounds(host_names=4))
    hosts = [f"host{n}.test" for n in range(30)]
    states = tuple(HostState(host_key=host, delay_s=1.5) for host in hosts)
    for part in range(3):
        for host in hosts:
            frontier.add([seed(f"https://{host}/{part}")])
            await frontier.commit(Checkpoint(hosts=states if part == 2 else ()))
    assert [len(await frontier.take([(host, 9)])) for host in hosts] == [3] * 30
    assert [await frontier.host(host) for host in hosts] == list(states)
    await frontier.aclose()


async def test_where_no_folder_takes_temporary_files_that_of_the_store_does(path, clock, monkeypatch):
    def nowhere():
        raise FileNotFoundError("No usable temporary directory found")

    path = path.with_name("it's") / path.name
    path.parent.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    frontier = await opened(path, clock)
    with closing(sqlite3.connect(":memory:")) as connection:  # it is said to all of this process
        assert connection.execute("PRAGMA temp_store_directory").fetchone() == (str(path.parent),)
        connection.execute("PRAGMA temp_store_directory = ''")
    await frontier.aclose()
