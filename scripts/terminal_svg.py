"""How does what a terminal shows become a picture? A recording through pyte, drawn as an SVG that plays it.

The SVG has no script, no font and no link of its own. Each distinct line is drawn once and used where it stands, and
style sheets show one frame after another; whoever asks for less motion, and whatever plays none, has one from the
middle.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import pyte

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

EVERY_S = 0.5  #: between two frames
LAST_S = 6.0  #: for which the last one stands, and before it the beginning of what is longer than the screen
CELL, LINE, FONT = 8.4, 18, 14  #: pixels: width and height of a cell, size of its letters
MARGIN, BAR = 16, 36  #: around the text, and the window's bar above it
TEXT, GROUND, FRAME = "#d8dee9", "#1b2028", "#2b323d"
COLOURS = {
    "black": "#3b4252", "red": "#ef7d86", "green": "#a3d18b", "brown": "#ebcb8b", "blue": "#85b1ea",
    "magenta": "#c79bd0", "cyan": "#84cfdd", "white": "#e5e9f0",
    "brightblack": "#7b88a1", "brightred": "#ff9aa2", "brightgreen": "#b9e6a2", "brightbrown": "#ffe0a3",
    "brightblue": "#a4c9fa", "brightmagenta": "#deb6e6", "brightcyan": "#a1e5f0", "brightwhite": "#ffffff",
}  # fmt: skip


class Look(NamedTuple):
    """How letters are drawn."""

    colour: str
    ground: str | None
    bold: bool
    italic: bool
    underlined: bool


class Run(NamedTuple):
    """Letters of one look, from a column on."""

    column: int
    text: str
    look: Look


Line = tuple[Run, ...]


class Frame(NamedTuple):
    """What the screen showed."""

    at_s: float
    lines: tuple[Line, ...]


def recorded(
    command: Sequence[str], folder: Path, env: dict[str, str], columns: int, rows: int, *, typed: str
) -> list[Frame]:
    """Run `command` on a terminal of that size until it ends; `typed` is shown as what was typed."""
    screen = pyte.HistoryScreen(columns, rows, history=1000)
    stream = pyte.ByteStream(screen)
    stream.feed(f"\x1b[1;32m$\x1b[0m {typed}\r\n".encode())
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    began = time.monotonic()
    frames = [Frame(0.0, shown(screen))]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - one system call, and no thread of ours holds a lock it needs
    ):
        os.close(theirs)
        while (read := _read(ours, EVERY_S / 5)) is not None:
            stream.feed(read)
            at_s = time.monotonic() - began
            if at_s - frames[-1].at_s >= EVERY_S:
                frames.append(Frame(at_s, shown(screen)))
    os.close(ours)
    ended_s = time.monotonic() - began
    if gone := [_line(line, columns) for line in screen.history.top]:
        frames.append(Frame(ended_s, tuple([*gone, *shown(screen)][:rows])))
        ended_s += LAST_S
    frames.append(Frame(ended_s, shown(screen)))
    return [next(same) for _, same in groupby(frames, key=lambda frame: frame.lines)]


def _take_terminal() -> None:
    """Make standard input the terminal of this session: what reads keys asks who is in its foreground."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read(terminal: int, wait_s: float) -> bytes | None:
    """What comes within that time, perhaps nothing; None once nobody writes any more."""
    if not select.select([terminal], [], [], wait_s)[0]:
        return b""
    try:
        return os.read(terminal, 65536) or None
    except OSError:  # Linux: the other end is closed
        return None


def shown(screen: pyte.Screen) -> tuple[Line, ...]:
    """The screen's lines as runs; blank ones are empty."""
    return tuple(_line(screen.buffer[row], screen.columns) for row in range(screen.lines))


def _line(row: Mapping[int, pyte.screens.Char], columns: int) -> Line:
    cells = [row[column] for column in range(columns)]
    runs, column = [], 0
    for look, same in groupby(cells, key=_look):
        text = "".join(cell.data for cell in same)
        if text.strip() or look.ground or look.underlined:
            runs.append(Run(column, text, look))
        column += len(text)
    return tuple(runs)


