"""Lines on a terminal, whatever else is written to it, and however slowly it takes them."""

from __future__ import annotations

import io
import os
import pty
import sys
import termios

import pyte
import pytest
from rich.console import Console

from crawler.cli.out import Guarded, giving_way, tell
from crawler.live.screen import COLUMNS, ROWS, Screen, own_descriptor
from crawler.live.styles import BAD, text
from crawler.live.watching import painted
from crawler.live.where import can_stand_on
from crawler.sparing import Sparing
from tests.support.clock import FakeClock


class Pty:
    """A pseudo-terminal, and what stands on it."""

    def __init__(self, columns=40, rows=10):
        self._ours, theirs = pty.openpty()
        os.set_blocking(self._ours, False)
        self.stream = os.fdopen(theirs, "w", encoding="utf-8")
        termios.tcsetwinsize(self._ours, (rows, columns))
        self._screen = pyte.Screen(columns, rows)
        self._bytes = pyte.ByteStream(self._screen)
        self.descriptor = own_descriptor(self.stream)

    def lines(self):
        """What stands there, down to the last line that is not blank."""
        try:
            while data := os.read(self._ours, 65_536):
                self._bytes.feed(data)
        except BlockingIOError:
            pass
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip("\n").split("\n")

    def close(self):
        os.close(self.descriptor)
        self.stream.close()
        os.close(self._ours)


@pytest.fixture
def terminal():
    terminal = Pty()
    yield terminal
    terminal.close()


@pytest.fixture
def screen(terminal):
    return Screen(terminal.stream, terminal.descriptor)


def test_lines_take_the_place_of_those_before(terminal, screen):
    screen.draw(["", "one is longer", "two", "three"])
    assert terminal.lines() == ["", "one is longer", "two", "three"]
    screen.draw(["", "1", "2"])
    assert terminal.lines() == ["", "1", "2"]
    screen.wipe()
    screen.wipe()
    assert terminal.lines() == [""]


def test_lines_scroll_what_stood_there_before_and_leave_it_alone(terminal, screen):
    terminal.stream.write("".join(f"before {number}\n" for number in range(9)))
    terminal.stream.flush()
    for _ in range(3):
        screen.draw(["", "one", "two"])
        assert terminal.lines()[-4:] == ["before 8", "", "one", "two"]


def test_what_is_told_meanwhile_stands_above(terminal, screen, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Guarded(terminal.stream))
    with giving_way(screen.give_way):
        screen.draw(["", "one", "two"])
        tell("a remark\x1b[2J", err=True)
        assert terminal.lines() == [r"a remark\x1b[2J"]
        screen.draw(["", "one", "two"])
        print("half a", end="", file=sys.stderr, flush=True)
        screen.draw(["", "one", "two"])
        print("warning", file=sys.stderr, flush=True)
        screen.draw(["", "one"])
        assert terminal.lines() == [r"a remark\x1b[2J", "half a", "warning", "", "one"]
        screen.close()
    tell("the summary", err=True)
    assert terminal.lines()[-2:] == ["warning", "the summary"]


def test_what_goes_elsewhere_leaves_the_lines_alone(terminal, screen, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with giving_way(screen.give_way):
        screen.draw(["", "one"])
        tell("to a pipe")
    assert terminal.lines() == ["", "one"]


def test_line_that_others_print_unasked_stays_whole(terminal, screen):
    screen.draw(["", "one", "two"])
    terminal.stream.write("printed by a parser\n")
    terminal.stream.flush()
    screen.draw(["", "one", "two"])
    assert terminal.lines() == ["printed by a parser", "", "one", "two"]


def test_terminal_that_takes_nothing_holds_nobody_up(terminal, screen):
    frames = [["", *(f"{number} {'x' * 30}" for _ in range(8))] for number in range(2_000)]
    for frame in frames:
        screen.draw(frame)  # nobody reads: a write that waits would never return
    assert terminal.lines(), "some of it has gone through"
    screen.draw(["", "at last"])
    terminal.lines()
    screen.draw(["", "at last"])
    assert terminal.lines() == ["", "at last"]
    assert os.get_blocking(terminal.stream.fileno()), "the shared one waits as ever"


def test_what_a_terminal_was_slow_to_take_comes_before_what_is_told(terminal, screen, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Guarded(terminal.stream))
    screen.draw(["", *("x" * 30 for _ in range(8))])
    termios.tcflow(terminal.stream.fileno(), termios.TCOOFF)  # Ctrl-S
    screen.draw(["", *("y" * 30 for _ in range(8))])
    screen.close()
    termios.tcflow(terminal.stream.fileno(), termios.TCOON)
    with giving_way(screen.give_way):
        tell("the summary", err=True)
    assert terminal.lines() == ["the summary"]


def test_lines_go_through_the_stream_where_the_terminal_cannot_be_opened(terminal):
    screen = Screen(terminal.stream, None)
    screen.draw(["", "one"])
    assert terminal.lines() == ["", "one"]
    screen.close()
    assert terminal.lines() == [""]


def test_size_is_the_terminals_or_a_usual_one(terminal, screen):
    assert screen.size() == (40, 10)
    termios.tcsetwinsize(terminal.stream.fileno(), (0, 0))
    assert screen.size() == (COLUMNS, ROWS)


@pytest.mark.parametrize(
    ("environ", "stands"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True),
        ({"TERM": "xterm", "CI": "false"}, True),
        ({"TERM": "xterm", "CI": "true"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_view_stands_only_on_a_persons_terminal_that_moves_its_cursor(terminal, environ, stands):
    assert can_stand_on(terminal.stream, environ) is stands
    assert not can_stand_on(io.StringIO(), environ)


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({"TERM": "xterm-256color"}, "\x1b[31mbad\x1b[0m"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "bad"),
        ({"TERM": "dumb"}, "bad"),
    ],
)
def test_colours_are_those_the_terminal_has_and_its_person_wants(terminal, environ, shown):
    console = Console(file=terminal.stream, _environ=environ)
    assert painted(console, [text(("bad", BAD))]) == [shown]


def test_look_that_takes_long_is_taken_seldom():
    clock, looks = FakeClock(), []

    def look():
        looks.append(clock.monotonic())
        return sum(range(200_000))  # some milliseconds of the processor's time

    sparing = Sparing(look, clock, 0.25, 500)
    for _ in range(40):
        sparing()
        clock.advance(0.05)
    assert len(looks) < 4
    cheap = Sparing(lambda: looks.append(0) or True, clock, 0.25, 500)
    looks.clear()
    for _ in range(41):
        cheap()
        clock.advance(0.05)
    assert 7 <= len(looks) <= 9
