"""How much does a running command take of the machine? Sampled from /proc by a thread; Linux only."""

from __future__ import annotations

import os
import threading
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Samples a process and all that descend from it while entered.

    Args:
        pid: Of the process.
        every_s: Pause between samples.
    """

    def __init__(self, pid: int, every_s: float = 0.1) -> None:
        self._pid = pid
        self._every_s = every_s
        self._over = threading.Event()
        #: the most at one time: resident bytes of all, shared pages counted for each
        self.peak_bytes = 0
        #: open file descriptors of the process itself, sample by sample
        self.descriptors: list[int] = []

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                self.descriptors.append(len(list(Path(f"/proc/{self._pid}/fd").iterdir())))
            except OSError:
                return
            self.peak_bytes = max(self.peak_bytes, sum(map(_resident_bytes, _family(self._pid))))


def _family(pid: int) -> list[int]:
    """`pid`, its children, theirs, and so on."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
