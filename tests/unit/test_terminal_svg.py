"""A recorded terminal, drawn as an SVG that needs nothing else."""

from __future__ import annotations

import os
import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("pyte")
from scripts.terminal_svg import COLOURS, animated, recorded

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def record(tmp_path):
    """Record a line of shell on a small terminal."""

    def run(shell, rows=4):
        env = {**os.environ, "TERM": "xterm-256color"}
        return recorded(["bash", "-c", shell], tmp_path, env, 30, rows, typed="it")

    return run


def texts(svg):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_letters_keep_their_place_and_colour_and_act_as_no_markup(record):
    frames = record(r"printf 'a \e[31m<b>&\e[0m'")
    line = frames[-1].lines[1]
    assert [(run.column, run.text.rstrip(), run.look.colour) for run in line][1] == (2, "<b>&", COLOURS["red"])
    svg = animated(frames, 30, 4, title="T & t")
    assert "<b>&" in texts(svg)
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == "T & t"


def test_what_was_typed_stands_first_and_an_end_longer_than_the_screen_is_shown_from_its_beginning(record):
    beginning, end = record(r"printf '%s\n' 1 2 3 4 5 6")[-2:]
    shown = [["".join(run.text for run in line).strip() for line in frame.lines] for frame in (beginning, end)]
    assert shown == [["$ it", "1", "2", "3"], ["4", "5", "6", ""]]


def test_one_frame_after_another_is_visible_and_nothing_is_loaded(record):
    svg = animated(record(r"printf '%s\n' 1 2 3 4 5 6"), 30, 4, title="t")
    spans = re.findall(r"@keyframes k\d+ \{(?:0%\{visibility:hidden\})?([\d.]+)%\{visibility:visible\}([\d.]+)%", svg)
    assert [begin for begin, _ in spans][1:] == [end for _, end in spans][:-1]
    assert (float(spans[0][0]), float(spans[-1][1])) == (0, 100)
    assert svg.count('class="f still"') == 1
    assert re.findall(r"https?://|href=\"[^#]|<script|url\(|@import", svg) == ["http://"]  # the namespace


def test_a_terminal_is_what_the_command_runs_on(record):
    (line, *_) = record("test -t 0 && test -t 2 && exec 3</dev/tty && stty size")[-1].lines[1:]
    assert "".join(run.text for run in line).strip() == "4 30"
