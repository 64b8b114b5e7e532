"""How long does mining take and how much memory, step by step, and what does that make for a million pages?

    python -m benchmarks.mine [--pages 50000 100000] [--words 500] [--links 50] [--jobs N]

Makes crawls with near-duplicates and a link graph planted (tests.support.mined_crawl), then runs `crawler mine` on each
in a process of its own: seconds of each step, processor seconds of all processes, the most memory that they held
together (sampled ten times a second; pages shared by several processes count for each), and the slope between the
smallest and the largest crawl, for a million pages. Targets: 10 minutes and 2 GB on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_MAKE = "from pathlib import Path; from tests.support.mined_crawl import make"
MILLION = 1_000_000


@dataclass
class Measured:
    """One run."""

    pages: int
    seconds: float
    processor_s: float
    peak_bytes: int
    disk_bytes: int
    steps: dict[str, float]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mine")
    parser.add_argument("--pages", type=int, nargs="+", default=[50_000, 100_000])
    parser.add_argument("--words", type=int, default=500, help="of the main text of each page")
    parser.add_argument("--links", type=int, default=50, help="of each page, at most")
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=len(psutil.Process().cpu_affinity()))
    asked = parser.parse_args()
    runs = []
    for pages in asked.pages:
        with tempfile.TemporaryDirectory(prefix="bench-mine-") as folder:
            crawl = Path(folder) / "crawl"
            made = f"make(Path({str(crawl)!r}), {pages}, words={asked.words}, links={asked.links}, hosts={asked.hosts})"
            subprocess.run([sys.executable, "-c", f"{_MAKE}\n{made}"], check=True)
            runs.append(measured(crawl, pages, asked.jobs))
            print(told(runs[-1], (crawl / "pages.jsonl").stat().st_size))
    if len(runs) > 1:
        print(slope(min(runs, key=lambda run: run.pages), max(runs, key=lambda run: run.pages)))


def measured(crawl: Path, pages: int, jobs: int) -> Measured:
    """Mine it."""
    started = time.monotonic()
    process = psutil.Popen([sys.executable, "-m", "crawler", "mine", str(crawl), "-q", "--jobs", str(jobs)])
    peak = disk = 0
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        peak = max(peak, held(process))
        disk = max(disk, sum(path.stat().st_size for path in crawl.glob("mine.crawl-new/**/*") if path.exists()))
        time.sleep(0.1)
    _, status, usage = ended
    seconds = time.monotonic() - started
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"crawler mine ended with {code}")
    steps = {step["name"]: step["seconds"] for step in json.loads((crawl / "mine.json").read_bytes())["steps"]}
    return Measured(pages, seconds, usage.ru_utime + usage.ru_stime, peak, disk, steps)


def held(process: psutil.Popen) -> int:
    """What a process and its children hold now."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def told(run: Measured, size: int) -> str:
    """Lines of figures."""
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in run.steps.items())
    return (
        f"{run.pages:,} pages ({size / 1e6:,.0f} MB): {run.seconds:.1f} s ({steps}), "
        f"{run.processor_s:.1f} s of processor time, {run.peak_bytes / 2**20:,.0f} MiB, "
        f"{run.disk_bytes / 1e6:,.0f} MB on disk meanwhile"
    )


def slope(small: Measured, large: Measured) -> str:
    """What a million pages take more."""
    more = MILLION / (large.pages - small.pages)
    return (
        f"a million pages: {(large.seconds - small.seconds) * more / 60:.1f} minutes, "
        f"{(large.processor_s - small.processor_s) * more / 60:.1f} minutes of processor time, "
        f"{(large.peak_bytes - small.peak_bytes) * more / 2**30:.2f} GiB more"
    )


if __name__ == "__main__":
    main()
