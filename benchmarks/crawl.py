"""How fast is a whole crawl, and what does it cost? Ours against a tuned Scrapy crawl of the same pages.

    python -m benchmarks.crawl [--rounds 5] [--workload documentation|generated|both] [--ours-only]

Both crawl from nginx on loopback, interleaved, with 64 requests in flight, no delay, no robots.txt, and write JSONL.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import Usage, run
from benchmarks.workloads import CACHE, Workload, documentation, generated
from tests.support.nginx import Nginx

SCRAPY = CACHE / "bench/scrapy"
SCRAPY_PACKAGES = ("scrapy==2.19.0", "uvloop==0.23.0")
SPIDER = Path(__file__).with_name("scrapy_spider.py")


@dataclass(frozen=True)
class Round:
    """One crawl, measured."""

    pages: frozenset[str]  #: paths that have a record
    pages_per_s: float  #: from the first request in the server's log to the end of the process
    usage: Usage

    def row(self) -> tuple[float, ...]:
        """pages/s, CPU ms a page of the event loop's process and of all, peak MiB."""
        milliseconds = 1000 / max(1, len(self.pages))
        return (
            self.pages_per_s,
            self.usage.main_cpu_s * milliseconds,
            self.usage.tree_cpu_s * milliseconds,
            self.usage.peak_rss_bytes / 2**20,
        )


def ours(start: str, folder: Path, *more: str) -> tuple[list[str | Path], Path]:
    """The command as a user types it, and where its records land."""
    settings = [f"--set={key}" for key in ("limits.default.concurrency=64", "robots.obey=false", *more)]
    command = [sys.executable, "-m", "crawler", "crawl", start, "-q", "--delay", "0", *settings, "-d", folder / "crawl"]
    return command, folder / "crawl" / "pages.jsonl"


def scrapy(start: str, folder: Path) -> tuple[list[str | Path], Path]:
    """Scrapy's command, and where its records land."""
    records = folder / "pages.jsonl"
    return [SCRAPY / "bin/python", SPIDER, start, records], records


def install_scrapy() -> None:
    """Give Scrapy an environment of its own, once."""
    if not (SCRAPY / "bin/scrapy").exists():
        venv.create(SCRAPY, with_pip=True, clear=True)
        subprocess.run([SCRAPY / "bin/pip", "install", "-qq", *SCRAPY_PACKAGES], check=True)


def measure(crawler, workload: Workload) -> Round:
    """One crawl of `workload` from a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=CACHE / "bench"))
    try:
        with Nginx(workload.root, folder / "nginx") as server:
            command, records = crawler(server.base + workload.start, folder)
            usage = run(command, cwd=Path(__file__).resolve().parents[1])
            first_request_at = min(hit.started_at for hit in server.hits())
        if usage.exit_code != 0:
            raise SystemExit(f"{crawler.__name__} ended with {usage.exit_code}")
        urls = [json.loads(line)["url"] for line in records.read_bytes().splitlines()]
        if len(urls) != len(set(urls)):
            raise SystemExit(f"{crawler.__name__} wrote {len(urls) - len(set(urls))} records twice")
        pages = frozenset(url.removeprefix(server.base) for url in urls)
        return Round(pages, len(pages) / (usage.ended_at - first_request_at), usage)
    finally:
        shutil.rmtree(folder)


def compare(crawlers, workload: Workload, rounds: int) -> None:
    """Print a table of medians for one workload, of interleaved rounds."""
    results: dict[str, list[Round]] = {crawler.__name__: [] for crawler in crawlers}
    for _ in range(rounds):
        for crawler in crawlers:
            results[crawler.__name__].append(measure(crawler, workload))
    covered = {one.pages for crawls in results.values() for one in crawls}
    print(f"\n{workload.name}: {len(max(covered, key=len))} pages, median of {rounds}")
    print(f"{'':8}{'pages/s':>9}{'(min - max)':>16}{'loop ms/page':>14}{'all ms/page':>13}{'peak MiB':>10}")
    for name, crawls in results.items():
        speeds = [one.pages_per_s for one in crawls]
        speed, loop, everything, peak = (median(column) for column in zip(*(one.row() for one in crawls), strict=True))
        spread = f"({min(speeds):.0f} - {max(speeds):.0f})"
        print(f"{name:8}{speed:9.0f}{spread:>16}{loop:14.3f}{everything:13.3f}{peak:10.0f}")
    if len(results) == 2:
        first, second = (median(one.pages_per_s for one in crawls) for crawls in results.values())
        print(f"{' / '.join(results)}: {first / second:.2f}")
    if len(covered) > 1:
        raise SystemExit(f"the crawls did not cover the same pages: {sorted(len(pages) for pages in covered)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workload", choices=("documentation", "generated", "both"), default="both")
    parser.add_argument("--ours-only", action="store_true", help="leave Scrapy out")
    arguments = parser.parse_args()
    (CACHE / "bench").mkdir(parents=True, exist_ok=True)
    crawlers = [ours]
    if not arguments.ours_only:
        install_scrapy()
        crawlers.append(scrapy)
    for make in (documentation, generated):
        if arguments.workload in ("both", make.__name__):
            compare(crawlers, make(), arguments.rounds)


if __name__ == "__main__":
    main()
