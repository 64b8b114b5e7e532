"""How well are near-duplicates found, how long does it take, and how much memory?

``python -m benchmarks.near [--pages N,N] [--seed S]`` plants texts (`tests.support.planted_texts`), makes their
sketches, which are written to a file as `crawler mine` does, clusters them, and prints for each number of pages:
precision and recall of the pairs of one cluster, with little and with much boilerplate around; microseconds of CPU time
a page for words and for sketches, seconds for clustering, and the most memory held while clustering (Linux only). With
two numbers, the slope too: what a million pages more would take. Last, what the fingerprints of records alone find.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import tempfile
import time
from pathlib import Path

import numpy as np

from crawler.extract.fingerprint import fingerprint
from crawler.mining.near import clusters, fingerprint_clusters
from crawler.mining.sketch import SIZE, sketches
from crawler.mining.words import number
from tests.support.planted_texts import PlantedTexts, scores

BATCH = 512
AROUND = {"10 to 40 words around": (10, 40), "30 to 90 words around": (30, 90)}


def make(path: Path, count: int, seed: int, around: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Write sketches. Returns families, fingerprints, and microseconds a page for words and for sketches."""
    planted = PlantedTexts(count, seed, around)
    worded = sketched = 0.0
    marks = []
    with path.open("wb") as out:
        for start in range(0, count, BATCH):
            some = [planted.text(at) for at in range(start, min(count, start + BATCH))]
            marks += [int(fingerprint(text) or "0", 16) for text in some]
            begun = time.process_time()
            numbered = number(some)
            between = time.process_time()
            found, _ = sketches(numbered)
            worded, sketched = worded + between - begun, sketched + time.process_time() - between
            out.write(found.tobytes())
    return planted.families, np.array(marks, np.uint64), worded / count * 1e6, sketched / count * 1e6


def cluster(path: Path, answer) -> None:
    """Cluster what is in a file, in a process of its own; send labels, seconds, bytes."""
    mapped = np.memmap(path, np.uint16, "r").reshape(-1, SIZE)
    begun = time.process_time()
    labels = clusters(mapped).labels
    seconds = time.process_time() - begun
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    answer.send((labels, seconds, int(kib) * 1024))


def run(count: int, seed: int, name: str) -> tuple[float, float]:
    """Measure one crawl. Returns seconds and bytes of clustering."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sketches"
        families, marks, worded, sketched = make(path, count, seed, AROUND[name])
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=cluster, args=(path, theirs))
        process.start()
        labels, seconds, held = ours.recv()
        process.join()
    precision, recall = scores(families, labels)
    print(f"{count:,} pages, {name}: precision {precision:.4f}, recall {recall:.4f}")
    print(
        f"  words {worded:.0f} us a page, sketches {sketched:.0f} us; clustering {seconds:.1f} s, {held / 1e6:.0f} MB"
    )
    begun = time.process_time()
    precision, recall = scores(families, fingerprint_clusters(marks).labels)
    print(f"  fingerprints: precision {precision:.4f}, recall {recall:.4f}, {time.process_time() - begun:.1f} s")
    return seconds, held


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", default="20000", help="how many pages, or several numbers with commas")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    counts = [int(part) for part in given.pages.split(",")]
    for name in AROUND:
        measured = [run(count, given.seed, name) for count in counts]
        if len(counts) > 1:
            millions = (counts[-1] - counts[0]) / 1e6
            seconds, held = ((last - first) / millions for first, last in zip(measured[0], measured[-1], strict=True))
            print(f"  a million pages more: {seconds:.0f} s, {held / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