def _look(cell: pyte.screens.Char) -> Look:
    colour, ground = _colour(cell.fg, TEXT), _colour(cell.bg, None)
    if cell.reverse:
        colour, ground = ground or GROUND, colour
    return Look(colour or TEXT, ground, cell.bold, cell.italics, cell.underscore)


def _colour(name: str, default: str | None) -> str | None:
    return default if name == "default" else COLOURS.get(name, f"#{name}")


def animated(frames: Sequence[Frame], columns: int, rows: int, *, title: str) -> str:
    """The SVG that plays `frames` in their own time, again and again."""
    width, height = columns * CELL + 2 * MARGIN, rows * LINE + 2 * MARGIN + BAR
    lasts_s = frames[-1].at_s + LAST_S
    names: dict[Line, str] = {}
    shown_frames, rules = [], []
    for number, frame in enumerate(frames):
        used = [
            f'<use href="#{names.setdefault(line, f"l{len(names)}")}" y="{row * LINE}"/>'
            for row, line in enumerate(frame.lines)
            if line
        ]
        last, still = number == len(frames) - 1, " still" * (number == len(frames) // 2)
        shown_frames.append(f'<g class="f{still}" style="animation-name:k{number}">{"".join(used)}</g>')
        until_s = lasts_s if last else frames[number + 1].at_s
        rules.append(_keyframes(number, 100 * frame.at_s / lasts_s, 100 * until_s / lasts_s))
    lines = "".join(f'<g id="{name}">{"".join(map(_drawn, line))}</g>' for line, name in names.items())
    dots = "".join(f'<circle cx="{MARGIN + 8 + 20 * at}" cy="18" r="6" fill="#4c566a"/>' for at in range(3))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" \
role="img" aria-labelledby="t" xml:space="preserve">
<title id="t">{escape(title)}</title>
<style>
text {{ font: {FONT}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }}
.f {{ visibility: hidden; animation: {lasts_s:.2f}s step-end infinite }}
.still {{ visibility: visible }}
{chr(10).join(rules)}
@media (prefers-reduced-motion: reduce) {{ .f {{ animation: none }} }}
</style>
<rect width="{width:g}" height="{height:g}" rx="10" fill="{GROUND}"/>
<path d="M0 {BAR}V10a10 10 0 0 1 10-10H{width - 10:g}a10 10 0 0 1 10 10V{BAR}z" fill="{FRAME}"/>{dots}
<defs>{lines}</defs>
<g transform="translate({MARGIN} {BAR + MARGIN})" fill="{TEXT}">
{chr(10).join(shown_frames)}
</g>
</svg>
"""


def _keyframes(number: int, from_percent: float, to_percent: float) -> str:
    """Visible between two points of the whole."""
    before = "0%{visibility:hidden}" if from_percent > 0 else ""
    after = f"{to_percent:.2f}%{{visibility:hidden}}" if to_percent < 100 else "100%{visibility:visible}"
    return f"@keyframes k{number} {{{before}{from_percent:.2f}%{{visibility:visible}}{after}}}"


def _drawn(run: Run) -> str:
    """One run; its length is told, so that columns stand below each other in any font."""
    look, text = run.look, run.text.strip()
    x, length = (run.column + len(run.text) - len(run.text.lstrip())) * CELL, len(text) * CELL
    drawn = ""
    if look.ground:
        across = len(run.text) * CELL
        drawn = f'<rect x="{run.column * CELL:g}" width="{across:g}" height="{LINE}" fill="{look.ground}"/>'
    if text:
        ways = f' fill="{look.colour}"' * (look.colour != TEXT)
        ways += ' font-weight="bold"' * look.bold + ' font-style="italic"' * look.italic
        ways += ' text-decoration="underline"' * look.underlined
        drawn += f'<text x="{x:g}" y="{FONT}" textLength="{length:g}"{ways}>{escape(text)}</text>'
    return drawn
