"""What does it cost that a crawl can be resumed? Whole crawls on the SQLite frontier, with fsync, and on memory's.

    python -m benchmarks.durability [--rounds 5] [--workload documentation|generated|both]

Interleaved, of the workloads of `benchmarks.crawl` and otherwise as there. Both write the same files; only the frontier
differs, and with it crawl.db.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from benchmarks.crawl import compare, ours
from benchmarks.workloads import CACHE, documentation, generated

if TYPE_CHECKING:
    from pathlib import Path


def sqlite(start: str, folder: Path) -> tuple[list[str | Path], Path]:
    """The default."""
    return ours(start, folder, "frontier=sqlite")


def memory(start: str, folder: Path) -> tuple[list[str | Path], Path]:
    """The same without a store."""
    return ours(start, folder, "frontier=memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workload", choices=("documentation", "generated", "both"), default="both")
    arguments = parser.parse_args()
    (CACHE / "bench").mkdir(parents=True, exist_ok=True)
    for make in (documentation, generated):
        if arguments.workload in ("both", make.__name__):
            compare((sqlite, memory), make(), arguments.rounds)


if __name__ == "__main__":
    main()
