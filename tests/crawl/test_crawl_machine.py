"""The machine has no more to give: files, threads, memory. Nothing is lost, no URL is blamed, and it is told why."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.shortage import FILE_THREADS, THREADS
from tests.crawl.conftest import environment, options, start
from tests.crawl.test_crawl_resume import until_pages
from tests.support.server import Server
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

SITE = Web(pages_per_host=30)
LONG = Web(hosts=30, pages_per_host=10, latency_s=0.005)
HEAVY = Web(hosts=10, pages_per_host=20, body_bytes=120_000, latency_s=0.005)
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")

# What `crawler` does, where only so many threads can be started in all.
FEW_THREADS = """
import sys, threading
left, begin = [{count}], threading._start_new_thread
def start(*arguments):
    if not left[0]:
        raise RuntimeError("can't start new thread")
    left[0] -= 1
    return begin(*arguments)
threading._start_new_thread = start
from crawler.cli import run
sys.exit(run(sys.argv[1:]))
"""


def begun(folder, server, web):
    """A crawl that has some pages."""
    process = start(folder, *web.seeds(), *options(server, "checkpoint.every=20ms"), "-d", "crawl")
    until_pages(process, folder / "crawl/pages.jsonl", 20)
    return process


def ended(process):
    try:
        _, errors = process.communicate(timeout=50)
    finally:
        process.kill()  # which does nothing to one that has ended
    return errors.decode()


def assert_nothing_lost(crawler, web):
    rest = crawler("--resume")
    assert rest.code == 0, rest.stderr
    assert set(rest.endings()) == set(web.expected())
    assert not [line for line in rest.outcomes if line["outcome"] == "failed"]


def test_where_open_files_are_few_there_are_fewer_requests_at_once_and_that_is_told(crawler, tmp_path):
    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))

    with Server(LONG) as server:
        process = start(tmp_path, *LONG.seeds(), *options(server), "-d", "crawl", preexec_fn=lower)
        errors = ended(process)
        most = max(hit.in_flight_at_address for hit in server.log.hits)
    assert process.returncode == 0, errors
    assert "limits.concurrency: 200 takes up to" in errors
    assert "this process may have 96: at most" in errors
    assert 1 < most <= 10
    assert "ulimit -Hn" in (tmp_path / "crawl/crawl.log").read_text()


@pytest.mark.parametrize("limit", [8, 48])
def test_too_few_open_files_for_any_request_are_told_before_anything_is_fetched(tmp_path, limit):
    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    process = start(tmp_path, "http://127.0.0.1:9/", "-d", "crawl", preexec_fn=lower)
    errors = ended(process)
    assert process.returncode == 2
    assert f"may have {limit} open files" in errors
    assert "ulimit -Hn" in errors


@ON_LINUX
def test_running_out_of_open_files_midway_loses_nothing_and_blames_no_url(crawler, tmp_path):
    with Server(LONG) as server:
        process = begun(tmp_path, server, LONG)
        most = len(os.listdir(f"/proc/{process.pid}/fd"))  # noqa: PTH208
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (most, most))
        errors = ended(process)
        assert process.returncode == 1, errors
        assert "ulimit -n" in errors
        assert "Traceback" not in errors
        assert "--resume" in errors
        assert_nothing_lost(crawler, LONG)


@ON_LINUX
@pytest.mark.timeout(90)  # of which the command takes 10 s where it cannot be taken down
def test_running_out_of_memory_midway_loses_nothing_and_says_what_to_do(crawler, tmp_path):
    with Server(HEAVY) as server:
        process = begun(tmp_path, server, HEAVY)
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[5])  # of private writable memory
        most = pages * resource.getpagesize()
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (most, most))
        errors = ended(process)
        if process.returncode == 1:
            assert "memory" in errors  # or that no thread could be started, for which it takes memory
            assert "--resume" in errors or (tmp_path / "crawl/summary.json").exists()
        else:  # a library that never looks whether it has got what it asked for
            assert process.returncode in (-signal.SIGSEGV, -signal.SIGABRT), errors
        assert_nothing_lost(crawler, HEAVY)


@pytest.mark.parametrize("count", [0, THREADS, THREADS + FILE_THREADS + 3])
def test_threads_that_cannot_be_started_end_the_crawl_in_clear_words(crawler, tmp_path, count):
    with Server(SITE) as server:
        arguments = ["crawl", *SITE.seeds(), *options(server), "-d", "crawl"]
        done = subprocess.run(
            [sys.executable, "-c", FEW_THREADS.format(count=count), *arguments],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            timeout=50,
            check=False,
        )
        errors = done.stderr.decode()
        assert done.returncode in ((1,) if count <= THREADS else (0, 1)), errors
        assert "Traceback" not in errors
        if done.returncode:
            assert "no more threads" in errors
        assert_nothing_lost_of(crawler, server)


def assert_nothing_lost_of(crawler, server):
    """Of a crawl that may not even have begun."""
    rest = crawler(*SITE.seeds(), *options(server), "--resume")
    assert rest.code == 0, rest.stderr
    assert set(rest.endings()) == set(SITE.expected())


def test_streams_that_are_all_closed_harm_no_crawl(tmp_path):
    def close():
        for number in range(3):
            os.close(number)

    with Server(SITE) as server:
        command = [sys.executable, "-m", "crawler", "crawl", *SITE.seeds(), *options(server), "-d", "crawl"]
        done = subprocess.run(command, cwd=tmp_path, env=environment(), preexec_fn=close, timeout=50, check=False)
    assert done.returncode == 0
    assert len((tmp_path / "crawl/pages.jsonl").read_bytes().splitlines()) == 30
    assert (tmp_path / "crawl/summary.json").exists()
