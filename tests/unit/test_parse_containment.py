"""What the process pool promises beyond the contract: a hostile page harms nothing but itself."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest
import uvloop

from crawler.errors import ParseError
from crawler.extract.page import Settings
from crawler.models import ParseFailure
from crawler.parse.process import ProcessParser
from crawler.units import Duration, Size
from tests.support.stunt_extractor import ENTRY, job, parse_config, said

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@contextlib.asynccontextmanager
async def pool(**changes):
    parser = ProcessParser(Settings(), parse_config(**changes), entry=ENTRY)
    await parser.start()
    try:
        yield parser
    finally:
        await parser.aclose()


async def say(parser, order):
    (page,) = await parser.parse([job(order)])
    return said(page)


async def worker_pids(parser, workers=2):
    """The pids of all workers, asked in calls side by side until each has answered."""
    pids = set()
    while len(pids) < workers:
        pids.update(await asyncio.gather(*(say(parser, "pid") for _ in range(2 * workers))))
    return pids


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def existing(pids):
    """Those that are alive, or dead but not waited for."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def echoes(pages):
    return [said(page)[0] if not isinstance(page, ParseFailure) else page for page in pages]


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT"])
async def test_a_crash_fails_exactly_one_page_of_its_batch(name):
    async with pool() as parser:
        orders = [f"echo {number}" for number in range(8)]
        orders[3] = f"kill {name}"
        expected = [str(number) for number in range(8)]
        expected[3] = ParseFailure(reason="parser_crashed", detail=name)
        assert echoes(await parser.parse([job(order) for order in orders])) == expected


async def test_a_batch_of_nothing_but_crashes_does_not_end_the_pool():
    async with pool() as parser:
        pages = await parser.parse([job("kill SIGSEGV")] * 8)
        assert {page.reason for page in pages} == {"parser_crashed"}
        assert await say(parser, "echo alive") == ["alive"]


async def test_batch_queued_behind_a_crash_loses_nothing():
    async with pool(workers=1) as parser:
        first = parser.parse([job("echo a"), job("kill SIGSEGV"), job("echo b")])
        calls = [parser.parse([job(f"echo {number}")]) for number in range(5)]
        pages, *others = await asyncio.gather(first, *calls)
        assert [page.reason for page in pages] == [None, "parser_crashed", None]
        assert [echoes(page) for page in others] == [[str(number)] for number in range(5)]


@pytest.mark.slow
async def test_every_page_gets_its_own_answer_however_many_crash_around_it():
    orders = ["kill SIGSEGV" if number % 7 == 3 else f"echo {number}" for number in range(300)]
    crash = ParseFailure(reason="parser_crashed", detail="SIGSEGV")
    async with pool(workers=3) as parser:
        calls = [parser.parse([job(order) for order in orders[start : start + 8]]) for start in range(0, 300, 8)]
        answers = [answer for pages in await asyncio.gather(*calls) for answer in echoes(pages)]
    assert answers == [crash if number % 7 == 3 else str(number) for number in range(300)]


async def test_a_user_rule_that_exits_is_a_crash_of_its_page():
    async with pool() as parser:
        (page,) = await parser.parse([job("leave 3")])
        assert page == ParseFailure(reason="parser_crashed", detail="exit status 3")


@pytest.mark.slow
@pytest.mark.parametrize("order", ["hang", "spin"])
async def test_a_page_past_its_deadline_fails_alone(order):
    async with pool(deadline_s=Duration(0.3)) as parser:
        pages = await parser.parse([job("echo a"), job(order), job("echo b")])
        assert pages[1] == ParseFailure(reason="parse_deadline", detail="killed after 0.3 s")
        assert echoes([pages[0], pages[2]]) == ["a", "b"]


