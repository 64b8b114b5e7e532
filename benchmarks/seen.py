"""What does the seen table cost? Prints microseconds per new and per known item, bytes per item, the longest batch.

    python benchmarks/seen.py [ITEMS]      default 1,000,000; ten million take about 20 s

Times are process CPU time over batches of 1,000; memory is the growth of the resident set.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

# Run as a file, so that only this folder would be on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crawler.frontier.seen import Seen

BATCH = 1_000
PAGE_BYTES = 4096


def batches(items: int, seed: int):
    """The same `items` random fingerprints each time it is called with the same seed."""
    source = random.Random(seed)
    for _ in range(items // BATCH):
        yield [source.getrandbits(64) or 1 for _ in range(BATCH)]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def fill(seen: Seen, items: int) -> tuple[float, float, int]:
    """Add `items` random ones; CPU seconds in all, of the longest batch, and how many were new."""
    total_s = worst_s = 0.0
    new = 0
    for batch in batches(items, seed=7):
        started = time.process_time()
        new += len(seen.add_all(batch))
        took_s = time.process_time() - started
        total_s += took_s
        worst_s = max(worst_s, took_s)
    return total_s, worst_s, new


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    before = resident_bytes()
    seen = Seen()
    new_s, worst_s, new = fill(seen, items)
    after = resident_bytes()
    hit_s, _, repeated = fill(seen, items)
    print(f"items          {new:>12,}   ({repeated} new when added again)")
    print(f"new            {new_s / items * 1e6:>12.2f} us each")
    print(f"known          {hit_s / items * 1e6:>12.2f} us each")
    print(f"memory         {(after - before) / items:>12.1f} bytes each")
    print(f"longest batch  {worst_s * 1e3:>12.1f} ms for {BATCH:,} new")


if __name__ == "__main__":
    main()
