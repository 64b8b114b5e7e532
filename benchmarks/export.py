"""What does it cost to compress records as they are written, and what does it save?

``python -m benchmarks.export FOLDER`` makes the page records of all HTML files under FOLDER, and packs them in batches
of about the size a second's checkpoint has. Prints for each kind and level MB/s of processor time, and the share of
the plain size that is left.
"""

from __future__ import annotations

import sys
import time
import zlib
from pathlib import Path

from crawler.export.packing import zstd
from crawler.extract.page import Extractor, Settings
from crawler.models import HostKey, Page, Request, Response, Url

BATCHES_BYTES = (64 << 10, 1 << 20, 16 << 20)
ROUNDS = 3


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
