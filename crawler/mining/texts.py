"""What is kept of the texts of pages? Their sketches, and how often each says its terms.

For a worker: of one part, batch by batch, into files. In memory is in how many pages of the part each term is.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Self

import numpy as np

from crawler.mining.keywords import Frequencies, count, decode, frequencies, merge
from crawler.mining.layout import file, save
from crawler.mining.sketch import sketches
from crawler.mining.words import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from crawler.mining.keywords import Counts
    from crawler.mining.tasks import Task

_PAGES_AT_ONCE = 2_000
_MERGED_AT_ONCE = 64
_FILES_AT_ONCE = 16
_LENGTH_BYTES = 8


class Words:
    """The texts of one part. A context manager, which writes its files."""

    def __init__(self, task: Task) -> None:
        self._folder, self._number = task.folder, task.part.number
        self._wants = task.wants
        self._parts: list[Frequencies] = []

    def __enter__(self) -> Self:
        self._sketches = file(self._folder, self._number, "sketches").open("wb")
        self._counts = file(self._folder, self._number, "counts").open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._sketches.close()
        self._counts.close()
        if error is None and "keywords" in self._wants:
            keep_frequencies(merge(self._parts), file(self._folder, self._number, "frequencies"))

    def add(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Take in some; which of them have a sketch."""
        has_sketch = np.zeros(len(texts), np.bool_)
        for start in range(0, len(texts), _PAGES_AT_ONCE):
            some = number(texts[start : start + _PAGES_AT_ONCE])
            if "near" in self._wants:
                found, has_sketch[start : start + _PAGES_AT_ONCE] = sketches(some)
                self._sketches.write(found.astype("<u2").tobytes())
            if "keywords" in self._wants:
                self._add_counts(count(some))
        return has_sketch

    def _add_counts(self, counts: Counts) -> None:
        data = counts.encode()
        self._counts.write(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
        self._parts.append(frequencies(counts))
        if len(self._parts) >= _MERGED_AT_ONCE:
            self._parts = [merge(self._parts)]


def read_counts(path: Path) -> Iterator[Counts]:
    """What `Words` has kept of a part, batch by batch."""
    with path.open("rb") as source:
        while head := source.read(_LENGTH_BYTES):
            yield decode(source.read(int.from_bytes(head, "little")))


def put_together(paths: Iterable[Path], to: Path) -> int:
    """Merge the frequencies of all parts, some at a time; how many terms there are."""
    rest = iter(paths)
    whole = merge(())
    while some := list(islice(rest, _FILES_AT_ONCE)):
        whole = merge((whole, *map(load, some)))
    keep_frequencies(whole, to)
    return len(whole.hashes)


def keep_frequencies(found: Frequencies, path: Path) -> None:
    """Write frequencies: the pages, the hashes, the counts."""
    save((np.array([found.pages], np.int64), found.hashes, found.counts), path)


def load(path: Path) -> Frequencies:
    """What `keep_frequencies` has written."""
    with path.open("rb") as source:
        pages, hashes, counts = (np.load(source) for _ in range(3))
    return Frequencies(int(pages[0]), hashes, counts)
