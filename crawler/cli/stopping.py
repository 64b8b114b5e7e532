"""When does a crawl stop that a person, a shell or a service manager wants to end?"""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.cli.out import remark, something_stands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.cli.stream import Follower
    from crawler.running import Running


class Stopper:
    """The first SIGINT, SIGTERM or SIGHUP lets what is in flight finish, the second does not wait for anything.

    One that is ignored stays so: `nohup` and a shell's background jobs rely on it. One that comes while the crawl is
    being opened stops it once it is.
    """

    def __init__(self, follower: Follower | None, *, quiet: bool) -> None:
        self._follower = follower
        self._quiet = quiet
        self._running: Running | None = None
        self._received = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Heed signals meanwhile; in the event loop."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        caught = [number for number in signals if signal.getsignal(number) is not signal.SIG_IGN]
        for number in caught:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in caught:
                loop.remove_signal_handler(number)

    def opened(self, running: Running) -> None:
        """There is something to stop now."""
        self._running = running
        if self._received:
            running.stop()

    def quit(self) -> None:
        """As the first signal does, and no more than that."""
        if not self._is_stopped:
            self._stop()

    @property
    def _is_stopped(self) -> bool:
        """Whether it was stopped before, here or from elsewhere: the dashboard may."""
        return self._received > 0 or (self._running is not None and self._running.stopping)

    def _stop(self) -> None:
        again = self._is_stopped
        self._received += 1
        if self._running is None:
            return
        if again:
            self._running.abort()
            if self._follower:
                self._follower.give_up()
            return
        self._running.stop()
        if self._quiet or something_stands():
            return
        if why := self._running.waits_for:
            remark(f"\nStopping once what was fetched can be stored: {why}. Once more: do not wait.")
        elif self._running.stopping:
            remark("\nStopping: requests in flight have 10 s to finish. Once more: do not wait.")