@linux
async def test_a_page_that_outgrows_the_memory_limit_fails_alone():
    async with pool(memory_bytes=Size(64 * 1024**2)) as parser:
        pages = await parser.parse([job("eat 1"), job("eat 500"), job("eat 2")])
        assert pages[1] == ParseFailure(reason="parse_memory", detail="needed more than 67108864 bytes")
        assert echoes([pages[0], pages[2]]) == ["1", "2"]


async def test_a_worker_that_dies_too_large_died_of_memory():
    async with pool(memory_bytes=Size(32 * 1024**2)) as parser:
        (page,) = await parser.parse([job("die_large 28")])
        assert page.reason == "parse_memory"
        assert page.detail.startswith("SIGKILL at ")


async def test_results_that_cannot_cross_fail_alone():
    async with pool() as parser:
        (surrogate, fine) = await parser.parse([job("surrogate"), job("echo a")])
        assert (surrogate.reason, echoes([fine])) == ("parse_error", ["a"])
        (wrong,) = await parser.parse([job("wrong")])
        assert wrong.reason == "parse_error"
        assert await say(parser, "echo alive") == ["alive"]


async def test_an_idle_worker_killed_from_outside_loses_nothing():
    async with pool(workers=1) as parser:
        for _ in range(7):  # more often than workers may die at their start
            os.kill(await say(parser, "pid"), signal.SIGKILL)
        assert await say(parser, "echo alive") == ["alive"]


async def test_a_fork_server_killed_from_outside_loses_nothing():
    async with pool() as parser:
        os.kill(await say(parser, "parent"), signal.SIGKILL)
        pages = await asyncio.gather(*(parser.parse([job(f"echo {number}")]) for number in range(20)))
        assert [echoes(page) for page in pages] == [[str(number)] for number in range(20)]


async def test_workers_ignore_interrupt_and_hangup():
    async with pool() as parser:
        before = await worker_pids(parser)
        for pid in (*before, await say(parser, "parent")):
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGHUP)
            assert os.getpgid(pid) != os.getpgid(0)  # a terminal's Ctrl-C does not even reach them
        assert await worker_pids(parser) == before


@linux
async def test_a_worker_holds_no_socket_but_its_own():
    async with pool(workers=3) as first, pool(workers=2) as second:
        for parser in (first, second):
            pages = await asyncio.gather(*(say(parser, "sockets") for _ in range(6)))
            assert {len(sockets) for sockets in pages} == {1}


@linux
async def test_a_replacement_holds_no_socket_but_its_own():
    async with pool() as parser:
        await parser.parse([job("kill SIGSEGV")] * 3)
        pages = await asyncio.gather(*(say(parser, "sockets") for _ in range(4)))
        assert {len(sockets) for sockets in pages} == {1}


@linux
async def test_workers_read_and_print_nowhere(capfd):
    async with pool() as parser:
        assert await say(parser, "standard") == ["/dev/null", "/dev/null"]
    assert capfd.readouterr().out == ""


async def test_workers_load_neither_asyncio_nor_aiohttp():
    async with pool() as parser:
        modules = set(await say(parser, "modules"))
    assert "crawler.parse.worker" in modules
    assert modules & {"asyncio", "aiohttp", "multiprocessing", "concurrent.futures"} == set()


@linux
async def test_closing_ends_hanging_workers_and_leaks_no_descriptor():
    before = descriptors()
    async with pool() as parser:
        pids = await worker_pids(parser)
        calls = [asyncio.ensure_future(parser.parse([job("hang")])) for _ in range(4)]
        await asyncio.sleep(0)
        await parser.aclose()
        for call in calls:
            with pytest.raises(ParseError, match="not running"):
                await call
        assert not existing(pids)
    assert descriptors() == before


async def test_closing_while_loading_does_not_wait_for_it():
    loop = asyncio.get_running_loop()
    parser = ProcessParser(Settings(), parse_config(), entry=ENTRY)
    began = loop.time()
    await parser.start()
    await parser.aclose()
    assert loop.time() - began < 0.2


