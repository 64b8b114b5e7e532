"""What does a crawl take of its machine: memory, and the time of processors?

Of this process and its children, among them the parsers. Asked of the system when somebody looks, which takes a
millisecond, and never by the crawl itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from crawler.views import MachineView

if TYPE_CHECKING:
    from crawler.clock import Clock


class Machine:
    """This process and its children, viewed now and then.

    Args:
        clock: Tells the time between two views.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._process = psutil.Process()
        self._seen_at = clock.monotonic()
        self._used_s: dict[int, float] = {}

    def view(self) -> MachineView:
        """What it takes now; shares and rates are those since the last view."""
        now, parents = self._clock.monotonic(), {self._process.pid}
        used: dict[int, float] = {}
        memory = 0
        for process in (self._process, *self._process.children(recursive=True)):
            try:
                with process.oneshot():
                    times, memory = process.cpu_times(), memory + process.memory_info().rss
            except psutil.Error:
                continue  # it has ended meanwhile
            used[process.pid] = times.user + times.system
        passed_s = max(now - self._seen_at, 1e-6)
        spent = {pid: max(seconds - self._used_s.get(pid, seconds), 0.0) for pid, seconds in used.items()}
        workers = [seconds / passed_s for pid, seconds in spent.items() if pid not in parents]
        self._seen_at, self._used_s = now, used
        return MachineView(
            memory_bytes=memory,
            parsers_busy=min(1.0, sum(workers) / len(workers)) if workers else None,
            cores_busy=sum(spent.values()) / passed_s,
        )
