"""What do the files of a crawl hold, as far as it is committed, and what of it cannot be read?

A file may be compressed, shorter than it should be, damaged or missing: whatever can be read is handed out, and the
rest becomes a remark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from crawler.dataset.lines import Lines
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.directory import CrawlDirectory

T = TypeVar("T")


class Sources:
    """The files of one crawl.

    Args:
        directory: Of the crawl.
        positions: Sink -> up to where its file is committed; None if no store says so, and whole lines count.
        pages: The file of page records, where it is not in the directory.
    """

    def __init__(
        self, directory: CrawlDirectory, positions: Mapping[str, int] | None, pages: Path | None = None
    ) -> None:
        self._directory = directory
        self._positions = positions
        self._elsewhere = {"pages": pages} if pages else {}
        #: what could not be read, for people
        self.remarks: list[str] = []

    def path(self, sink: str) -> Path | None:
        """The file of a sink; None if there is none.

        Raises:
            CrawlerError: It is there twice, as it was written and unpacked.
        """
        if sink in self._elsewhere:
            return self._elsewhere[sink] if self._elsewhere[sink].exists() else None
        there = self._directory.spellings(sink)
        if len(there) > 1:
            raise CrawlerError(f"{there[0]} and {there[1].name} are both there, expected one of them")
        return there[0] if there else None

    def records(self, sink: str, kind: type[T]) -> Iterator[Sequence[T]]:
        """The records of a sink, some at a time. What cannot be read of it becomes a remark."""
        decoder = msgspec.json.Decoder(kind)
        bad = 0
        for block in self._blocks(sink):
            try:
                yield decoder.decode_lines(block)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                good: list[T] = []
                for line in block[:-1].split(b"\n"):
                    try:
                        good.append(decoder.decode(line))
                    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                        bad += 1
                yield good
        if bad:
            lines = "1 line is no record" if bad == 1 else f"{bad:,} lines are no records"
            self.remarks.append(f"{self.path(sink)}: {lines}, and left out")

    def count(self, sink: str) -> int:
        """How many lines the file of a sink has."""
        return sum(block.count(b"\n") for block in self._blocks(sink))

    def _blocks(self, sink: str) -> Iterator[bytes]:
        path = self.path(sink)
        end = self._positions.get(sink) if self._positions is not None else None
        if path is None:
            if end:
                where = self._elsewhere.get(sink) or self._directory.records(sink)
                self.remarks.append(f"{where}: is not there, so what it held is missing here")
            return
        try:
            size = path.stat().st_size
            if end is not None and size < end:
                self.remarks.append(f"{path}: has {size:,} bytes, and crawl.db knows of {end:,}: some of it is lost")
            yield from Lines(path, end=end).blocks()
        except OSError as error:
            self.remarks.append(f"{path}: cannot be read: {error.strerror}")
        except CrawlerError as error:
            self.remarks.append(f"{error}; what comes after is left out")
