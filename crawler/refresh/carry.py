"""How do records of pages that did not change get from one generation into the next? A `checkpoint.Carrier`.

They are read where the index says, in a thread, as the batch they belong to is committed. The files are held open: so
they are read to the end of the crawl even if their directory is given another name meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.errors import CrawlerError
from crawler.refresh.index import INDEX, sources_of, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crawler.models import Request

_PARTS = """
SELECT part.source, part.start, part.bytes, part.id
FROM json_each(?) AS asked CROSS JOIN part ON part.id = asked.value ORDER BY part.source, part.start
"""
_READ_BYTES = 4 << 20
"""At most at once, unless the records of one URL are more."""


class _Part(NamedTuple):
    source: int
    start: int
    bytes: int
    id: int

    @property
    def end(self) -> int:
        return self.start + self.bytes


class RecordCarrier:
    """Reads the records that an index knows of. A context manager.

    Args:
        into: The directory of the generation that is being made, with its index.

    Raises:
        CrawlerError: The generation before is not where it was, or the index cannot be read.
    """

    def __init__(self, into: Path) -> None:
        self._index = into / INDEX
        self._names: dict[int, str] = {}
        self._files: dict[int, int] = {}  # descriptors
        self._paths: dict[int, Path] = {}
        self._stack = ExitStack()
        with self._stack as stack:
            for source in sources_of(into):
                path = unpacked(into, source.sink) if source.is_packed else Path(source.path)
                try:
                    file = stack.enter_context(path.open("rb", buffering=0))
                except OSError as error:
                    raise CrawlerError(
                        f"{path}: cannot be read: {error.strerror}; records of pages that did not change are taken "
                        "over from there, so it has to stay where it was"
                    ) from error
                self._names[source.number], self._files[source.number] = source.sink, file.fileno()
                self._paths[source.number] = path
            uri = f"{self._index.resolve().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
            stack.callback(self._connection.close)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Let go of the files."""
        self._stack.close()

    async def lines(self, requests: Sequence[Request]) -> Sequence[Sequence[tuple[str, bytes]]]:
        """Of each request its records in the generation before, as `models.Page.records` has them.

        Raises:
            CrawlerError: They cannot be read, or are not there; names the file and the byte.
        """
        return await asyncio.to_thread(self._lines, [request.known.id if request.known else 0 for request in requests])

    def _lines(self, ids: Sequence[int]) -> list[list[tuple[str, bytes]]]:
        try:
            asked = msgspec.json.encode(list(dict.fromkeys(ids))).decode()
            parts = [_Part(*row) for row in self._connection.execute(_PARTS, (asked,))]
        except sqlite3.Error as error:
            raise CrawlerError(f"{self._index}: cannot be read: {error}; remove it, and it is made anew") from error
        found: defaultdict[int, dict[str, list[bytes]]] = defaultdict(dict)
        for run in _runs(parts):
            data = self._read(run)
            for part in run:
                at = part.start - run[0].start
                found[part.id].setdefault(self._names[part.source], []).append(data[at : at + part.bytes - 1])
        return [_records(found.get(number, {})) for number in ids]

    def _read(self, run: Sequence[_Part]) -> bytes:
        first, last = run[0], run[-1]
        path, size = self._paths[first.source], last.end - first.start
        try:
            data = os.pread(self._files[first.source], size, first.start)
            while len(data) < size and (
                more := os.pread(self._files[first.source], size - len(data), first.start + len(data))
            ):
                data += more
        except OSError as error:
            raise CrawlerError(f"{path}: byte {first.start:,}: cannot be read: {error.strerror}") from error
        for part in run:
            end = part.end - first.start
            if data[end - 1 : end] != b"\n" or data[part.start - first.start : part.start - first.start + 1] != b"{":
                raise CrawlerError(
                    f"{path}: byte {part.start:,}: not the record that was there: the file was changed while its crawl "
                    "is crawled again"
                )
        return data


def _records(by_sink: Mapping[str, Sequence[bytes]]) -> list[tuple[str, bytes]]:
    return [(sink, b"\n".join(lines)) for sink, lines in by_sink.items()]


def _runs(parts: Iterable[_Part]) -> list[list[_Part]]:
    """Parts that stand one after the other in a file, to be read together."""
    runs: list[list[_Part]] = []
    for part in parts:
        last = runs[-1] if runs else None
        if (
            last
            and (part.source, part.start) == (last[-1].source, last[-1].end)
            and part.end - last[0].start <= _READ_BYTES
        ):
            last.append(part)
        else:
            runs.append([part])
    return runs
