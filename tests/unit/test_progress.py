"""One line that says that a crawl moves: on a terminal, and in a file."""

from __future__ import annotations

import io
import os
import pty
import termios

import pytest
from msgspec.structs import replace

from crawler.config import BudgetConfig
from crawler.models import SlowHost
from crawler.progress import ProgressLine
from crawler.units import Duration
from tests.support.clock import FakeClock
from tests.support.snapshots import EMPTY, SNAPSHOT

LINE = "1,526 pages  12.3/s  84 queued  16 in flight  321 failed  35.0 MiB  2 min 03 s"
ERASE_BELOW = "\x1b[J"


class Screen:
    """A pseudo-terminal `columns` wide and what was written to it."""

    def __init__(self, columns):
        self._ours, theirs = pty.openpty()
        os.set_blocking(self._ours, False)
        self.stream = os.fdopen(theirs, "w", encoding="utf-8")
        self.resize(columns)

    def resize(self, columns):
        termios.tcsetwinsize(self._ours, (24, columns))

    def written(self):
        try:
            return os.read(self._ours, 65_536).decode()
        except BlockingIOError:
            return ""

    def close(self):
        self.stream.close()
        os.close(self._ours)


def slow(host_key, wait_s, why="Crawl-delay 1m"):
    return SlowHost(host_key=host_key, why=why, wait_s=wait_s)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def screen():
    screen = Screen(100)
    yield screen
    screen.close()


def test_terminal_line_is_rewritten_in_place(screen, clock):
    progress = ProgressLine(screen.stream, clock)
    progress.show(SNAPSHOT)
    assert screen.written() == f"\r{LINE}{ERASE_BELOW}"
    clock.advance(progress.interval_s)
    progress.show(EMPTY)
    assert screen.written() == f"\r0 pages  0.0/s  0 queued  0 in flight  0 failed  0 B  0.4 s{ERASE_BELOW}"


def test_line_tells_what_waits_to_be_retried(screen, clock):
    ProgressLine(screen.stream, clock).show(replace(SNAPSHOT, retrying=3))
    assert "  84 queued (3 to retry)  16 in flight  " in screen.written()


@pytest.mark.parametrize("columns", [79, 40, 20, 10, 2])
def test_terminal_line_never_reaches_the_last_column(screen, clock, columns):
    screen.resize(columns)
    ProgressLine(screen.stream, clock).show(SNAPSHOT)
    assert 0 < len(screen.written().removeprefix("\r").removesuffix(ERASE_BELOW)) < columns


def test_narrow_terminal_shows_the_most_important_numbers_whole(screen, clock):
    screen.resize(40)
    ProgressLine(screen.stream, clock).show(SNAPSHOT)
    assert screen.written() == f"\r1,526 pages  12.3/s  84 queued{ERASE_BELOW}"


def test_closing_wipes_the_live_line_once(screen, clock):
    progress = ProgressLine(screen.stream, clock)
    progress.show(SNAPSHOT)
    screen.written()
    progress.close()
    progress.close()
    assert screen.written() == f"\r{ERASE_BELOW}"


def test_terminal_line_is_not_rewritten_before_its_time(screen, clock):
    progress = ProgressLine(screen.stream, clock)
    progress.show(SNAPSHOT)
    screen.written()
    clock.advance(progress.interval_s / 2)
    progress.show(SNAPSHOT)
    assert screen.written() == ""


def test_file_gets_a_plain_line_every_ten_seconds_and_no_control_characters(clock):
    stream = io.StringIO()
    progress = ProgressLine(stream, clock)
    for _ in range(250):
        progress.show(SNAPSHOT)
        clock.advance(0.1)
    progress.close()
    lines = stream.getvalue().splitlines()
    assert lines == [LINE] * 2
    assert stream.getvalue().replace("\n", "").isprintable()


def test_interval_can_be_chosen(clock):
    stream = io.StringIO()
    progress = ProgressLine(stream, clock, interval_s=1.0)
    clock.advance(1.0)
    progress.show(SNAPSHOT)
    assert stream.getvalue().count("\n") == 1


def shown(snapshot, columns=None, **more):
    """The line for a snapshot: in a file, or on a terminal so many columns wide."""
    clock = FakeClock()
    if columns is None:
        stream = io.StringIO()
        progress = ProgressLine(stream, clock, **more)
        clock.advance(progress.interval_s)
        progress.show(snapshot)
        return stream.getvalue().rstrip("\n")
    screen = Screen(columns)
    ProgressLine(screen.stream, clock, **more).show(snapshot)
    line = screen.written().removeprefix("\r").removesuffix(ERASE_BELOW)
    screen.close()
    return line


def test_line_tells_how_much_longer_it_takes(screen, clock):
    progress = ProgressLine(screen.stream, clock)
    progress.show(replace(SNAPSHOT, elapsed_s=100.0, admitted=1_000, waiting=584))
    clock.advance(20)
    screen.written()
    progress.show(SNAPSHOT)
    assert screen.written() == f"\r{LINE}  ~2 s left{ERASE_BELOW}"
    clock.advance(20)
    progress.show(replace(SNAPSHOT, waiting=9_984, elapsed_s=125.4))
    assert "  over 3.4 min left" in screen.written()


def test_budget_is_an_end_too():
    budget = BudgetConfig(time_s=Duration(3_600))
    assert shown(SNAPSHOT, budget=budget) == f"{LINE}  ~58 min left"
    assert shown(SNAPSHOT, 84, budget=budget) == f"{LINE.replace('35.0 MiB  ', '')}  ~58 min left"


def test_hosts_that_wait_for_long_are_told_with_the_reason():
    waits = slow("a.test", 42), slow("b.test", 10.0, "it takes 4.2 s to answer"), slow("c.test", 9.9)
    assert shown(replace(SNAPSHOT, slow=waits)) == (
        f"{LINE}  waiting: a.test 42 s (Crawl-delay 1m)  and b.test 10 s (it takes 4.2 s to answer)"
    )


def test_short_waits_are_told_only_while_little_else_is_done():
    busy = replace(SNAPSHOT, slow=(slow("a.test", 0.9),))
    assert "waiting" not in shown(busy)
    assert "waiting" not in shown(replace(busy, in_flight=0)), "there were pages a moment ago"
    idle = replace(busy, in_flight=0, pages_per_s=0.2)
    assert shown(idle).endswith("  waiting: a.test 0.9 s (Crawl-delay 1m)")


def test_what_an_idle_crawl_waits_for_matters_more_than_its_sums():
    idle = replace(SNAPSHOT, slow=(slow("a.test", 42), slow("b.test", 41)), in_flight=0, pages_per_s=0.0)
    assert shown(idle, 78) == "1,526 pages  0.0/s  84 queued  waiting: a.test 42 s (Crawl-delay 1m)"
    assert shown(idle, 64) == "1,526 pages  84 queued  waiting: a.test 42 s (Crawl-delay 1m)"
    assert shown(idle, 47) == "1,526 pages  84 queued  waiting: a.test 42 s", "without its reason"
    assert shown(replace(idle, in_flight=1), 80) == (
        "1,526 pages  0.0/s  84 queued  1 in flight  321 failed  waiting: a.test 42 s"
    )


def test_hosts_are_named_one_line_long_and_escaped():
    waits = slow("a" * 253, 42, "says \x1b[2J" + "x" * 99), *(slow(f"{number}.test", 19) for number in range(9))
    line = shown(replace(SNAPSHOT, slow=waits))
    assert line.isprintable()
    assert line.count(".test") == 2
    assert len(line) < 300
