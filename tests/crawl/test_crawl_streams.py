"""Who reads, who writes and who kills: pipes that nobody reads, lists that never end, workers that are shot down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crawl.conftest import COMMAND, environment, options, start
from tests.crawl.test_crawl_resume import until_pages
from tests.crawl.test_crawl_standstill import family
from tests.support.server import Server
from tests.support.web import Web

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="what a process holds and has started is asked of /proc"),
]

WEB = Web(hosts=4, pages_per_host=400, body_bytes=3000, latency_s=0.002)
FEW = Web(hosts=4, pages_per_host=150, body_bytes=3000, latency_s=0.002)
MIB = 1 << 20


def peak_bytes(pid):
    """The most physical memory that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def test_a_pipe_that_nobody_reads_holds_up_no_commit_and_fills_no_memory(crawler, tmp_path):
    with Server(WEB) as server:
        settings = options(server, "checkpoint.every=20ms")
        process = start(tmp_path, *WEB.seeds(), *settings, "-o", "-", "-d", "crawl", stderr=subprocess.DEVNULL)
        pages = tmp_path / "crawl/pages.jsonl"
        until_pages(process, pages, 100)
        before = peak_bytes(process.pid)
        while not (tmp_path / "crawl/summary.json").exists():  # all is fetched, committed and accounted for
            assert process.poll() is None
            time.sleep(0.02)
        assert pages.stat().st_size > 4 * MIB  # of which a pipe holds 64 KiB
        assert peak_bytes(process.pid) - before < 40 * MIB
        handed_over = process.stdout.read()  # who waits gets everything
        assert process.wait(50) == 0
        process.stdout.close()
    assert handed_over == pages.read_bytes()


def test_a_list_that_never_ends_is_crawled_until_it_is_stopped_and_takes_no_memory(tmp_path):
    with Server(WEB) as server, subprocess.Popen(["yes", *WEB.seeds()[:1]], stdout=subprocess.PIPE) as endless:
        process = start(tmp_path, "-", *options(server, "checkpoint.every=20ms"), "-d", "crawl", stdin=endless.stdout)
        endless.stdout.close()
        until_pages(process, tmp_path / "crawl/pages.jsonl", 400)
        before = peak_bytes(process.pid)
        spool = tmp_path / "crawl/seeds.spool"
        size = spool.stat().st_size
        while spool.stat().st_size < size + 5 * MIB:
            assert process.poll() is None
            time.sleep(0.02)
        grown = peak_bytes(process.pid) - before
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=50)
    assert process.returncode == 130, errors.decode()
    assert "--resume" in errors.decode()
    assert grown < 30 * MIB


def test_workers_that_are_killed_from_outside_cost_no_page_and_no_second_record(crawler, tmp_path):
    with Server(FEW) as server:
        settings = options(server, "checkpoint.every=20ms", "parse.workers=2")
        process = start(tmp_path, *FEW.seeds(), *settings, "-d", "crawl")
        killed = 0
        for wanted in range(50, 450, 100):
            until_pages(process, tmp_path / "crawl/pages.jsonl", wanted)
            for pid in family(process.pid)[2:3]:  # of the command, its fork server, and the workers of that
                os.kill(pid, signal.SIGKILL)
                killed += 1
        _, errors = process.communicate(timeout=50)
    assert process.returncode == 0, errors.decode()
    assert killed == 4
    lines = (tmp_path / "crawl/pages.jsonl").read_bytes().splitlines()
    crashed = [
        line for line in (tmp_path / "crawl/outcomes.jsonl").read_bytes().splitlines() if b"parser_crashed" in line
    ]
    assert len(crashed) <= killed  # those in work at that moment, one each
    assert len(lines) + len(crashed) == len({*lines, *crashed})
    missing = set(FEW.expected()) - {line.split(b'"')[3].decode() for line in lines}
    assert len(missing) >= len(crashed)
    if not crashed:
        assert not missing


def test_workers_that_are_killed_again_and_again_end_the_crawl_and_lose_nothing(crawler, tmp_path):
    with Server(FEW) as server:
        settings = options(server, "checkpoint.every=20ms", "parse.workers=1")
        process = start(tmp_path, *FEW.seeds(), *settings, "-d", "crawl", stderr=subprocess.PIPE)
        until_pages(process, tmp_path / "crawl/pages.jsonl", 50)
        until = time.monotonic() + 3
        while process.poll() is None and time.monotonic() < until:
            try:
                for pid in family(process.pid)[2:]:
                    os.kill(pid, signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass
        _, errors = process.communicate(timeout=50)
        assert process.returncode in (0, 1, 4), errors.decode()
        assert b"Traceback" not in errors
        rest = crawler("--resume")
        assert rest.code in (0, 4), rest.stderr
        rest.endings()
    assert len(rest.pages) + len(rest.outcomes) <= len(FEW.expected())


def test_a_command_in_the_background_of_a_terminal_is_not_stopped_by_what_it_tells(tmp_path):
    """A terminal that says ``tostop`` stops whoever writes to it from the background, unless that ignores SIGTTOU."""
    script = f"""
import os, pty, signal, subprocess, sys, termios
controller, terminal = pty.openpty()
if os.fork() == 0:
    os.setsid()
    import fcntl
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    modes = termios.tcgetattr(terminal)
    modes[3] |= termios.TOSTOP
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    child = subprocess.Popen({[*COMMAND, "crawl"]!r} + sys.argv[1:], stdin=subprocess.DEVNULL, stdout=terminal,
        stderr=terminal, preexec_fn=lambda: (os.setpgid(0, 0), signal.signal(signal.SIGTTOU, signal.SIG_IGN)))
    os._exit(child.wait())
os.close(terminal)
try:
    while os.read(controller, 65536):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    with Server(Web(pages_per_host=10)) as server:
        done = subprocess.run(
            [sys.executable, "-c", script, "http://h0.test/", *options(server), "-d", "crawl"],
            cwd=tmp_path, env=environment(), capture_output=True, timeout=50, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "crawl/summary.json").exists()
