"""Threads, processes or asyncio? Whole crawls, of cheap and dear pages, from fast and slow servers.

    python -m benchmarks.backends [--rounds 1] [--write]

Compares the crawler's three parser backends, `process`, `thread` and `inline`, with crawlers written by hand, which
have requests in threads, requests in processes, and aiohttp on one loop (`benchmarks.backend_scripts`): pages a second
from the first request the server saw to the end of the process, CPU a page, peak memory of all its processes. Cheap
pages are of 1.9 KB with a lean record, dear ones documentation with the full record, main text included; the server
answers at once, after 50 ms or after 200 ms. All have 32 requests under way; a pool of processes has twice as many
processes as there are cores where the server is fast, and 32 where it is slow. requests is installed into
.cache/bench/backends once. With --write the figures are put into docs/backends.md, and drawn in docs/backends.svg.
Linux only; three minutes a round on two cores that have nothing else to do, without which the figures tell little.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.backend_server import Server
from benchmarks.bars import Panel, bars
from benchmarks.crawl import ours
from benchmarks.lean import LEAN_SETTINGS
from benchmarks.processes import machine_cpu_s, run
from benchmarks.workloads import CACHE, Workload, documentation, generated

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = CACHE / "bench/backends"
DOCUMENT, PICTURE = ROOT / "docs/backends.md", ROOT / "docs/backends.svg"
LOOK_S = 2.0
BUSY = "The machine had other work to do meanwhile: CPU and memory hold, pages a second do not. Measure again."
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->"
AT_ONCE = 32
PAUSES_S = (0.0, 0.05, 0.2)
OURS = ("process", "thread", "inline")
WAYS = {
    "process": "crawler, backend process",
    "thread": "crawler, backend thread",
    "inline": "crawler, backend inline",
    "asyncio": "asyncio with aiohttp",
    "threads": "threads with requests",
    "processes": "processes with requests",
}


@dataclass(frozen=True)
class Pages:
    """A kind of page, and how many of them are crawled from each server."""

    name: str
    workload: Callable[[], Workload]
    record: str
    counts: tuple[int, ...]  #: beside `PAUSES_S`


KINDS = (
    Pages("cheap pages", generated, "lean", (4000, 2000, 640)),
    Pages("dear pages", documentation, "full", (500, 500, 500)),
)


@dataclass(frozen=True)
class Figures:
    """One crawl."""

    pages_per_s: float
    cpu_ms: float  #: a page, of all processes
    peak_mib: float  #: of all processes; memory they share counts in each


def install_requests() -> None:
    """Beside the crawler's own packages, once."""
    if not (PACKAGES / "requests").exists():
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", PACKAGES, "requests==2.32.5"], check=True)


def command_of(way: str, kind: Pages, start: str, pages: int, slow: bool, folder: Path) -> tuple[list[str], Path]:
    """What is run, and where its records land."""
    if way in OURS:
        lean = LEAN_SETTINGS if kind.record == "lean" else ()
        at_once = (f"limits.default.concurrency={AT_ONCE}", f"limits.concurrency={AT_ONCE}")
        settings = (f"parse.backend={way}", f"budget.pages={pages}", *at_once, *lean)
        parts, records = ours(start, folder, *settings)
        return [str(part) for part in parts], records
    records = folder / "pages.jsonl"
    many = 2 * (os.cpu_count() or 1) if way == "processes" and not slow else AT_ONCE
    script = [sys.executable, "-m", "benchmarks.backend_scripts", way, start, str(pages), str(records)]
    return [*script, kind.record, str(many)], records


def measure(way: str, kind: Pages, pages: int, pause_s: float) -> Figures:
    """One crawl from a server of its own."""
    workload = kind.workload()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=CACHE / "bench"))
    try:
        with Server(workload.root, pause_s) as server:
            command, records = command_of(way, kind, server.base + workload.start, pages, pause_s > 0, folder)
            # requests warns of versions that it has not met, in each process
            environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{PACKAGES}", "PYTHONWARNINGS": "ignore"}
            usage = run(command, cwd=ROOT, env=environment)
        if usage.exit_code != 0:
            raise SystemExit(f"{way} ended with {usage.exit_code}")
        got = len(records.read_bytes().splitlines())
        if got < pages:
            raise SystemExit(f"{way} has {got} records of {pages}")
        return Figures(
            got / (usage.ended_at - server.first_at), usage.tree_cpu_s * 1000 / got, usage.peak_rss_bytes / 2**20
        )
    finally:
        shutil.rmtree(folder)


