"""What does a crawl take of its machine: memory, and the time of processors?

Of this process and its children, among them the parsers. Asked of the system when somebody looks, and never by the
crawl itself: it takes a millisecond, or some where many processes run on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import psutil

from crawler.sparing import Sparing
from crawler.views import MachineView

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.clock import Clock


_APART_S = 0.9
_TIMES = 100
"""As seldom as that it is asked, in seconds and in times of what it took, however many look: shares of a shorter time
say little, as the system counts processors' time in hundredths of a second."""


class _Taken(NamedTuple):
    """What one process has taken of the machine."""

    parent: int
    memory_bytes: int
    cpu_s: float  #: since it was started


class Machine:
    """This process and its children, viewed now and then.

    Args:
        clock: Tells the time between two looks.
        server_pid: The process whose children are the parsers; None where these have none, and their share is not
            told.
    """

    def __init__(self, clock: Clock, server_pid: Callable[[], int | None] = lambda: None) -> None:
        self._clock = clock
        self._server_pid = server_pid
        self._process = psutil.Process()
        self._seen_at = 0.0
        self._before: dict[int, _Taken] | None = None
        self._spared = Sparing(self._view, clock, _APART_S, _TIMES)

    def view(self) -> MachineView:
        """What it takes now, or took a moment ago if that was seen then; the first time without shares and rates, which
        are those since it was seen before."""
        return self._spared()

    def _view(self) -> MachineView:
        now, before = self._clock.monotonic(), self._before
        taken = self._look()
        passed_s = now - self._seen_at
        self._seen_at, self._before = now, taken
        memory_bytes = sum(each.memory_bytes for each in taken.values())
        if before is None:
            return MachineView(memory_bytes=memory_bytes)
        spent = {pid: each.cpu_s - (before[pid].cpu_s if pid in before else 0.0) for pid, each in taken.items()}
        server_pid = self._server_pid()
        parsers = [spent[pid] for pid, each in taken.items() if server_pid is not None and each.parent == server_pid]
        return MachineView(
            memory_bytes=memory_bytes,
            parsers_busy=min(1.0, sum(parsers) / len(parsers) / passed_s) if parsers else None,
            cores_busy=sum(spent.values()) / passed_s,
        )

    def _look(self) -> dict[int, _Taken]:
        """All processes there are, by id; the time of one that has ended since the last look is not known."""
        taken: dict[int, _Taken] = {}
        for process in (self._process, *self._process.children(recursive=True)):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    cpu_s = times.user + times.system
                    taken[process.pid] = _Taken(process.ppid(), process.memory_info().rss, cpu_s)
            except psutil.Error:
                continue  # it has ended meanwhile
        return taken