async def test_cancelling_everything_in_flight_leaves_the_pool_usable():
    async with pool() as parser:
        calls = [asyncio.ensure_future(parser.parse([job(f"echo {n}") for n in range(20)])) for _ in range(12)]
        await parser.parse([job("echo first")])
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert await say(parser, "echo alive") == ["alive"]


async def test_a_batch_cancelled_while_it_waits_is_never_worked_on():
    async with pool(workers=1) as parser:
        before = await say(parser, "pid")
        ahead = [asyncio.ensure_future(parser.parse([job("echo a")])) for _ in range(parser.lanes)]
        waiting = asyncio.ensure_future(parser.parse([job("kill SIGSEGV")]))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(*ahead)
        assert await say(parser, "pid") == before


@pytest.mark.parametrize("entry", ["tests.support.stunt_extractor:Missing", "no_such_module:Extractor"])
async def test_an_extractor_that_cannot_be_loaded_is_an_error_not_a_wait(entry, capfd):
    parser = ProcessParser(Settings(), parse_config(), entry=entry)
    await parser.start()
    with pytest.raises(ParseError, match="fork server ended with exit status 1"):
        await parser.parse([job("echo a")])
    with pytest.raises(ParseError, match="fork server ended"):
        await parser.parse([job("echo a")])
    await parser.aclose()
    assert f"cannot load {entry!r}" in capfd.readouterr().err


async def test_workers_that_die_at_every_start_end_the_pool():
    limits = parse_config(workers=1, memory_bytes=Size(1024))  # too little even to read a batch
    parser = ProcessParser(Settings(), limits, entry=ENTRY)
    await parser.start()
    with pytest.raises(ParseError, match="5 parser workers in a row died at their start"):
        await parser.parse([job("echo", padding=9 * 1024**2)])
    await parser.aclose()


def test_the_pool_works_under_uvloop():
    async def crawl():
        async with pool() as parser:
            pages = await parser.parse([job("echo a"), job("kill SIGSEGV"), job("echo", padding=3 * 1024**2)])
            assert [page.reason for page in pages] == [None, "parser_crashed", None]
            calls = [parser.parse([job("echo", padding=200_000)] * 8) for _ in range(10)]
            assert sum(map(len, await asyncio.gather(*calls))) == 80

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(crawl())


@linux
async def test_results_that_have_no_room_beside_themselves_are_told_all_the_same():
    async with asyncio.timeout(15), pool(workers=1, memory_bytes=Size(200 * 1024**2)) as parser:
        pages = await parser.parse([job("tell 20")] * 6)
        assert [len(page.records[0][1]) for page in pages] == [20 * 1024**2] * 6


async def test_a_page_after_which_its_worker_cannot_answer_fails_alone():
    async with asyncio.timeout(15), pool(workers=1) as parser:
        before, mute, after = await parser.parse([job("echo a"), job("mute"), job("echo b")])
        assert (said(before), mute.reason, said(after)) == (["a"], "parser_crashed", ["b"])
        assert await say(parser, "echo c") == ["c"]


@linux
async def test_no_page_fails_for_the_memory_that_others_of_its_batch_take():
    async with asyncio.timeout(15), pool(workers=1, memory_bytes=Size(200 * 1024**2)) as parser:
        jobs = [job("tell 20"), job("tell 20"), job("tell 20"), job("tell_after_using 150"), job("eat 300")]
        *told, used, eaten = await parser.parse(jobs)
        assert [len(page.records[0][1]) for page in told] == [20 * 1024**2] * 3
        assert (said(used), eaten.reason) == ("told", "parse_memory")


async def test_a_batch_whose_workers_are_killed_between_pages_again_and_again_comes_to_an_end():
    async with pool(workers=1) as parser:
        pages = await parser.parse([job("echo a"), job("die_afterwards"), job("echo b")])
        assert echoes(pages) == ["a", ParseFailure(reason="parser_crashed", detail="SIGKILL"), "b"]
        assert await say(parser, "echo after") == ["after"]
