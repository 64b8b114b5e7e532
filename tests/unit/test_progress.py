"""One line that says that a crawl moves: on a terminal, and in a file."""

from __future__ import annotations

import io
import os
import pty
import termios

import pytest
from msgspec.structs import replace

from crawler.progress import ProgressLine
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
