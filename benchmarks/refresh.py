"""What does it cost to visit a crawl again, beside crawling it anew? By how much of it has changed.

    python -m benchmarks.refresh [--pages 2000] [--changed 0,5,50]

A web of `tests.support.changing` is crawled, then refreshed once for each share of changed pages (and boilerplate of as
many again): pages and kilobytes sent by the server, its answers 304, wall time, CPU and memory of the crawl. Beginning
and end, which read and write the ledger, are in them; the first line of a run is a refresh with nothing changed. The
server is a thread of this process, and shares the machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import compile_package, run
from tests.crawl.conftest import options
from tests.support.changing import ChangingWeb
from tests.support.server import Server

HONEST = ("etag", "modified", "both", "weak")
HOSTS = 4
_ROW = "{:<24} {:>7} {:>9} {:>7} {:>8} {:>8} {:>9} {:>9}"


def measure(server: Server, folder: Path, title: str, arguments: list[str]) -> None:
    """Run one crawl, and print a line of it."""
    place = len(server.log.hits)
    command = [sys.executable, "-m", "crawler", "crawl", *arguments, "-d", "crawl", "-q"]
    usage = run(command, cwd=folder)
    if usage.exit_code:
        raise SystemExit(f"{title}: exit code {usage.exit_code}")
    log = server.log.since(place)
    unchanged = sum(hit.status == 304 for hit in log.hits)
    wall_s = usage.ended_at - usage.began_at
    print(
        _ROW.format(
            title,
            f"{len(log.hits):,}",
            f"{log.sent_bytes() / 1000:,.0f}",
            f"{unchanged:,}",
            f"{wall_s:.1f}",
            f"{usage.tree_cpu_s:.1f}",
            f"{usage.main_cpu_s:.1f}",
            f"{usage.peak_pss_bytes / 2**20:,.0f}",
        ),
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--changed", default="0,5,50", help="percent")
    given = parser.parse_args()
    compile_package()
    web = ChangingWeb(hosts=HOSTS, pages_per_host=given.pages // HOSTS, styles=HONEST, words=600)
    print(_ROW.format("", "answers", "kB sent", "304", "wall s", "CPU s", "of loop", "MiB"))
    with tempfile.TemporaryDirectory() as folder, Server(web) as server:
        measure(server, Path(folder), "full crawl", [*web.seeds(), *options(server)])
        for percent in map(float, given.changed.split(",")):
            web.move()
            if percent:
                web.plant(1, share=percent / 100, gone=0, new=0)
            measure(server, Path(folder), f"refresh, {percent:g} % changed", ["--refresh"])
            web.move()
            measure(server, Path(folder), "  the same, with --due", ["--refresh", "--due"])


if __name__ == "__main__":
    main()
