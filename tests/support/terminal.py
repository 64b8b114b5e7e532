"""A terminal with a person before it: a process runs on it, keys are typed, and its screen is read.

The screen is pyte's. Where terminals differ in what they keep as their size changes, this one does as xterm does: rows
below the cursor go first.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pyte

from tests.crawl.conftest import COMMAND, environment

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 15.0

AS_ITS_OWN = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
"""Begins a command with the terminal as the one that controls it. (Code between fork and exec would be run in a fork of
a process with threads.)"""


class Terminal:
    """Used as an async context manager; what still runs on it is killed at its end."""

    def __init__(self, columns: int = 100, rows: int = 30) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._ours, self._theirs = pty.openpty()
        self._changed = asyncio.Event()
        self.process: asyncio.subprocess.Process | None = None
        #: everything ever written to it
        self.written = bytearray()
        self._set_size(columns, rows)
        self.modes = termios.tcgetattr(self._theirs)

    async def __aenter__(self) -> Terminal:
        os.set_blocking(self._ours, False)
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)

    async def crawl(self, folder, *arguments: str, **variables: str | None) -> None:
        """Start `crawler crawl ARGUMENTS` on it, as its foreground job; a variable that is None is unset."""
        await self.start(folder, *COMMAND, "crawl", *arguments, **variables)

    async def start(self, folder, *command: str, **variables: str | None) -> None:
        """Start a command on it."""
        wanted = environment() | {"TERM": "xterm-256color", "CI": None, "NO_COLOR": None, "COLUMNS": None} | variables
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-ISc", AS_ITS_OWN, *command),
            cwd=folder,
            env={name: value for name, value in wanted.items() if value is not None},
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
        )

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Make it another size; the job is told by SIGWINCH."""
        screen = self.screen
        above = max(0, screen.cursor.y - rows + 1)
        kept = [{x: char for x, char in screen.buffer[y].items() if x < columns} for y in range(above, above + rows)]
        column, row = min(screen.cursor.x, columns - 1), screen.cursor.y - above
        screen.reset()
        screen.resize(rows, columns)
        for y, line in enumerate(kept):
            screen.buffer[y].update(line)
        screen.cursor.x, screen.cursor.y = column, row
        self._set_size(columns, rows)

    @property
    def text(self) -> str:
        """What stands on the screen, without what is blank at the ends of lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    async def until(self, fits: str | Callable[[str], object]) -> str:
        """The screen's text once it fits, or has that in it."""
        wanted = (lambda text: fits in text) if isinstance(fits, str) else fits
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not wanted(self.text):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{fits} never came to stand on\n{self.text}") from None
        return self.text

    async def ended(self) -> int:
        """The exit code of the process, once it has ended and all it wrote is read."""
        assert self.process is not None
        async with asyncio.timeout(DEADLINE_S):
            code = await self.process.wait()
        self._read()
        return code

    def _read(self) -> None:
        try:
            while data := os.read(self._ours, 65_536):
                self.written += data
                self._stream.feed(data)
        except (BlockingIOError, OSError):
            pass
        self._changed.set()

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def run_plainly(folder, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """`crawler crawl ARGUMENTS` with pipes; on standard error there is also what it imported."""
    command = [COMMAND[0], "-X", "importtime", *COMMAND[1:], "crawl", *arguments]
    return subprocess.run(command, cwd=folder, env=environment() | variables, capture_output=True, check=False)
