"""How do intermediate results lie in the folder of a run of mining? Arrays by part, mapped when they are read.

A page has a number: its place in the crawl, from 0. Within a part it counts from the part's first page. Of URLs the
xxh3 hash of 64 bits stands for the URL: that two of ten million URLs share one has odds of 3 in a million, and no page
can bring that about for another's without finding a collision.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from numpy.typing import NDArray

PAGE = np.dtype(
    [
        ("url", "<u8"),  # its hash
        ("bytes", "<u4"),  # of its line in the part's ``urls``
        ("host", "<u4"),  # by the part's own numbers
        ("content", "<u8"),  # of content_digest, the first bits; 0: none
        ("text", "<u8"),  # of the text; 0: none
        ("fingerprint", "<u8"),
        ("has_sketch", "?"),
        ("has_fingerprint", "?"),
    ]
)
"""What is kept of a page besides its words."""

EDGE = np.dtype([("source", "<u8"), ("target", "<u8")])
"""A link: the page by its number in the part, or by its hash where links.jsonl is read; the target by its hash."""


def file(folder: str | Path, part: int, name: str) -> Path:
    """Where something of a part is."""
    return Path(folder) / f"{part}.{name}"


def keep(array: NDArray[Any], path: Path) -> None:
    """Write an array for `mapped`; an OSError if that fails. (numpy's ``tofile`` may say nothing of a full disk.)"""
    with path.open("wb") as out:
        out.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def save(arrays: Iterable[NDArray[Any]], path: Path) -> None:
    """Write arrays one after another as `numpy.save` does; an OSError if that fails."""
    with path.open("wb") as out:
        for array in arrays:
            np.save(_Written(out), array)


class _Written:
    """A file that numpy does not know for one: it would write to it by itself, as ``tofile`` does."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def mapped(path: Path, kind: Any) -> NDArray[Any]:  # noqa: ANN401 - what numpy takes for a dtype
    """The array in a file, read as it is asked for; an empty file is an empty array."""
    return np.memmap(path, kind, "r") if path.stat().st_size else np.zeros(0, kind)


def distinct(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Them sorted, each once. (numpy's own ``unique`` hashes, at a hundred times the time of sorting numbers.)"""
    found = np.sort(keys)
    return found[np.r_[True, found[1:] != found[:-1]]] if len(found) else found


def placed(
    sorted_hashes: NDArray[np.uint64], wanted: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where each is among rising hashes, and whether it is."""
    if not len(sorted_hashes):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    at = np.searchsorted(sorted_hashes, wanted)
    at[at == len(sorted_hashes)] = 0
    return at, sorted_hashes[at] == wanted
