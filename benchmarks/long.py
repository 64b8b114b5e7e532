"""Does a crawl's memory grow with its length? One crawl of 200,000 pages, its resident memory by pages fetched.

    python -m benchmarks.long [--pages 200000]

Of pages of about 1.9 KB with 20 links, of which two are new: a crawl knows twice as many URLs as it has fetched, until
it knows all. The seen table, which grows with the URLs known, is told apart: 16 to 19 bytes each. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.endless import Endless, html
from benchmarks.processes import rss_bytes, tree

MARKS = (0.1, 0.25, 0.5, 1.0)
WINDOW = 0.9  # a mark stands for the samples from this share of it on
SAMPLE_EVERY_S = 0.05
SEEN_BYTES = 17.5
MIB = 2**20


@dataclass(frozen=True)
class Sample:
    """Resident memory at one moment."""

    pages: int
    main: int
    children: int  #: sum; what they share counts in each


def crawl(port: int, directory: Path) -> subprocess.Popen[bytes]:
    settings = (
        f'fetch.resolve={{"*.test": "127.0.0.1:{port}"}}',
        "limits.default.concurrency=64",
        "limits.default.delay=0s",
        "robots.obey=false",
        "traps.detect=false",  # its pages say all the same
    )
    command = [sys.executable, "-m", "crawler", "crawl", "http://endless.test/0", "-q", "-d", str(directory)]
    return subprocess.Popen([*command, *(f"--set={setting}" for setting in settings)])


def watch(process: subprocess.Popen[bytes], server: Endless) -> list[Sample]:
    """Sample until the process has ended."""
    samples = []
    while process.poll() is None:
        pages = server.requests
        children = sum(rss_bytes(pid) for pid in tree(process.pid)[1:])
        samples.append(Sample(pages, rss_bytes(process.pid), children))
        time.sleep(SAMPLE_EVERY_S)
    return samples


def told(samples: list[Sample], pages: int) -> None:
    """Print memory at each mark, and how the last compares with the first."""
    print(f"{'pages':>9}{'known URLs':>12}{'main MiB':>10}{'its seen table':>16}{'the rest':>10}{'children MiB':>14}")
    rests = []
    for mark in (round(share * pages) for share in MARKS):
        near = [sample for sample in samples if WINDOW * mark <= sample.pages <= mark and sample.main]
        main, children = median(sample.main for sample in near), median(sample.children for sample in near)
        known = min(2 * mark + 1, pages)
        seen = known * SEEN_BYTES
        rests.append((main - seen, main + children - seen))
        columns = f"{main / MIB:>10.1f}{seen / MIB:>16.1f}{(main - seen) / MIB:>10.1f}{children / MIB:>14.1f}"
        print(f"{mark:>9,}{known:>12,}{columns}")
    first, last = rests[0], rests[-1]
    print(
        f"without the seen table, the last against the first: {last[0] / first[0]:.3f} times in the main process, "
        f"{last[1] / first[1]:.3f} with its children"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="where to crawl; a temporary folder by default")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        with Endless(options.pages) as server:
            began = time.monotonic()
            samples = watch(process := crawl(server.port, folder / "crawl"), server)
            took_s = time.monotonic() - began
        summary = json.loads((folder / "crawl/summary.json").read_bytes())
        if process.returncode or summary["pages"] != options.pages:
            raise SystemExit(f"the crawl ended with {process.returncode} and {summary['pages']:,} pages")
        sizes = f"of {len(html(options.pages // 2, options.pages)):,} bytes"
        print(f"{options.pages:,} pages {sizes} in {took_s:,.0f} s: {options.pages / took_s:,.0f} a second")
        told(samples, options.pages)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
