"""Does a crawl survive any SIGKILL? Crawls one web again and again, killed at random moments, resumed until done.

    python -m benchmarks.kills [--rounds 200] [--first 0]

After each death what is committed is held against itself; at the end of a round all that the crawl has left against an
uninterrupted crawl, and the server's log against its limits. The first difference ends the benchmark with an error, and
leaves the crawl where it lies. `make proof` runs the first 20 of the same rounds, and dies at chosen steps besides.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic

from tests.support.matrix import Matrix

TOLD_EVERY = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first round, from which all in it follows")
    parser.add_argument("--folder", type=Path, help="where to crawl; a temporary folder by default")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kills-", dir=options.folder))
    matrix = Matrix(folder)
    whole = matrix.whole()
    print(f"uninterrupted: {len(whole.endings):,} URLs, {whole.files['pages'].total():,} pages, in {folder}")
    began = monotonic()
    deaths: Counter[str] = Counter()
    pages = urls = asked = 0
    for number in range(options.first, options.first + options.rounds):
        try:
            story = matrix.round(number)
        except AssertionError as error:
            raise SystemExit(f"round {number} in {folder}: {error}") from error
        deaths.update(story.deaths)
        pages, urls, asked = pages + story.pages, urls + story.urls, asked + story.requests
        done = number - options.first + 1
        if done % TOLD_EVERY == 0 or done == options.rounds:
            took = f"{monotonic() - began:,.0f} s"
            print(
                f"{done:>5} rounds {deaths.total():>6} kills {urls:>10,} URLs {pages:>10,} pages {took:>8}", flush=True
            )
    print(
        f"\nkilled with nothing committed {deaths['nothing']}, with seeds only {deaths['seeds only']}, amid pages "
        f"{deaths['pages']} times"
    )
    print(f"requests a URL: {asked / urls:.3f}, without kills {matrix.requests / len(whole.endings):.3f}")
    print("records lost 0, repeated 0, torn 0, different 0")


if __name__ == "__main__":
    main()
