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
    machine.view()
    pid = server(0.1)
    server(0.1)  # busy as well, and no parser
    clock.advance(1.0)
    view = machine.view()
    (worker,) = psutil.Process(pid).children()  # it waits by now
    assert view.parsers_busy == pytest.approx(cpu_s(worker), abs=0.03)
    assert view.cores_busy >= 0.2, "all processes together, those that have come since included"
    assert view.memory_bytes > sum(child.memory_info().rss for child in psutil.Process().children())
    clock.advance(1.0)
    assert machine.view().parsers_busy == pytest.approx(0.0, abs=0.03), "since the view before"


def test_the_first_view_tells_of_no_time_since_none_has_passed(server):
    machine = Machine(FakeClock(), lambda: pid)
    pid = server(0.05)
    view = machine.view()
    assert view.memory_bytes
    assert view.parsers_busy is view.cores_busy is None


def test_two_who_look_at_once_are_told_the_same_of_one_span(server):
    clock = FakeClock()
    machine = Machine(clock, lambda: None)
    machine.view()
    server(0.1)
    clock.advance(1.0)
    seen = machine.view()
    clock.advance(0.1)
    assert machine.view() is seen, "of a tenth of a second there is nothing to tell"


def test_where_parsers_are_no_processes_nothing_is_told_of_them(server):
    clock = FakeClock()
    machine = Machine(clock, lambda: None)
    machine.view()
    server(0.0)
    clock.advance(1.0)
    assert machine.view().parsers_busy is None


def test_a_process_that_ends_takes_nothing_back(server):
    clock = FakeClock()
    machine = Machine(clock, lambda: None)
    server(0.02)
    assert machine.view().memory_bytes
    for child in psutil.Process().children(recursive=True):
        child.kill()
    clock.advance(1.0)
    assert machine.view().cores_busy >= 0
