"""What does it cost that a crawl can be resumed? Whole crawls on the SQLite frontier, with fsync, and on memory's.

    python -m benchmarks.durability [--rounds 5] [--workload documentation|generated|both]

Interleaved, of the workloads of `benchmarks.crawl` and otherwise as there. Both write the same files; only the frontier
differs, and with it crawl.db.
"""

from __future__ import annotations

import argparse
import math
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.crawl import compare, is_faultless, own
from benchmarks.workloads import CACHE, documentation, generated

if TYPE_CHECKING:
    from benchmarks.crawl import Round
    from benchmarks.peers import Peer

CRAWLS = (own("sqlite", "frontier=sqlite"), own("memory", "frontier=memory"))


def ratio(results: dict[Peer, list[Round]]) -> float:
    """Pages a second on the SQLite frontier, as a share of those on memory's."""
    sqlite, memory = (median(one.pages_per_s for one in results[crawl]) for crawl in CRAWLS)
    return sqlite / memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workload", choices=("documentation", "generated", "both"), default="both")
    arguments = parser.parse_args()
    (CACHE / "bench").mkdir(parents=True, exist_ok=True)
    for make in (documentation, generated):
        if arguments.workload in ("both", make.__name__):
            results = compare(CRAWLS, make(), arguments.rounds, math.inf)
            print(f"  sqlite / memory: {ratio(results):.2f}")
            if not is_faultless(results, CRAWLS):
                raise SystemExit("pages were missed or repeated")


if __name__ == "__main__":
    main()
