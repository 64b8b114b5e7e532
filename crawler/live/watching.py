"""How is a crawl watched without costing it anything? Look, draw, heed keys, wait; four times a second.

What takes long is done less often: each kind of look knows how much of the processor's time it took, and waits for so
many times as long. So all of it stays under a hundredth of a core, however many hosts there are.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment

from crawler.eta import Eta
from crawler.live.hosts import MOST
from crawler.live.keys import Keys, Suspension, foreground
from crawler.live.look import Failures, Look
from crawler.live.screen import Screen, own_descriptor
from crawler.live.view import view
from crawler.sparing import Sparing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.text import Text

    from crawler.clock import Clock
    from crawler.config import BudgetConfig
    from crawler.control import Control
    from crawler.stats import Snapshot
    from crawler.views import HostViews, MachineView

INTERVAL_S = 0.25
_MACHINE_S = 2.0
_VIEWS, _HOSTS, _MACHINE = 170, 600, 1000
"""How many times as long as a look took there is none of its kind: together they take 0.86 % of a core at the most."""

_NOTICE_S = 3.0
_STEPS = 10  # of what is allowed now, one of so many is a step up or down


class Watched(Protocol):
    """A crawl that runs, as it is needed here: see `crawler.running.Running`."""

    control: Control

    @property
    def stopping(self) -> bool:
        """Whether a stop still waits for requests in flight."""

    def snapshot(self) -> Snapshot:
        """The counts as they stand."""

    def hosts(self, limit: int) -> HostViews:
        """The hosts worth a look."""

    def machine(self) -> MachineView:
        """What the crawl takes of its machine."""


class Watching:
    """The live view of one crawl.

    Args:
        running: The crawl.
        stream: The terminal it stands on; not closed here.
        clock: Tells the time.
        budget: Where the crawl is to stop.
        quit_: Called for the key `q`.
        keys: Whether keys may be heeded: standard input is that terminal, and nothing else is read from it.
    """

    def __init__(
        self,
        running: Watched,
        stream: TextIO,
        clock: Clock,
        *,
        budget: BudgetConfig,
        quit_: Callable[[], None],
        keys: bool,
    ) -> None:
        self._running = running
        self._stream = stream
        self._clock = clock
        self._budget = budget
        self._quit = quit_
        self._wants_keys = keys
        self._console = Console(file=stream)
        self._eta = Eta(budget)
        self._failures = Failures()
        self._hosts = Sparing(lambda: running.hosts(MOST), clock, INTERVAL_S, _HOSTS)
        self._machine = Sparing(running.machine, clock, _MACHINE_S, _MACHINE)
        self._screen: Screen | None = None
        self._keys: Keys | None = None
        self._wake = asyncio.Event()
        self._notice = ("", 0.0)  # and until when
        self._helps = False

    async def run(self) -> None:
        """Show the crawl until cancelled. What stands on the terminal is taken away at the end.

        Raises:
            OSError: The terminal is gone.
        """
        with self._terminal():
            while True:
                began_s = self._spent_s()
                self._show()
                pause_s = max(INTERVAL_S, _VIEWS * (self._spent_s() - began_s))
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()

    def _spent_s(self) -> float:
        """The processor's time up to now, but for that of looks with an account of their own."""
        return time.thread_time() - self._hosts.spent_s - self._machine.spent_s

    def give_way(self, text: str) -> None:
        """Somebody is about to write `text` to the terminal."""
        if self._screen is not None:
            self._screen.give_way(text)

    @contextmanager
    def _terminal(self) -> Iterator[None]:
        """Have a screen and keys meanwhile."""
        loop = asyncio.get_running_loop()
        with ExitStack() as stack:
            descriptor = own_descriptor(self._stream)
            if descriptor is not None:
                stack.callback(os.close, descriptor)
            self._screen = Screen(self._stream, descriptor)
            stack.callback(self._screen.close)
            if descriptor is not None and self._wants_keys:
                self._keys = Keys(loop, descriptor, self._pressed)
                stack.callback(self._keys.release)
            suspension = Suspension(loop, self._leave, self._wake.set)
            suspension.listen()
            stack.callback(suspension.close)
            loop.add_signal_handler(signal.SIGWINCH, self._wake.set)
            stack.callback(loop.remove_signal_handler, signal.SIGWINCH)
            yield

    def _leave(self) -> None:
        """Before the process is stopped."""
        if self._screen is not None:
            self._screen.wipe()
        if self._keys is not None:
            self._keys.release()

    def _show(self) -> None:
        if self._screen is None:
            return
        if foreground(self._stream.fileno()) is False:
            return  # a job in the background leaves the terminal to others
        if self._keys is not None:
            self._keys.hold()
        columns, rows = self._screen.size()
        lines = view(self._look(), columns, rows, ascii_only=not self._console.encoding.startswith("utf"))
        self._screen.draw(painted(self._console, lines))

    def _look(self) -> Look:
        snapshot, now = self._running.snapshot(), self._clock.monotonic()
        notice, until = self._notice
        return Look(
            snapshot=snapshot,
            budget=self._budget,
            left=self._eta.after(snapshot),
            hosts=self._hosts(),
            hosts_age_s=now - self._hosts.at,
            wall=self._clock.wall(),
            machine=self._machine(),
            failures=self._failures.after(snapshot),
            stopping=self._running.stopping,
            notice=notice if now < until else "",
            keys=self._keys is not None and self._keys.held,
            helps=self._helps,
            most=self._running.control.most,
        )

    def _pressed(self, key: str) -> None:
        control = self._running.control
        if key == "p":
            control.pause()
        elif key == "r":
            control.unpause()
        elif key in "+=":
            self._allow(control.concurrency + max(1, control.concurrency // _STEPS))
        elif key in "-_":
            self._allow(control.concurrency - max(1, control.concurrency // _STEPS))
        elif key == "q":
            self._quit()
        else:
            self._helps = not self._helps
        self._wake.set()

    def _allow(self, wanted: int) -> None:
        """Have so many requests in flight, and say what came of it."""
        allowed = self._running.control.set_concurrency(wanted)
        why = "" if allowed == wanted else ", as many as this crawl can have" if allowed < wanted else ", no fewer"
        self._notice = (f"At most {allowed:,} in flight{why}.", self._clock.monotonic() + _NOTICE_S)


def painted(console: Console, lines: Sequence[Text]) -> list[str]:
    """`lines` with the colours that the terminal has, none where `NO_COLOR` is set."""
    system = COLOR_SYSTEMS.get(console.color_system or "")
    return ["".join(_codes(console, line, system)) for line in lines]


def _codes(console: Console, line: Text, system: Any) -> Iterator[str]:  # noqa: ANN401  (rich's ColorSystem or None)
    segments = line.render(console)
    for segment in Segment.remove_color(segments) if console.no_color else segments:
        yield segment.style.render(segment.text, color_system=system) if segment.style else segment.text
