"""A crawl that is stopped and goes on later, as by Ctrl-Z, a frozen container or a clock that is set: nothing is blamed
on those who could not help it, and no server sees more of it than promised."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crawl.conftest import COMMAND, environment, options, start
from tests.crawl.test_crawl_resume import until_pages
from tests.support.server import Server
from tests.support.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

STILL_S = 2.5
"""Longer than any limit that the crawls here have."""

SHORT = ("fetch.timeout=1s", "fetch.connect_timeout=1s", "checkpoint.every=20ms")

# What `crawler` does, where the wall clock is set to {at} and, once {pages} pages are in the file, by {jump} s more.
SET_CLOCK = """
import sys, time, threading
real, moved = time.time, [{at} - time.time()]
time.time = lambda: real() + moved[0]
def jump():
    while True:
        try:
            if open("crawl/pages.jsonl", "rb").read().count(b"\\n") >= {pages}:
                break
        except OSError:
            pass
        threading.Event().wait(0.01)
    moved[0] += {jump}
threading.Thread(target=jump, daemon=True).start()
from crawler.cli import run
sys.exit(run(sys.argv[1:]))
"""


def family(pid):
    """A process and all it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in family(int(child)))]


def stand_still(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(STILL_S)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


@dataclass(frozen=True)
class Stood:
    """A crawl that was stopped amid its requests, and went on."""

    code: int
    errors: str
    #: of its pages.jsonl
    lines: int
    #: what the server saw: requests by URL, and the smallest gap of each host
    asked: dict
    gaps_s: dict


CALM = Web(hosts=12, pages_per_host=8, latency_s=0.1)


@pytest.fixture(scope="module")
def stood(tmp_path_factory):
    """At any moment about a third of the hosts have a request under way; the others wait for their next."""
    folder = tmp_path_factory.mktemp("stood")
    with Server(CALM) as server:
        settings = [*options(server, *SHORT, "limits.default.concurrency=1"), "--delay", "150ms"]
        process = start(folder, *CALM.seeds(), *settings, "-d", "crawl")
        pages = folder / "crawl/pages.jsonl"
        until_pages(process, pages, 20)
        stand_still([process.pid])
        _, errors = process.communicate(timeout=50)
        gaps_s = {host: server.log.smallest_gap_s(host) for host in server.log.hosts()}
        asked = server.log.counts()
    return Stood(process.returncode, errors.decode(), len(pages.read_bytes().splitlines()), asked, gaps_s)


def test_requests_under_way_when_the_process_is_stopped_are_answered_once_it_goes_on(stood):
    assert stood.code == 0, stood.errors
    assert stood.lines == len(CALM.expected())
    again = sum(count - 1 for count in stood.asked.values())
    assert again <= 2  # a connection that was about to be made


def test_after_a_standstill_no_host_is_asked_sooner_than_promised(stood):
    assert len(stood.gaps_s) == CALM.hosts
    assert min(stood.gaps_s.values()) >= 0.15


@pytest.mark.skipif(sys.platform != "linux", reason="who has started whom is asked of /proc")
def test_a_page_in_work_when_all_is_frozen_is_not_taken_for_one_that_hangs(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "def page(page):\n"
        "    with open('begun', 'a') as file:\n        print(page.url, file=file)\n"
        "    for _ in range(60):\n        time.sleep(0.01)\n"  # its time passes only while it runs
        "    return []\n"
    )
    web = Web(pages_per_host=6)
    with Server(web) as server:
        settings = options(server, *SHORT, "parse.deadline=2s", "extract.python=slow:page", "parse.workers=1")
        process = start(tmp_path, *web.seeds(), *settings, "-d", "crawl")
        while not (tmp_path / "begun").exists():
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.01)
        stand_still(family(process.pid))
        _, errors = process.communicate(timeout=50)
    assert process.returncode == 0, errors.decode()
    assert len((tmp_path / "crawl/pages.jsonl").read_bytes().splitlines()) == 6


YEAR_S = 365 * 86_400


@pytest.mark.parametrize(
    ("at", "jump"),
    [
        (0, 0),
        (4_102_444_800, -100 * YEAR_S),  # from 2100, when seconds take more than 31 bits
        (1_700_000_000, 100 * YEAR_S),
    ],
)
def test_whatever_the_wall_clock_says_a_crawl_is_paced_and_ends(tmp_path, at, jump):
    web = Web(hosts=2, pages_per_host=8)
    with Server(web) as server:
        settings = [*options(server, "checkpoint.every=20ms", "budget.time=15s"), "--delay", "50ms"]
        python = (sys.executable, "-c")
        done = subprocess.run(
            [*python, SET_CLOCK.format(at=at, jump=jump, pages=4), "crawl", *web.seeds(), *settings, "-d", "crawl"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert b"stopped by" not in done.stderr
        gaps = [server.log.smallest_gap_s(host) for host in server.log.hosts()]
        assert min(gaps) >= 0.05
        assert len((tmp_path / "crawl/pages.jsonl").read_bytes().splitlines()) == len(web.expected())
        resumed = subprocess.run(
            [*COMMAND, "crawl", "-d", "crawl", "--resume"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            timeout=50,
            check=False,
        )
    assert resumed.returncode == 0, resumed.stderr.decode()
