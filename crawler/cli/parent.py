"""How does one of ``--processes N`` learn that the process that started it is gone, however that ended?

By a pipe of which only that one has the end that is written to: it is closed when that ends, even by SIGKILL. Workers
end then as if told to by SIGTERM, since nobody is left who would pass on a Ctrl-C, or tell how it goes.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = "CRAWLER_PARENT_FD"


class Lifeline:
    """For who starts processes: each is given `fd`, and `environ`. Close it once all have ended."""

    def __init__(self) -> None:
        self.fd, self._end = os.pipe()

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """`environ` of a process that is to end with this one."""
        return {**environ, _VARIABLE: str(self.fd)}

    def close(self) -> None:
        """Let go."""
        os.close(self.fd)
        os.close(self._end)


def end_with_parent() -> None:
    """Have this process told to end once the one that started it is gone; not where that gave no `Lifeline`."""
    if (told := os.environ.pop(_VARIABLE, "")).isdecimal():
        threading.Thread(target=_wait, args=(int(told),), name="parent", daemon=True).start()


def _wait(fd: int) -> None:
    with suppress(OSError):
        while os.read(fd, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
