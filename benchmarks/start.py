"""How long from the command to the first request? Process start to the first line in the server's log, median.

python -m benchmarks.start [--rounds 15]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.crawl import ours
from benchmarks.processes import run
from tests.support.nginx import Nginx


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    waits, totals = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "site").mkdir()
            (folder / "site" / "index.html").write_text("<!doctype html><title>One page</title><h1>One page</h1>")
            with Nginx(folder / "site", folder / "nginx") as server:
                usage = run(ours(server.base + "/index.html", folder)[0], cwd=Path(__file__).resolve().parents[1])
                waits.append(min(hit.started_at for hit in server.hits()) - usage.began_at)
                totals.append(usage.ended_at - usage.began_at)
    print(f"process start to first request: median {median(waits):.3f} s (best {min(waits):.3f}) of {rounds}")
    print(f"a whole crawl of one page:      median {median(totals):.3f} s (best {min(totals):.3f})")


if __name__ == "__main__":
    main()
