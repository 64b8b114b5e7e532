"""Which pages have the same bytes? Told by their digests, in memory that does not grow with their number.

Digests are parted into files, of which one at a time is looked at in memory; small crawls need no file. Of pages with
the same digest, which may be all of a crawl, only those that are shown are held.
"""

from __future__ import annotations

import tempfile
from bisect import insort
from contextlib import suppress
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING
from zlib import crc32

from crawler.report.bounded import Largest
from crawler.report.facts import Duplicates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
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
        #: why nothing can be said of them; None if it can
        self.problem: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._files:
            with suppress(OSError):  # which wants to write what it holds, and is removed all the same
                file.close()

    def add(self, digest: str, url: str) -> None:
        """Take in a page: ``sha256:`` and hexadecimal digits."""
        if self.problem is not None:
            return
        entry = f"{digest[-_DIGITS:]} {url}\n".encode("utf-8", "surrogatepass")
        self._held[crc32(entry[:_DIGITS]) % PARTS] += entry
        self._held_bytes += len(entry)
        if self._held_bytes > _HELD_BYTES:
            try:
                self._put_away()
            except OSError as error:
                self._give_up(error)

    def told(self) -> Duplicates:
        """As a report has it."""
        groups = pages = 0
        largest: Largest[tuple[int, tuple[str, ...]]] = Largest(_GROUPS_SHOWN)
        try:
            for number in range(PARTS):
                for group in self._groups(number):
                    groups += 1
                    pages += group.count
                    if group.count >= largest.floor:
                        shown = tuple(url.decode("utf-8", "replace") for url in group.urls)
                        largest.add(group.count, shown[0], (group.count, shown))
        except OSError as error:
            self._give_up(error)
        if self.problem is not None:
            return Duplicates()
        return Duplicates(groups=groups, pages=pages, largest=largest.things())

    def _groups(self, number: int) -> Collection[_Group]:
        """Pages with the same digest, of those in one part."""
        first: dict[bytes, bytes] = {}
        found: dict[bytes, _Group] = {}
        for entry in self._entries(number):
            digest, _, url = entry.rstrip(b"\n").partition(b" ")
            if digest not in first:
                first[digest] = url
                continue
            group = found.get(digest)
            if group is None:
                group = found[digest] = _Group(first[digest])
            group.add(url)
        return found.values()

    def _entries(self, number: int) -> Iterator[bytes]:
        held = BytesIO(self._held[number])
        if not self._files:
            return held
        self._files[number].seek(0)
        return chain(self._files[number], held)

    def _put_away(self) -> None:
        if not self._files:
            for _ in range(PARTS):
                self._files.append(tempfile.TemporaryFile())  # noqa: SIM115 - closed when left
        for file, held in zip(self._files, self._held, strict=True):
            file.write(held)
            held.clear()
        self._held_bytes = 0

    def _give_up(self, error: OSError) -> None:
        self.problem = f"{error.filename or tempfile.gettempdir()}: {error.strerror or error}"
        for held in self._held:
            held.clear()


class _Group:
    """Pages with the same digest: how many, and the URLs of some, those first in the alphabet."""

    __slots__ = ("count", "urls")

    def __init__(self, url: bytes) -> None:
        self.count = 1
        self.urls = [url]

    def add(self, url: bytes) -> None:
        """One more."""
        self.count += 1
        if len(self.urls) < _URLS_SHOWN or url < self.urls[-1]:
            insort(self.urls, url)
            del self.urls[_URLS_SHOWN:]
