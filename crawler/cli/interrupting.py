"""How does a command tidy up before a signal ends it? As after Ctrl-C, whichever signal it is."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP interrupt what is done meanwhile as Ctrl-C does, where they would end the process."""
    fatal = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in fatal:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in fatal:
            signal.signal(number, signal.SIG_DFL)
