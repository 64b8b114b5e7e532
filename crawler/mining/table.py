"""Which pages were read, and what are their numbers? All parts put together.

About 50 bytes a page in memory; URLs themselves stay on the disk.
"""

from __future__ import annotations

import mmap
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from crawler.mining.layout import PAGE, file, mapped, save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crawler.mining.tasks import Answer

NODES, NUMBERS, HOSTS = "nodes.npy", "numbers.npy", "hosts.npy"
_URLS, _PAGES = "urls", "pages"
_COPIED_BYTES = 1 << 20


class Table:
    """The pages of a crawl.

    Args:
        folder: Where workers left their parts.
        answers: Theirs, in the order of the parts.
    """

    def __init__(self, folder: Path, answers: Sequence[Answer]) -> None:
        self._folder = folder
        #: part -> the number of its first page
        self.firsts: list[int] = []
        self.count = 0
        #: host names by number
        self.hosts: list[str] = []
        self.parts = [answer.part for answer in answers]
        numbers: dict[str, int] = {}
        of_pages: list[NDArray[Any]] = []
        with (folder / _URLS).open("wb") as urls, (folder / _PAGES).open("wb") as pages:
            for answer in answers:
                places = [numbers.setdefault(host, len(numbers)) for host in answer.hosts]
                self.firsts.append(self.count)
                self.count += answer.counts["pages"]
                rows = np.fromfile(file(folder, answer.part, "pages"), PAGE)
                rows["host"] = np.array(places, np.uint32)[rows["host"]] if len(rows) else 0
                pages.write(rows.tobytes())
                of_pages.append(rows[["url", "bytes", "host"]].copy())
                self._take_over(answer.part, urls)
        self.hosts = list(numbers)
        together = np.concatenate(of_pages) if of_pages else np.zeros(0, PAGE)
        #: uint32: of each page, the number of its host
        self.host_of = together["host"].astype(np.uint32)
        self._ends = np.cumsum(together["bytes"], dtype=np.int64)
        self._hashes = together["url"].astype(np.uint64)

    @property
    def rows(self) -> NDArray[Any]:
        """All that is kept of pages, of type `PAGE`; hosts are numbered over all parts."""
        return mapped(self._folder / _PAGES, PAGE)

    def lay_out(self) -> None:
        """Leave for workers which page a hash stands for, and its host."""
        order = np.argsort(self._hashes).astype(np.uint32)
        for array, name in ((self._hashes[order], NODES), (order, NUMBERS), (self.host_of, HOSTS)):
            save((array,), self._folder / name)

    def urls(self, numbers: NDArray[Any]) -> Iterator[str]:
        """The URLs of pages, in the order asked for."""
        if not len(numbers):
            return
        with (self._folder / _URLS).open("rb") as source, mmap.mmap(source.fileno(), 0, prot=mmap.PROT_READ) as lines:
            for number in numbers.tolist():
                start = int(self._ends[number - 1]) if number else 0
                yield lines[start : int(self._ends[number]) - 1].decode()

    def _take_over(self, part: int, urls: Any) -> None:  # noqa: ANN401 - an open file
        path = file(self._folder, part, "urls")
        with path.open("rb") as source:
            shutil.copyfileobj(source, urls, _COPIED_BYTES)
