"""What a crawl is seen to take of its machine."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from crawler.machine import Machine
from tests.support.clock import FakeClock

# A parent that does nothing and a child of it that has used processor time, or a child that has not.
SERVER = """
import os, sys
pid = os.fork()
if pid == 0:
    begin = os.times()
    while os.times().user - begin.user < float(sys.argv[1]):
        pass
    print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server():
    """Start a server whose worker has used so much processor time."""
    started = []

    def start(cpu_s):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, "-c", SERVER, str(cpu_s)], **pipes)
        started.append(process)
        process.stdout.readline()
        return process.pid

    yield start
    for process in started:
        for child in psutil.Process(process.pid).children():
            child.kill()
        process.kill()
        process.communicate()


def cpu_s(process):
    times = process.cpu_times()
    return times.user + times.system


def test_the_share_of_parsers_is_that_of_the_servers_children_alone(server):
    clock = FakeClock()
    pid = None
    machine = Machine(clock, lambda: pid)
    pid = server(0.05)
    server(0.05)  # busy as well, and no parser
    clock.advance(0.5)
    view = machine.view()
    (worker,) = psutil.Process(pid).children()  # it waits by now
    assert view.parsers_busy == pytest.approx(cpu_s(worker) / 0.5, abs=0.03)
    assert view.cores_busy >= 0.2, "all processes together, those that have come since included"
    assert view.memory_bytes > sum(child.memory_info().rss for child in psutil.Process().children())
    clock.advance(0.5)
    assert machine.view().parsers_busy == pytest.approx(0.0, abs=0.03), "since the view before"


def test_where_parsers_are_no_processes_nothing_is_told_of_them(server):
    machine = Machine(FakeClock(), lambda: None)
    server(0.0)
    assert machine.view().parsers_busy is None


def test_a_process_that_ends_takes_nothing_back(server):
    clock = FakeClock()
    machine = Machine(clock, lambda: None)
    server(0.02)
    machine.view()
    for child in psutil.Process().children(recursive=True):
        child.kill()
    clock.advance(1.0)
    assert machine.view().cores_busy >= 0