def middle(crawls: list[Figures]) -> Figures:
    """Of several rounds."""
    columns = zip(*((one.pages_per_s, one.cpu_ms, one.peak_mib) for one in crawls), strict=True)
    return Figures(*(median(column) for column in columns))


def server_name(pause_s: float) -> str:
    return f"server answers after {pause_s * 1000:.0f} ms" if pause_s else "server answers at once"


@dataclass(frozen=True)
class Comparison:
    """All ways, of one kind of page and one server."""

    kind: str
    pause_s: float
    rows: dict[str, Figures]  #: by way

    def print(self) -> None:
        print(f"\n{self.kind}, {server_name(self.pause_s)}")
        print(f"  {'':34}{'pages/s':>9}{'CPU ms/page':>13}{'peak MiB':>10}")
        for way, one in self.rows.items():
            print(f"  {WAYS[way]:34}{one.pages_per_s:9.0f}{one.cpu_ms:13.2f}{one.peak_mib:10.0f}", flush=True)


def compare(kind: Pages, pause_s: float, pages: int, rounds: int) -> Comparison:
    """In turns."""
    crawls: dict[str, list[Figures]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            crawls[way].append(measure(way, kind, pages, pause_s))
    return Comparison(kind.name, pause_s, {way: middle(figures) for way, figures in crawls.items()})


def markdown(found: list[Comparison]) -> str:
    """Pages a second, CPU ms a page and peak MiB in each cell, a table for each kind of page."""
    lines = []
    for kind in dict.fromkeys(one.kind for one in found):
        columns = [one for one in found if one.kind == kind]
        lines += ["| " + " | ".join([kind, *(server_name(one.pause_s) for one in columns)]) + " |"]
        lines += ["|---|" + "---:|" * len(columns)]
        for way, name in WAYS.items():
            cells = [
                f"**{one.rows[way].pages_per_s:,.0f}** · {one.rows[way].cpu_ms:.2f} · {one.rows[way].peak_mib:,.0f}"
                for one in columns
            ]
            lines += ["| " + " | ".join([name, *cells]) + " |"]
        lines += [""]
    return "\n".join(lines)


def others_cores() -> float:
    """How many cores the machine's other work takes just now. The load average tells of minutes that are over."""
    began_at, used_s = time.monotonic(), machine_cpu_s()
    time.sleep(LOOK_S)
    return (machine_cpu_s() - used_s) / (time.monotonic() - began_at)


def write(found: list[Comparison], *, is_busy: bool) -> None:
    """Into the document and its picture, which tell if the machine had other work."""
    before, rest = DOCUMENT.read_text().split(BEGIN)
    _, after = rest.split(END)
    warning = f"*{BUSY}*\n\n" if is_busy else ""
    DOCUMENT.write_text(f"{before}{BEGIN}{warning}{markdown(found)}{END}{after}")
    panels = [
        Panel(one.kind, server_name(one.pause_s), [(WAYS[way], row.pages_per_s) for way, row in one.rows.items()])
        for one in found
    ]
    title = "Pages a second, by how a crawler fetches and parses"
    PICTURE.write_text(bars(f"{title} (on a busy machine)" if is_busy else title, panels, len(PAUSES_S)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/backends.md, and draw them")
    arguments = parser.parse_args()
    (CACHE / "bench").mkdir(parents=True, exist_ok=True)
    install_requests()
    is_busy = others_cores() > 0.25  # before any of this runs
    found = []
    for kind in KINDS:
        for pause_s, pages in zip(PAUSES_S, kind.counts, strict=True):
            found.append(compare(kind, pause_s, pages, arguments.rounds))
            found[-1].print()
    if is_busy:
        print(f"\n{BUSY}")
    if arguments.write:
        write(found, is_busy=is_busy)


if __name__ == "__main__":
    main()
