"""What does it cost to write records as tables, and to compress them as they are written?

``python -m benchmarks.export`` makes 20,000 and 100,000 varied page records of some 8 KB and exports them to each
format, each in a process of its own. Prints records/s of wall time, MB/s of records, and the peak of memory.

``python -m benchmarks.export FOLDER`` makes the page records of all HTML files under FOLDER, and packs them in batches
of about the size a second's checkpoint has. Prints for each kind and level MB/s of processor time, and the share of
the plain size that is left.
"""

from __future__ import annotations

import os
import sys
import time
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler.export.packing import zstd
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Page, Request, Response, Url
from tests.support.hostile_records import write

BATCHES_BYTES = (64 << 10, 1 << 20, 16 << 20)
ROUNDS = 3
COUNTS = (20_000, 100_000)
FILLER_BYTES = 6_000
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv", ".sqlite", ".parquet")


def records(folder: Path) -> list[bytes]:
    """Page records of the files under `folder`."""
    extractor = Extractor(Settings(fingerprint_key=7))
    lines = []
    for path in sorted(folder.rglob("*.html")):
        url = Url(f"https://www.example.org/{path.relative_to(folder)}")
        request = Request(url=url, host_key=HostKey("www.example.org"), scope_host="www.example.org", seed=url)
        headers = ((b"Content-Type", b"text/html"),)
        page = extractor.page(request, Response(url=url, status=200, headers=headers, body=path.read_bytes()))
        if isinstance(page, Page) and page.records:
            lines.append(page.records[0][1] + b"\n")
    return lines


def batches(lines: list[bytes], size: int) -> list[bytes]:
    """`lines`, joined to batches of at least `size` bytes but for the last."""
    joined, batch, held = [], [], 0
    for line in lines:
        batch.append(line)
        held += len(line)
        if held >= size:
            joined.append(b"".join(batch))
            batch, held = [], 0
    return [*joined, b"".join(batch)] if batch else joined


def main() -> None:
    """Measure."""
    if len(sys.argv) == 1:
        tables()
        return
    lines = records(Path(sys.argv[1]))
    total = sum(map(len, lines))
    print(f"{len(lines)} records, {total / 1e6:.1f} MB")
    for size in BATCHES_BYTES:
        parts = batches(lines, size)
        print(f"batches of {size >> 10} KiB: {len(parts)}")
        for level in (1, 3, 6, 9):
            report(f"gzip {level}", total, parts, lambda part, level=level: zlib.compress(part, level, 31))
        for level in (1, 3, 5, 7, 9, 12):
            report(f"zstd {level}", total, parts, lambda part, level=level: zstd.compress(part, level))


def tables() -> None:
    """What each format costs, with few records and with many."""
    with TemporaryDirectory() as name:
        for count in COUNTS:
            folder = Path(name) / str(count)
            folder.mkdir()
            write(folder / "pages.jsonl", count, FILLER_BYTES)
            size = (folder / "pages.jsonl").stat().st_size
            print(f"{count:,} records, {size / 1e6:.0f} MB")
            for suffix in SUFFIXES:
                seconds, peak = exported(folder, Path(name) / f"out{suffix}")
                speed = f"{count / seconds:8,.0f} records/s{size / 1e6 / seconds:7.0f} MB/s"
                print(f"  {suffix:12}{speed}{peak / 2**20:8.0f} MiB at most")


def exported(folder: Path, to: Path, *more: str) -> tuple[float, int]:
    """Export pages in a process; how long it took in seconds, and the most memory it had in bytes."""
    return used_by("export", str(folder), "pages", "--to", str(to), *more)


def used_by(*arguments: str) -> tuple[float, int]:
    """Run the crawler in a process; how long it took in seconds, and the most memory it had in bytes."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "crawler", *arguments]
    pid = os.posix_spawn(sys.executable, command, os.environ)
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def report(name: str, total: int, parts: list[bytes], pack) -> None:
    """A line of figures, the best of some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        packed = sum(len(pack(part)) for part in parts)
        times.append(time.process_time() - start)
    print(f"  {name:8}{total / 1e6 / min(times):8.0f} MB/s{packed / total:8.1%}")


if __name__ == "__main__":
    main()
