"""The crawler's command, dying or failing at a chosen step: ``python -m tests.support.failpoint STEP N HOW crawl …``.

Nothing in the crawler knows of it: the steps are wrapped from here, after import. At the Nth time that STEP is reached

    kill    the process kills itself
    unplug  so it does, and of its files nothing is left but what was brought to the disk (SQLite's own are let be); of
            a refresh, the files of the generation that is being made
    fail    the step fails as it does on a full disk, then and from then on

For ``size``, N is the largest size of a file the process may write, as a limit of the system.
"""

from __future__ import annotations

import errno
import itertools
import os
import resource
import shutil
import signal
import stat
import sys
from contextlib import contextmanager
from pathlib import Path

from aiofiles.threadpool.binary import AsyncFileIO

from crawler.cli import main
from crawler.export.jsonl import JsonlSink
from crawler.frontier.sqlite import SqliteFrontier
from crawler.frontier.sqlite_writer import Writer

STEPS = {
    "append": "before a batch is written to an output file",
    "half": "when half of a batch is written",
    "written": "after a batch is written",
    "fsync": "after a file or folder is brought to the disk; failing, instead of that",
    "begin": "before a transaction of the store; failing, the store may not grow in it",
    "middle": "when all of a transaction is done but its COMMIT",
    "commit": "after COMMIT, before the event loop hears of it",
    "heard": "when the event loop has heard of a commit",
    "cut": "before and after an output file is cut to a length",
    "file": "before a file in the crawl's directory is opened, renamed, removed or made",
}
"""Where it may die, in the order of a checkpoint."""

_FILE_EVENTS = {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir", "sqlite3.connect"}


class Failpoint:
    """Counts arrivals at the one step that matters."""

    def __init__(self, step: str, number: int, how: str, directory: Path) -> None:
        self.step = step
        self.fails = how == "fail"
        self._number = number
        self._unplugs = how == "unplug"
        self._directory = directory
        self._names: dict[int, set[str]] = {}  # inode of a folder -> those in it when it was last synced
        self._on_disk: dict[int, int] = {}  # inode -> length when it was last synced
        self._arrivals = itertools.count(1)  # `next` is atomic: steps are reached in several threads

    def reached(self, step: str) -> bool:
        """Whether to fail now. Does not return from where it is to die."""
        if step != self.step or next(self._arrivals) < self._number:
            return False
        if not self.fails:
            if self._unplugs and self._directory.exists():
                self._unplug(self._directory)
            os.kill(os.getpid(), signal.SIGKILL)
        return True

    def synced(self, descriptor: int) -> None:
        """A file, or a folder and with it the names in it, is on the disk."""
        found = os.fstat(descriptor)
        self._on_disk[found.st_ino] = found.st_size
        if stat.S_ISDIR(found.st_mode):
            self._names[found.st_ino] = set(os.listdir(descriptor))

    def _unplug(self, folder: Path) -> None:
        names = self._names.get(folder.stat().st_ino, set())
        for path in folder.iterdir():
            if path.name.startswith(("crawl.db", "payloads.db", "refresh.db")) or path.name == "crawl.lock":
                continue
            found = path.stat()
            linked = found.st_size if found.st_nlink > 1 and not path.is_dir() else None  # and on the disk elsewhere
            length = self._on_disk.get(found.st_ino, linked)
            if path.is_dir():
                self._unplug(path) if path.name in names else shutil.rmtree(path)
            elif length is None or path.name not in names:
                path.unlink()
            else:
                os.truncate(path, min(length, path.stat().st_size))


def install(point: Failpoint, directory: str) -> None:
    """Wrap all steps."""
    _wrap_sinks(point)
    _wrap_store(point)
    fsync = os.fsync

    def fsync_or_fail(descriptor: int) -> None:
        if point.fails:
            if point.reached("fsync"):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            fsync(descriptor)
        else:
            fsync(descriptor)
            point.synced(descriptor)
            point.reached("fsync")

    os.fsync = fsync_or_fail

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event in _FILE_EVENTS and str(arguments[0]).startswith(directory):
            point.reached("file")

    if point.step == "file":
        sys.addaudithook(heard)


def _wrap_sinks(point: Failpoint) -> None:
    append, write, truncate = JsonlSink.append, AsyncFileIO.write, AsyncFileIO.truncate

    async def append_or_die(self, lines):
        point.reached("append")
        await append(self, lines)
        point.reached("written")

    async def write_or_fail(self, data):
        if point.step == "half":
            half = bytes(data[: len(data) // 2])
            written = await write(self, half)
            if point.reached("half"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return written + await write(self, data[len(half) :])
        return await write(self, data)

    async def cut_or_die(self, size):
        point.reached("cut")
        await truncate(self, size)
        point.reached("cut")

    JsonlSink.append, AsyncFileIO.write, AsyncFileIO.truncate = append_or_die, write_or_fail, cut_or_die


def _wrap_store(point: Failpoint) -> None:
    transaction, commit, heard = Writer._transaction, Writer.commit, SqliteFrontier.commit

    @contextmanager
    def transaction_or_die(self):
        if point.reached("begin"):
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
            self._connection.execute(f"PRAGMA max_page_count = {pages}")
        with transaction(self):
            yield
            point.reached("middle")

    def commit_or_die(self, *arguments, **named):
        commit(self, *arguments, **named)
        point.reached("commit")

    async def heard_or_die(self, checkpoint):
        await heard(self, checkpoint)
        point.reached("heard")

    Writer._transaction, Writer.commit, SqliteFrontier.commit = transaction_or_die, commit_or_die, heard_or_die


def program(step: str, number: int, how: str = "kill") -> tuple[str, ...]:
    """What to run instead of ``python -m crawler``."""
    return (sys.executable, "-m", "tests.support.failpoint", step, str(number), how)


def _run(step: str, number: int, how: str, arguments: list[str]) -> None:
    if step == "size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    else:
        assert step in STEPS, f"no such step: {step}"
        directory = arguments[arguments.index("-d") + 1]
        unplugged = Path(f"{directory}@2" if "--refresh" in arguments else directory)
        install(Failpoint(step, number, how, unplugged), directory)
    main(arguments)


if __name__ == "__main__":
    _run(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:])
