"""What does each thread of a crawl cost? Processor time of its loop, of what runs beside it, and of its parsers.

Read from Linux's /proc while the crawl runs, in nanoseconds where the kernel keeps them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crawl import ours
from benchmarks.processes import TICKS_PER_S, tree
from benchmarks.workloads import CACHE, Workload
from tests.support.nginx import Nginx

ROOT = Path(__file__).resolve().parents[1]
_LOOK_EVERY_S = 0.01
#: what runs a crawl's command: as it is, or under a profiler
Wrap = Callable[[list[str], Path], list[str]]


@dataclass(frozen=True)
class Spent:
    """Processor seconds of one crawl."""

    pages: int
    loop_s: float  #: of the thread that runs the event loop
    starting_s: float  #: of it, up to the first request in the server's log
    beside_s: float  #: of the other threads of its process: storage, files, name look-ups
    loading_s: float  #: of the processes that parser workers are forked from
    parsing_s: float  #: of the parser workers

    def us(self, seconds: float) -> float:
        """Microseconds a page."""
        return seconds * 1e6 / self.pages


class Watch:
    """Follows a process and all it starts until that has ended.

    Args:
        root: The process.
        alone: Give the loop a core of its own once parsers are there. To a profiler, a thread that waits for a core
            looks like one that runs, and what it waits in would count for too much.
    """

    def __init__(self, root: int, *, alone: bool = False) -> None:
        self._root = root
        self._alone = alone
        #: (process, thread) -> seconds, as last seen
        self.seconds: dict[tuple[int, int], float] = {}
        #: process -> those it has started
        self.children: dict[int, set[int]] = {}
        #: wall time -> seconds of all threads so far that were the first of their process
        self.course: list[tuple[float, dict[int, float]]] = []

    def look(self) -> None:
        """Note what all have used until now."""
        for pid in tree(self._root):
            for thread in _threads(pid):
                seconds = _cpu_s(pid, thread)
                if seconds is not None:
                    self.seconds[pid, thread] = seconds
            self.children[pid] = self.children.get(pid, set()) | set(tree(pid)[1:])
        self.course.append((time.time(), {pid: s for (pid, thread), s in self.seconds.items() if pid == thread}))
        if self._alone:
            self._part()

    def _part(self) -> None:
        """The loop's thread on the first core, everything else on the others."""
        first, *others = sorted(os.sched_getaffinity(0))
        main = min(self.children[self._root], default=self._root)
        if others and len(self.children.get(main, ())) > 1:
            for pid, thread in self.seconds:
                with contextlib.suppress(OSError):  # it ended meanwhile
                    os.sched_setaffinity(thread, {first} if pid == thread == main else others)

    def main(self, wrapped: bool) -> int:
        """The process that crawls: the first one, or the first that this one started."""
        return min(self.children[self._root]) if wrapped else self._root

    def spent(self, pages: int, main: int, first_request_at: float) -> Spent:
        """Put together by what runs on each."""
        loop_s = self.seconds[main, main]
        beside_s = sum(s for (pid, thread), s in self.seconds.items() if pid == main and thread != main)
        parsers = self.children.get(main, set())
        parents = {pid for pid in parsers if self.children.get(pid)}
        loading_s = sum(s for (pid, _), s in self.seconds.items() if pid in parents)
        parsing_s = sum(s for (pid, _), s in self.seconds.items() if pid in parsers - parents)
        before = [seconds.get(main, 0.0) for at, seconds in self.course if at <= first_request_at]
        return Spent(pages, loop_s, before[-1] if before else 0.0, beside_s, loading_s, parsing_s)


def crawl_watched(workload: Workload, settings: Iterable[str], wrap: Wrap | None = None) -> tuple[Spent, Watch, int]:
    """One crawl of `workload` from a server of its own, with these ``--set`` settings.

    Returns:
        What was spent, by whom in detail, and the process that crawled.
    """
    (CACHE / "bench").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=CACHE / "bench"))
    try:
        with Nginx(workload.root, folder / "nginx") as server:
            parts, records = ours(server.base + workload.start, folder, *settings)
            command = [str(part) for part in parts]
            watch = _run(wrap(command, folder), alone=True) if wrap else _run(command)
            first_request_at = min(hit.started_at for hit in server.hits())
        pages = len({json.loads(line)["url"] for line in records.read_bytes().splitlines()})
        main = watch.main(wrap is not None)
        return watch.spent(pages, main, first_request_at), watch, main
    finally:
        shutil.rmtree(folder)


def _run(command: Sequence[str], *, alone: bool = False) -> Watch:
    """Run it to its end; `alone` as in `Watch`."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watch = Watch(process.pid, alone=alone)
    watch.look()
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        watch.look()
        time.sleep(_LOOK_EVERY_S)
    watch.look()  # it has ended, but its accounts can still be read
    said, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"the crawl ended with {process.returncode}:\n{said[-2000:]}")
    return watch


def _threads(pid: int) -> list[int]:
    try:
        return [int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []  # it ended meanwhile


def _cpu_s(pid: int, thread: int) -> float | None:
    """Processor seconds of one thread; None if it is gone."""
    folder = Path(f"/proc/{pid}/task/{thread}")
    try:
        if (exact := int((folder / "schedstat").read_text().split()[0])) > 0:
            return exact / 1e9
    except (OSError, IndexError):
        pass  # a kernel that does not keep them
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
