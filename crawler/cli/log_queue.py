"""How is a log written without anybody waiting for it?

By a thread of its own: neither a slow disk nor a terminal that has stopped holds up the event loop. As logging's
QueueHandler and QueueListener do it, but with a bound: what is more than may wait is left out, and that is told.
"""

from __future__ import annotations

import logging
from queue import Full, Queue
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_WAITING = 10_000
"""Events that may wait to be written: some 10 MB."""

PATIENCE_S = 5.0
"""For so long the end of a crawl waits for the last lines, if they cannot be written."""


class LogQueue(logging.Handler):
    """Hands events to other handlers in a thread, in their order.

    Args:
        handlers: Where they go; closed with this.
        most: How many may wait.
    """

    def __init__(self, handlers: Sequence[logging.Handler], most: int = MOST_WAITING) -> None:
        super().__init__()
        self._handlers = handlers
        self._queue: Queue[logging.LogRecord | None] = Queue(most)
        self._left_out = 0
        self._thread: Thread | None = None

    def start(self) -> None:
        """Have them written beside all else. Where no thread can be had, each is written before anything goes on."""
        thread = Thread(target=self._run, name="log", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return
        self._thread = thread

    def emit(self, record: logging.LogRecord) -> None:
        """Take an event in, or leave it out if too many wait."""
        if self._thread is None:
            self._pass_on(record)
            return
        try:
            self._queue.put_nowait(record)
        except Full:
            self._left_out += 1

    def close(self) -> None:
        """Have all written that waits, and close the handlers, unless they take too long."""
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                self._queue.put(None, timeout=PATIENCE_S)
                thread.join(PATIENCE_S)
            except Full:
                pass
        if thread is None or not thread.is_alive():
            for handler in self._handlers:
                handler.close()
        super().close()

    def _run(self) -> None:
        while (record := self._queue.get()) is not None:
            self._pass_on(record)
            if self._left_out:
                self._tell_left_out()
        if self._left_out:
            self._tell_left_out()

    def _tell_left_out(self) -> None:
        self.acquire()
        count, self._left_out = self._left_out, 0
        self.release()
        told = {"why": f"{count:,} events: they came faster than they could be written"}
        record = logging.getLogger(__name__).makeRecord(
            __name__, logging.WARNING, __file__, 0, "left out of the log", (), None, extra=told
        )
        self._pass_on(record)

    def _pass_on(self, record: logging.LogRecord) -> None:
        for handler in self._handlers:
            if record.levelno >= handler.level:
                handler.handle(record)
