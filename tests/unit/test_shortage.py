"""A machine that has no more to give is told from a mistake of ours, and ends what waits for it."""

import asyncio
import errno
import os
import socket
import threading

import pytest

from crawler.errors import ConfigError, CrawlerError, FetchError
from crawler.fetch.errors import fetch_error
from crawler.fetch.lookups import Lookups
from crawler.gate import DESCRIPTORS_BESIDE, MOST_CONCURRENCY, allow_descriptors
from crawler.shortage import Shortage, file_threads, heeded, require_threads, shortage

NO_THREAD = RuntimeError("can't start new thread")


def told(number):
    return OSError(number, os.strerror(number), "/some/file")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "out of memory"),
        (told(errno.ENOMEM), "out of memory"),
        (NO_THREAD, "ulimit -u"),
        (told(errno.EMFILE), "ulimit -n"),
        (told(errno.ENFILE), "open files"),
        (told(errno.ENOSPC), "No space left on device: '/some/file'"),
        (socket.gaierror(errno.EMFILE, "Too many open files"), "ulimit -n"),
    ],
)
def test_what_the_machine_lacks_is_told_alone_and_in_a_group(error, words):
    group = ExceptionGroup("tasks", [ValueError(), ExceptionGroup("more", [error])])
    for form in (error, group):
        assert words in str(shortage(form))
        assert isinstance(shortage(form), Shortage)


@pytest.mark.parametrize(
    "error", [ValueError(), RuntimeError("set changed size"), told(errno.ENOENT), told(errno.ECONNRESET), OSError("x")]
)
def test_a_mistake_of_ours_and_a_failure_of_a_url_are_no_shortage(error):
    assert shortage(error) is None
    assert shortage(ExceptionGroup("tasks", [error])) is None


def test_an_error_of_ours_stays_what_it_is():
    ours = ConfigError("such and such")
    assert shortage(ExceptionGroup("tasks", [ours, MemoryError()])) is ours


def test_a_thread_that_is_lacking_to_put_things_in_order_does_not_hide_why_they_had_to_be():
    lacking = RuntimeError(*NO_THREAD.args)
    lacking.__context__ = asyncio.CancelledError()
    lacking.__context__.__context__ = MemoryError()
    assert "out of memory" in str(shortage(lacking))


def test_a_folder_that_was_removed_from_under_the_command_is_named(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError) as error:
        os.getcwd()  # noqa: PTH109
    assert "current directory" in str(shortage(error.value))


async def test_a_shortage_in_a_callback_ends_what_would_wait_for_it_for_ever():
    ended = []

    async def work():
        asyncio.get_running_loop().call_soon(fail)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    def fail():
        raise MemoryError

    with pytest.raises(CrawlerError, match="out of memory"):
        await heeded(work())
    assert ended


async def test_any_other_error_in_a_callback_goes_where_it_went_before():
    loop, seen = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))

    async def work():
        loop.call_soon(int, "none")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "done"

    try:
        assert await heeded(work()) == "done"
        loop.call_soon(fail := (lambda: 1 / 0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert [type(error) for error in seen] == [ValueError, ZeroDivisionError], fail


async def test_cancelling_what_is_heeded_cancels_it():
    begun, ended = asyncio.Event(), []

    async def work():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = asyncio.ensure_future(heeded(work()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended


def test_threads_that_cannot_be_started_are_told_before_they_are_needed(monkeypatch):
    before = threading.active_count()
    require_threads()
    left = [3]
    start = threading.Thread.start

    def scarce(thread):
        if not left[0]:
            raise NO_THREAD
        left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    with pytest.raises(Shortage, match="ulimit -u"):
        require_threads()
    assert threading.active_count() == before


async def test_no_thread_has_to_start_for_a_file_once_a_crawl_runs(monkeypatch):
    executor = file_threads(3)
    monkeypatch.setattr(threading.Thread, "start", lambda _: (_ for _ in ()).throw(NO_THREAD))
    loop = asyncio.get_running_loop()
    meet = threading.Barrier(3, timeout=10)
    assert sorted(await asyncio.gather(*(loop.run_in_executor(executor, meet.wait) for _ in range(3)))) == [0, 1, 2]
    with pytest.raises(Shortage, match="ulimit -u"):
        file_threads(1)
    executor.shutdown()


async def test_lookups_make_do_with_the_threads_that_there_are(monkeypatch):
    lookups = Lookups(lambda name: [f"192.0.2.{len(name)}"], lambda *_: None)
    assert (await lookups.ask("a")).addresses == ("192.0.2.1",)
    monkeypatch.setattr(threading.Thread, "start", lambda _: (_ for _ in ()).throw(NO_THREAD))
    answers = await asyncio.gather(*(lookups.ask("x" * length) for length in (2, 3, 4)))
    assert [answer.addresses for answer in answers] == [("192.0.2.2",), ("192.0.2.3",), ("192.0.2.4",)]
    lookups.close()


async def test_lookups_without_any_thread_end_the_crawl(monkeypatch):
    lookups = Lookups(lambda _: [], lambda *_: None)
    monkeypatch.setattr(threading.Thread, "start", lambda _: (_ for _ in ()).throw(NO_THREAD))
    with pytest.raises(RuntimeError):
        await lookups.ask("a")
    lookups.close()


@pytest.fixture
def limits(monkeypatch):
    """Sets soft and hard limit of open files, as this process sees them."""

    def have(soft, hard):
        values = [soft, hard]

        def change(_, wanted):
            if wanted[0] > values[1]:
                raise ValueError("not allowed to raise maximum limit")
            values[:] = wanted

        monkeypatch.setattr("crawler.gate.resource.getrlimit", lambda _: tuple(values))
        monkeypatch.setattr("crawler.gate.resource.setrlimit", change)
        return values

    return have


def test_the_soft_limit_of_open_files_is_raised_as_far_as_requests_may_come_to_need_and_no_further(limits):
    values = limits(256, 100_000)
    assert allow_descriptors(200) == (200, "", MOST_CONCURRENCY)
    assert values == [3 * MOST_CONCURRENCY + DESCRIPTORS_BESIDE, 100_000]


def test_what_is_allowed_later_is_what_open_files_allow(limits):
    values = limits(256, 2_000)
    assert allow_descriptors(200) == (200, "", (2_000 - DESCRIPTORS_BESIDE) // 3)
    assert values == [2_000, 2_000]


def test_a_soft_limit_that_is_high_enough_is_left_alone(limits):
    values = limits(50_000, 100_000)
    assert allow_descriptors(5_000).most == 5_000
    assert values == [50_000, 100_000]


def test_where_open_files_are_few_so_are_requests_at_once_and_that_is_told(limits):
    values = limits(64, 256)
    allowed = allow_descriptors(200, parsers=12)
    assert allowed.concurrency == (256 - DESCRIPTORS_BESIDE - 12) // 3
    assert "limits.concurrency: 200" in allowed.remark
    assert "ulimit -Hn" in allowed.remark
    assert values == [256, 256]


def test_where_no_request_is_possible_that_is_told_with_what_it_takes(limits):
    limits(64, 64)
    with pytest.raises(ConfigError, match="may have 64 open files at once, and a crawl takes 67"):
        allow_descriptors(1)


def test_a_name_that_no_file_is_left_to_look_up_is_not_blamed():
    assert isinstance(fetch_error(socket.gaierror(errno.EMFILE, "Too many open files")), Shortage)
    assert isinstance(fetch_error(socket.gaierror(socket.EAI_NONAME, "unknown")), FetchError)
