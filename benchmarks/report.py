"""How long does a report of a large crawl take, how much memory, and how large is it?

    python -m benchmarks.report [--pages 100000] [--words 150] [--links 20]

Makes the directory of a crawl that has ended, with a store (three other ends for ten pages, 300 hosts, one rule), then
runs `crawler report` in a process of its own: seconds from its start to its end, start-up included, processor seconds,
peak memory, and the size of report.html.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from crawler.directory import CrawlDirectory

_MAKE = "from pathlib import Path; from tests.support.large_crawl import make"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report")
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=150, help="of the main text of each page")
    parser.add_argument("--links", type=int, default=20, help="of each page")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--facts", action="store_true", help="print them as JSON, to nowhere, and make no page")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-report-") as folder:
        crawl = CrawlDirectory(Path(folder) / "crawl")
        made = f"make(Path({str(crawl.path)!r}), {asked.pages}, words={asked.words}, links={asked.links})"
        # apart, as a process counts the memory of the one it was forked from
        subprocess.run([sys.executable, "-c", f"{_MAKE}\n{made}"], check=True)
        size = crawl.records("pages").stat().st_size
        print(f"{asked.pages:,} pages, {size / 1e6:.0f} MB, {size / max(1, asked.pages):,.0f} bytes a record")
        for _ in range(asked.rounds):
            print(measured(crawl.path, facts=asked.facts))


def measured(folder: Path, *, facts: bool) -> str:
    """A line of figures."""
    command = [sys.executable, "-m", "crawler", "report", str(folder), *["--json"] * facts]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    page = CrawlDirectory(folder).report
    size = page.stat().st_size if page.exists() else 0
    return (
        f"  {seconds:5.2f} s, {usage.ru_utime + usage.ru_stime:5.2f} s of processor time, "
        f"{usage.ru_maxrss / 1024:,.0f} MiB, report.html {size / 1e6:.2f} MB, exit code {process.returncode}"
    )


if __name__ == "__main__":
    main()
