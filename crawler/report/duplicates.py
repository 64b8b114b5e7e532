"""Which pages have the same bytes? Told by their digests, in memory that does not grow with their number.

Digests are parted into files, of which one at a time is looked at in memory; small crawls need no file.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING
from zlib import crc32

from crawler.report.bounded import Largest
from crawler.report.facts import Duplicates

if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO, Self

PARTS = 64
"""Of ten million pages 160,000 are looked at at a time."""
_HELD_BYTES = 16 << 20
_DIGITS = 24  # 96 bits: two of ten million pages are taken for one another once in 10^15 crawls
_GROUPS_SHOWN, _URLS_SHOWN = 20, 5


class Digests:
    """The digests of a crawl's pages. A context manager, which removes its files."""

    def __init__(self) -> None:
        self._held = [bytearray() for _ in range(PARTS)]
        self._held_bytes = 0
        self._files: list[BinaryIO] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._files:
            file.close()

    def add(self, digest: str, url: str) -> None:
        """Take in a page: ``sha256:`` and hexadecimal digits."""
        entry = f"{digest[-_DIGITS:]} {url}\n".encode("utf-8", "surrogatepass")
        self._held[crc32(entry[:_DIGITS]) % PARTS] += entry
        self._held_bytes += len(entry)
        if self._held_bytes > _HELD_BYTES:
            self._put_away()

    def told(self) -> Duplicates:
        """As a report has it."""
        groups = pages = 0
        largest: Largest[tuple[int, tuple[str, ...]]] = Largest(_GROUPS_SHOWN)
        for number in range(PARTS):
            for urls in self._groups(number):
                groups += 1
                pages += len(urls)
                if len(urls) >= largest.floor:
                    urls.sort()
                    shown = tuple(url.decode("utf-8", "replace") for url in urls[:_URLS_SHOWN])
                    largest.add(len(urls), shown[0], (len(urls), shown))
        return Duplicates(groups=groups, pages=pages, largest=largest.things())

    def _groups(self, number: int) -> list[list[bytes]]:
        """URLs of pages with the same digest, of those in one part."""
        content = bytes(self._held[number])
        if self._files:
            self._files[number].seek(0)
            content = self._files[number].read() + content
        found: dict[bytes, list[bytes]] = {}
        for entry in content.splitlines():
            digest, _, url = entry.partition(b" ")
            found.setdefault(digest, []).append(url)
        return [urls for urls in found.values() if len(urls) > 1]

    def _put_away(self) -> None:
        if not self._files:
            self._files = [tempfile.TemporaryFile() for _ in range(PARTS)]  # noqa: SIM115 - closed when left
        for file, held in zip(self._files, self._held, strict=True):
            file.write(held)
            held.clear()
        self._held_bytes = 0
