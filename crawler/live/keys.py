"""How do keys reach a crawl, so that the terminal gets its own ways back whatever happens?

A key counts at once, without Enter and without being shown (termios: neither ICANON nor ECHO); Ctrl-C and Ctrl-Z stay
what they are. That is so only while we are in the foreground: a job in the background that reads from the terminal, or
changes it, is stopped (POSIX, "General Terminal Interface"), and what is typed then is the shell's.
"""

from __future__ import annotations

import atexit
import os
import re
import signal
import termios
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

KNOWN = frozenset("pPrR+=-_qQ?hH")
_MOST = 64  # bytes read at once
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O?.)?", re.DOTALL)
"""What arrows and other keys that are no character send: ECMA-48 control sequences, or ESC and a letter."""


def foreground(descriptor: int) -> bool | None:
    """Whether we are the terminal's foreground job; None if it is not the one that controls us."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return None


class Keys:
    """The keys of a terminal while held.

    Args:
        descriptor: The terminal, not shared with anybody: it is set not to wait.
        pressed: Called with each key of `KNOWN`, in the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int, pressed: Callable[[str], None]) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._pressed = pressed
        self._before: list[int | list[bytes | int]] | None = None

    @property
    def held(self) -> bool:
        """Whether a key would be heeded."""
        return self._before is not None

    def hold(self) -> None:
        """Heed keys from now on, if we are in the foreground.

        To be called again and again: a shell that has stopped us otherwise than by Ctrl-Z (SIGSTOP) has given the
        terminal its own ways meanwhile.
        """
        if not foreground(self._descriptor):
            return
        try:
            before = termios.tcgetattr(self._descriptor)
            if before[3] & (termios.ICANON | termios.ECHO):
                changed = [*before[:3], before[3] & ~(termios.ICANON | termios.ECHO), *before[4:]]
                termios.tcsetattr(self._descriptor, termios.TCSANOW, changed)
        except termios.error:
            return
        if not self.held:
            self._before = before
            atexit.register(self._restore)
            self._loop.add_reader(self._descriptor, self._read)

    def release(self) -> None:
        """Heed keys no longer, and give the terminal its ways back. Idempotent."""
        if self.held:
            self._loop.remove_reader(self._descriptor)
            self._restore()

    def _restore(self) -> None:
        atexit.unregister(self._restore)
        before, self._before = self._before, None
        if before is not None and foreground(self._descriptor):  # else it has those of another job already
            with suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, before)

    def _read(self) -> None:
        if not foreground(self._descriptor):
            self.release()  # the shell's, and as long as it does not read them we would be called again and again
            return
        try:
            data = os.read(self._descriptor, _MOST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.release()  # the terminal is gone
            return
        text = data.decode("ascii", "replace")
        text = _SEQUENCE.sub("", text)
        if KNOWN.issuperset(text):  # else something was pasted, of which no letter is meant
            for key in text:
                self._pressed(key.lower())


class Suspension:
    """Ctrl-Z, while listened to: what stands on the terminal is taken away before the process stops.

    Args:
        leave: Called before, in the loop.
        come_back: Called after, in the loop: in the foreground (`fg`) or not (`bg`).
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, leave: Callable[[], None], come_back: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._leave = leave
        self._come_back = come_back
        self._listens = False

    def listen(self) -> None:
        """From now on; not where somebody has it ignored, as shells without job control do."""
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            self._loop.add_signal_handler(signal.SIGTSTP, self._suspend)
            self._listens = True

    def close(self) -> None:
        """No longer. Idempotent."""
        if self._listens:
            self._loop.remove_signal_handler(signal.SIGTSTP)
            self._listens = False

    def _suspend(self) -> None:
        self._leave()
        self.close()
        signal.raise_signal(signal.SIGTSTP)  # of this thread, so that it stops here
        self.listen()
        self._come_back()
