"""At how many parser processes does the event loop become the limit? Measures what a page costs both, and derives it.

    python -m benchmarks.scaling [--rounds 3] [--set KEY=VALUE ...]

Crawls some 1,900 pages of 19 KB (the documentation of SQLite and PostgreSQL) with a lean and with the full record. The
loop's processor time a page says how many pages a second one loop can do, a worker's how many one process can; where
they meet, more processes do not help. Threads beside the loop (storage) run on cores of their own, as far as they do
not hold the interpreter's lock: the last column says where the limit is if they always do. Start-up is left out. What
is derived leaves out that cores share caches and memory, and that the server needs some of them. Linux only.
"""

from __future__ import annotations

import argparse
import os
from statistics import median

from benchmarks.lean import LEAN_SETTINGS
from benchmarks.threads import Spent, crawl_watched
from benchmarks.workloads import CACHE, Workload

SITES = {
    "sqlite": "debian/sqlite3-doc/usr/share/doc/sqlite3",
    "postgresql": "debian/postgresql-doc-15/usr/share/doc/postgresql-doc-15/html",
}
RECORDS = {"lean": LEAN_SETTINGS, "full": ()}


def medium_pages() -> Workload:
    """Two sites in one folder, and a page that leads to both."""
    root = CACHE / "bench/medium"
    root.mkdir(parents=True, exist_ok=True)
    for name, place in SITES.items():
        if not (CACHE / place / "index.html").exists():
            raise SystemExit(f"{place.split('/')[1]} is not unpacked: run .ci/run once (needs apt-get)")
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(CACHE / place)
    links = "".join(f'<a href="{name}/index.html">{name}</a>' for name in SITES)
    (root / "index.html").write_text(f"<!doctype html><title>Two sites</title>{links}")
    return Workload("medium", root, "/index.html")


def figures(spent: Spent) -> tuple[float, float, float]:
    """Microseconds a page, without start-up: of the loop, of threads beside it, of parser workers."""
    return spent.us(spent.loop_s - spent.starting_s), spent.us(spent.beside_s), spent.us(spent.parsing_s)


def limit(loop_us: float, beside_us: float, worker_us: float) -> tuple[float, float]:
    """How many parser processes one loop can feed: if threads beside it never hold it up, and if they always do."""
    return worker_us / loop_us, worker_us / (loop_us + beside_us)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for `crawler crawl`")
    arguments = parser.parse_args()
    workload = medium_pages()
    rounds: dict[str, list[Spent]] = {name: [] for name in RECORDS}
    for _ in range(arguments.rounds):
        for name, settings in RECORDS.items():
            rounds[name].append(crawl_watched(workload, (*settings, *arguments.set))[0])
    print(f"{rounds['lean'][0].pages} pages, microseconds of CPU a page, median of {arguments.rounds}")
    print(f"{'record':8}{'loop':>8}{'beside':>8}{'worker':>8}{'pages/s of a loop':>19}{'limit':>16}{'at worst':>10}")
    for name, crawls in rounds.items():
        loop_us, beside_us, worker_us = (median(column) for column in zip(*map(figures, crawls), strict=True))
        best, worst = limit(loop_us, beside_us, worker_us)
        print(
            f"{name:8}{loop_us:8.0f}{beside_us:8.0f}{worker_us:8.0f}{1e6 / loop_us:19,.0f}"
            f"{f'{best:.1f} processes':>16}{worst:10.1f}"
        )
    print(f"this machine has {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
