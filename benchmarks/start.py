"""How long do the beginning and the end of a crawl take, and how much memory does it need in between?

    python -m benchmarks.start [--rounds 15]

One page and documentation, crawled with the defaults at delay 0 from nginx on loopback. Times are taken from outside:
from the server's log, the crawl's log and the age of its files. The package's bytecode is compiled first, as it is
where the package is installed. Memory is sampled in a crawl of its own, as looking at it takes time.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.crawl import ours
from benchmarks.processes import compile_package, run, tree
from benchmarks.workloads import Workload, documentation
from tests.support.nginx import Nginx

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[1]
PAGE = "<!doctype html><title>One page</title><h1>One page</h1>"
SAMPLE_EVERY_S = 0.05

START = "process start to first request"
START_PHASES = {
    "interpreter, command, configuration": ("start", "claimed"),
    "store, HTTP client, files": ("claimed", "begins"),
    "seed list, connection": ("begins", "first request"),
    START: ("start", "first request"),
}
END = "last answer to process end"
END_PHASES = {
    "parsing what is left, last checkpoint": ("last answer", "ends"),
    "account, closing": ("ends", "end"),
    END: ("last answer", "end"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    compile_package()
    with tempfile.TemporaryDirectory() as name:
        site = Path(name)
        (site / "index.html").write_text(PAGE)
        for workload in (Workload("one page", site, "/index.html"), documentation()):
            moments = [timed(workload) for _ in range(rounds)]
            print(f"\n{workload.name}: milliseconds, median of {rounds} (min - max)")
            for phases in (START_PHASES, END_PHASES):
                tell(phases, moments)
    rss, pss = peaks(documentation())
    print(f"\ndocumentation: peak of the process tree: {rss / 2**20:.0f} MiB RSS, {pss / 2**20:.0f} MiB PSS")


def tell(phases: dict[str, tuple[str, str]], crawls: list[dict[str, float]]) -> None:
    """Print how long each phase took."""
    for name, (begin, end) in phases.items():
        spans = [(moments[end] - moments[begin]) * 1000 for moments in crawls]
        print(f"  {name:38}{median(spans):7.0f}   ({min(spans):.0f} - {max(spans):.0f})")


def timed(workload: Workload) -> dict[str, float]:
    """One crawl: the wall time of each of its moments, in seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Nginx(workload.root, folder / "nginx") as server:
            usage = run(ours(server.base + workload.start, folder)[0], cwd=PROJECT)
            hits = server.hits()
        crawl = folder / "crawl"
        return {
            "start": usage.began_at,
            "claimed": (crawl / "crawl.lock").stat().st_mtime,  # made then, and never written
            **dict(logged(crawl / "crawl.log")),
            "first request": min(hit.started_at for hit in hits),
            "last answer": max(hit.ended_at for hit in hits),
            "end": usage.ended_at,
        }


def logged(log: Path) -> Iterator[tuple[str, float]]:
    """When the crawl began and ended, by its own log."""
    for line in log.read_text().splitlines():
        for moment in ("begins", "ends"):
            if f"crawl {moment}" in line:
                yield moment, datetime.fromisoformat(line.partition(" ")[0]).timestamp()


def peaks(workload: Workload) -> tuple[int, int]:
    """The largest sums of bytes over a crawl's processes: of what each has resident, and of its share of that."""
    with tempfile.TemporaryDirectory() as name, Nginx(workload.root, Path(name) / "nginx") as server:
        command = [str(part) for part in ours(server.base + workload.start, Path(name))[0]]
        with subprocess.Popen(command, cwd=PROJECT) as process:
            rss = pss = 0
            pause = threading.Event()
            while process.poll() is None:
                held = [resident(pid) for pid in tree(process.pid)]
                rss = max(rss, sum(one[0] for one in held))
                pss = max(pss, sum(one[1] for one in held))
                pause.wait(SAMPLE_EVERY_S)
    return rss, pss


def resident(pid: int) -> tuple[int, int]:
    """RSS and PSS of a process in bytes; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    kib = {key: int(value.split()[0]) for key, value in (line.split(":", 1) for line in lines)}
    return kib["Rss"] * 1024, kib["Pss"] * 1024


if __name__ == "__main__":
    main()
