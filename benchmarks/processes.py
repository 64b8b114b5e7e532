"""What does a process with its children cost? CPU, memory and wall time, read from Linux's /proc."""

from __future__ import annotations

import compileall
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import crawler

if TYPE_CHECKING:
    from collections.abc import Sequence

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SAMPLE_EVERY_S = 0.1
PSS_EVERY_SAMPLES = 3  #: the kernel walks every page for it and holds the process up meanwhile


@dataclass(frozen=True)
class Usage:
    """One finished process and all it started."""

    exit_code: int
    began_at: float  #: wall seconds
    ended_at: float
    main_cpu_s: float  #: of the process itself, which runs the event loop
    tree_cpu_s: float  #: its children included
    peak_rss_bytes: int  #: largest sum over the tree; pages shared between processes count in each
    peak_pss_bytes: int  #: likewise, where pages shared between n processes count 1/n in each
    cut_short: bool = False  #: it took longer than it was given


def compile_package() -> None:
    """Have the crawler's bytecode on disk, as its installation does: compiling takes as long as half of a start."""
    compileall.compile_dir(Path(crawler.__file__).parent, quiet=1)


def run(command: Sequence[str | Path], *, limit_s: float = 3600, **options: object) -> Usage:
    """Run a command to its end, or for `limit_s` seconds, sampling its tree."""
    began_at = time.time()
    process = subprocess.Popen([str(part) for part in command], start_new_session=True, **options)
    sampler = Sampler(process.pid)
    sampler.start()
    limit = threading.Timer(limit_s, os.killpg, (process.pid, signal.SIGKILL))
    limit.start()
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, but its accounts still readable
    except BaseException:  # Ctrl-C, which a session of its own keeps from it
        limit.cancel()
        os.killpg(process.pid, signal.SIGKILL)
        raise
    ended_at = time.time()
    cut_short = not limit.is_alive()
    limit.cancel()
    main_cpu_s = cpu_s(process.pid)
    sampler.finish()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # Children are in the rusage once waited for; those that nobody waited for, only in the samples.
    tree_cpu_s = max(used.ru_utime + used.ru_stime, main_cpu_s + sampler.children_cpu_s())
    return Usage(
        exit_code=process.returncode,
        began_at=began_at,
        ended_at=ended_at,
        main_cpu_s=main_cpu_s,
        tree_cpu_s=tree_cpu_s,
        peak_rss_bytes=sampler.peak_rss_bytes,
        peak_pss_bytes=sampler.peak_pss_bytes,
        cut_short=cut_short,
    )


class Sampler(threading.Thread):
    """Watches a tree of processes until told to stop."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.peak_rss_bytes = 0
        self.peak_pss_bytes = 0
        self._root = root
        self._cpu_s: dict[int, float] = {}
        self._stop_asked = threading.Event()

    def run(self) -> None:
        samples = 0
        while not self._stop_asked.wait(SAMPLE_EVERY_S):
            samples += 1
            members = tree(self._root)
            self.peak_rss_bytes = max(self.peak_rss_bytes, sum(rss_bytes(pid) for pid in members))
            self._cpu_s |= {pid: cpu_s(pid) for pid in members[1:]}
            if samples % PSS_EVERY_SAMPLES == 0:
                self.peak_pss_bytes = max(self.peak_pss_bytes, sum(pss_bytes(pid) for pid in members))

    def finish(self) -> None:
        self._stop_asked.set()
        self.join()

    def children_cpu_s(self) -> float:
        """CPU of every descendant, as far as last seen."""
        return sum(self._cpu_s.values())


def tree(root: int) -> list[int]:
    """A process and its descendants."""
    members = [root]
    for pid in members:  # grows while it is walked
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                members += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue  # it ended meanwhile
    return members


def cpu_s(pid: int) -> float:
    """User and system time of a process, its children left out; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def machine_cpu_s() -> float:
    """What all processes of the machine together have used, in user and system time and for interrupts."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[place]) for place in (0, 1, 2, 5, 6)) / TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """Resident memory of a process; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def pss_bytes(pid: int) -> int:
    """Resident memory of a process, its share of what it shares; 0 if it is gone, or another user's."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
