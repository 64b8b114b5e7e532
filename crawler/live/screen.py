"""How do lines get onto the terminal, and away again, whatever else is written there meanwhile?

The cursor rests at the beginning of the view, whose first line is empty. Whoever writes to the terminal writes there,
and the next view stands below that: a parser's `print`, a message of the kernel. A terminal that gets narrower wraps
the lines below the cursor, and all that is below the cursor is replaced with each view. So nothing is left behind, and
nothing need be known of what others did.

The terminal is opened once more, to write without waiting: one that takes nothing (Ctrl-S, a connection that hangs)
must not hold up the crawl. It is never the shared one that is set so: the shell that started us has that, too.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS, ROWS = 80, 24
"""Of a terminal that does not know its size."""

_LAST_WORDS_S = 0.2  # how long a terminal that takes nothing may keep us from leaving
_ERASE_LINE = "\x1b[K"  # ECMA-48 EL: to the end of the line
_ERASE_BELOW = "\x1b[J"  # ED: to the end of the page
_UP = "\x1b[{}A"  # CUU


def own_descriptor(stream: TextIO) -> int | None:
    """The terminal of `stream` opened anew, without waiting; None if that cannot be. The caller closes it."""
    for name in (os.ttyname, lambda _: os.ctermid()):
        with suppress(OSError):
            return os.open(name(stream.fileno()), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    return None


class Screen:
    """The lower part of a terminal.

    Args:
        stream: The terminal; not closed here.
        descriptor: `own_descriptor` of it; not closed here.
    """

    def __init__(self, stream: TextIO, descriptor: int | None) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._encoding = stream.encoding or "utf-8"
        self._unsent = b""
        self._stands = False
        self._in_line = False  # whether somebody has begun a line and not ended it

    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now."""
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno())
        except OSError:
            return COLUMNS, ROWS
        return columns or COLUMNS, rows or ROWS

    def draw(self, lines: Sequence[str]) -> None:
        """Have `lines` stand there, none of them as wide as the terminal; not if it has not taken the last ones yet."""
        if not lines or not self._send(b""):
            return
        begin = "\r\n" if self._in_line else "\r"
        back = _UP.format(len(lines) - 1) if len(lines) > 1 else ""
        self._in_line = False
        self._stands = True
        self._write(begin + f"{_ERASE_LINE}\r\n".join(lines) + _ERASE_LINE + _ERASE_BELOW + back + "\r")

    def give_way(self, text: str) -> None:
        """Somebody is about to write `text` there."""
        self.wipe()
        self._hand_over()
        if text:
            self._in_line = not text.endswith("\n")

    def wipe(self) -> None:
        """Have nothing stand there. Idempotent."""
        if self._stands:
            self._stands = False
            self._write(f"\r{_ERASE_BELOW}")

    def close(self) -> None:
        """Wipe it."""
        with suppress(OSError):
            self.wipe()
            if self._unsent and self._descriptor is not None:
                select.select([], [self._descriptor], [], _LAST_WORDS_S)
                self._send(b"")
            self._hand_over()

    def _hand_over(self) -> None:
        """What the terminal has not taken yet goes before what is written to the stream next, which waits for it."""
        if self._unsent:
            self._stream.buffer.write(self._unsent)
            self._unsent = b""

    def _write(self, text: str) -> None:
        data = text.encode(self._encoding, "replace")
        if self._descriptor is None:
            self._stream.write(data.decode(self._encoding))
            self._stream.flush()
        else:
            self._send(data)

    def _send(self, data: bytes) -> bool:
        """Have the terminal take what it takes; whether that is all."""
        self._unsent += data
        while self._unsent and self._descriptor is not None:
            try:
                self._unsent = self._unsent[os.write(self._descriptor, self._unsent) :]
            except BlockingIOError:
                return False
        return True
