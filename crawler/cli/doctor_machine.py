"""Will this machine carry a crawl: open files, memory, processors, disks, its clock and its terminal?"""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from crawler.cli.finding import Finding
from crawler.config import CrawlConfig
from crawler.gate import DESCRIPTORS_A_REQUEST, DESCRIPTORS_BESIDE
from crawler.wording import counted, size

if TYPE_CHECKING:
    from collections.abc import Iterator

_NETWORK: Final = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "sshfs",
    "afs",
    "ceph",
    "gluster",
    "lustre",
    "fuse.s3",
    "fuse.gcs",
    "davfs",
)
_SLOW_FSYNC_S: Final = 0.1
_LITTLE_BYTES: Final = 1 << 30
_BUILT: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_CGROUP: Final = Path("/sys/fs/cgroup")


def findings(directory: Path) -> Iterator[Finding]:
    """What there is to say; `directory` is where crawls are to go."""
    yield _open_files()
    yield _processors()
    yield _memory()
    yield _disk("temporary", Path(tempfile.gettempdir()), is_data=False)
    yield _disk("data", directory, is_data=True)
    yield _clock()
    yield _terminal()


def _open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CrawlConfig().limits.concurrency
    beside = DESCRIPTORS_BESIDE + _cores()
    if hard == resource.RLIM_INFINITY:
        return Finding("ok", "open files", f"{_limit(soft)} now, as many as are needed if need be")
    most = (hard - beside) // DESCRIPTORS_A_REQUEST
    found = f"{_limit(soft)} now and {hard:,} if need be, for {max(0, most):,} requests at once"
    if most < 1:
        return Finding("failed", "open files", found, "raise `ulimit -Hn`; a crawl takes 100 and more")
    if most < wanted:
        return Finding("warning", "open files", found, f"raise `ulimit -Hn`, as limits.concurrency is {wanted}")
    return Finding("ok", "open files", found)


def _limit(value: int) -> str:
    return "any number" if value == resource.RLIM_INFINITY else f"{value:,}"


def _processors() -> Finding:
    cores = _cores()
    share = _cpu_share()
    found = f"{counted(cores, 'core')}, as many parsers"
    if share is not None and share < cores * 0.9:
        do = f"set parse.workers to {max(1, round(share))}: more parsers than that get in each other's way"
        return Finding("warning", "processors", f"{found}, but the container gets the time of {share:.1f}", do)
    return Finding("ok", "processors", found)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _cpu_share() -> float | None:
    """How many cores' time the control group gets (cgroup v2); None if any."""
    quota, _, period = _read(_CGROUP / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    limit = _read(_CGROUP / "memory.max")
    most = min(memory.total, int(limit)) if limit.isdecimal() else memory.total
    free = min(memory.available, most)
    whose = "of the container" if most < memory.total else "of the machine"
    found = f"{size(free)} free of {size(most)} {whose}"
    if free < _LITTLE_BYTES:
        do = "lower limits.memory and parse.memory, or free some: a crawl is at ease with 1 GiB"
        return Finding("warning", "memory", found, do)
    return Finding("ok", "memory", found)


def _disk(check: str, path: Path, *, is_data: bool) -> Finding:
    """Whether files can be written below `path`, which need not be there, how fast they are safe, and on what."""
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    kind = file_system(there)
    try:
        with tempfile.TemporaryDirectory(prefix=".crawler-doctor-", dir=there) as folder:
            took_s = _fsync_s(Path(folder))
            if is_data:
                _store(Path(folder))
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or str(error)
        do = "name a folder that can be written (-d DIR)" if is_data else "set TMPDIR to a folder that can be written"
        return Finding("failed", check, f"{there}: {why}", do)
    free = shutil.disk_usage(there).free
    found = f"{path}: {size(free)} free, {kind or 'unknown file system'}, a write is safe after {1000 * took_s:.1f} ms"
    if is_data and kind is not None and any(name in kind for name in _NETWORK):
        return Finding(
            "warning", check, found, "crawl to a local disk (-d DIR), and copy: SQLite needs locks that work"
        )
    if free < _LITTLE_BYTES:
        return Finding("warning", check, found, "make room: a crawl that fills the disk stops, though it loses nothing")
    if is_data and took_s > _SLOW_FSYNC_S:
        return Finding("warning", check, found, "use a faster disk, or checkpoint: {every: 10s}")
    return Finding("ok", check, found)


def file_system(path: Path, mounts: str | None = None) -> str | None:
    """What `path` is stored on: ``ext4``, ``nfs4``; None where the system does not say.

    Args:
        path: Absolute.
        mounts: As /proc/self/mounts has them, by default those of this process.
    """
    found: tuple[str, str | None] = ("", None)
    for line in (_read(Path("/proc/self/mounts")) if mounts is None else mounts).splitlines():
        _, point, kind, *_ = (*line.split(" "), "", "", "")
        point = point.replace("\\040", " ")
        if path.is_relative_to(point or "-") and len(point) >= len(found[0]):
            found = (point, kind)
    return found[1]


def _fsync_s(folder: Path) -> float:
    """How long it takes until a small write is on the disk: the middle of three."""
    took = []
    with (folder / "written").open("wb") as file:
        for _ in range(3):
            file.write(b"x" * 4096)
            file.flush()
            start = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - start)
    return sorted(took)[1]


def _store(folder: Path) -> None:
    """Do in a file what a crawl's store does.

    Raises:
        sqlite3.Error: It cannot be done there.
    """
    store = sqlite3.connect(folder / "store.db", isolation_level=None)
    try:
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("BEGIN IMMEDIATE")
        store.execute("CREATE TABLE t (a)")
        store.execute("COMMIT")
    finally:
        store.close()


def _clock() -> Finding:
    now = datetime.now(UTC)
    found = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now.timestamp() < _BUILT:
        do = "set the clock (NTP): certificates seem not yet valid, and records get wrong times"
        return Finding("failed", "clock", f"{found}, which is before this program was written", do)
    return Finding("ok", "clock", found)


def _terminal() -> Finding:
    encoding = (getattr(sys.stdout, "encoding", None) or "none").lower()
    kind = f"a terminal, TERM={os.environ.get('TERM', '')}" if _is_terminal() else "no terminal"
    colour = ", NO_COLOR" if os.environ.get("NO_COLOR") else ""
    found = f"{kind}, {encoding}{colour}"
    if encoding.replace("-", "") != "utf8":
        do = "set LANG to a UTF-8 locale, such as C.UTF-8: other letters are shown escaped (files are UTF-8 anyway)"
        return Finding("warning", "terminal", found, do)
    return Finding("ok", "terminal", found)


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
