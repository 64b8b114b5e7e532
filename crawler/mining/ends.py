"""How did the URLs end that gave no page? Where redirects lead, and what could not be fetched.

All of outcomes.jsonl is read once. In memory are 16 bytes for each redirect and 12 for each failure; what is told of a
failure stays on the disk.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from xxhash import xxh3_64_intdigest

from crawler.mining.decoding import decoded
from crawler.mining.layout import placed, save
from crawler.mining.tasks import Part
from crawler.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FROM, TO, DEAD, DEAD_AT, FAILED = "from.npy", "to.npy", "dead.npy", "dead_at.npy", "failed"
_MOST_HOPS = 21  # redirects in a chain are 20 at most, and a loop ends here


class Failed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A URL that could not be fetched."""

    url: str
    reason: str | None
    status: int | None
    via: str | None


class _End(msgspec.Struct, gc=False):
    """What is read of a line; see `crawler.export.outcomes.OutcomeRecord`."""

    url: str
    outcome: str
    reason: str | None
    status: int | None
    target: str | None
    via: str | None


class Ends:
    """What was read, for this process; `read_ends` leaves arrays for the others."""

    def __init__(self, folder: Path, failed: int) -> None:
        self._path = folder / FAILED
        self._failed = failed

    def __len__(self) -> int:
        return self._failed

    def __iter__(self) -> Iterator[Failed]:
        """What is told of each failure, in the order of their numbers."""
        with self._path.open("rb") as lines:
            for line in lines:
                yield msgspec.json.decode(line, type=Failed)


def read_ends(path: Path | None, end: int | None, folder: Path) -> Ends:
    """Read outcomes.jsonl; leaves in `folder` the arrays that `Redirects` and `dead_links` map.

    Args:
        path: Of the file; None if there is none.
        end: Up to where it counts.
        folder: For results.

    Raises:
        CrawlerError: It cannot be read, or a line of it is no record.
    """
    sources, targets, dead = array("Q"), array("Q"), array("Q")
    hashed = xxh3_64_intdigest
    with (folder / FAILED).open("wb") as out:
        whole = Part(number=0, path=str(path), end=end)
        for ends, _ in decoded(whole, _End, "record of an outcome") if path else ():
            for url in ends:
                if url.outcome == Outcome.REDIRECTED and url.target is not None:
                    sources.append(hashed(url.url.encode()))
                    targets.append(hashed(url.target.encode()))
                elif url.outcome == Outcome.FAILED:
                    dead.append(hashed(url.url.encode()))
                    out.write(msgspec.json.encode(Failed(url.url, url.reason, url.status, url.via)) + b"\n")
    _lay_out(folder, *(np.frombuffer(found, np.uint64) for found in (sources, targets, dead)))
    return Ends(folder, len(dead))


def _lay_out(folder: Path, sources: NDArray[np.uint64], targets: NDArray[np.uint64], dead: NDArray[np.uint64]) -> None:
    """Redirects by their sources, with where they lead in the end; and every URL that leads to a failure."""
    order = np.argsort(sources)
    sources, targets = sources[order], targets[order]
    hops = targets
    for _ in range(_MOST_HOPS):
        at, goes_on = placed(sources, targets)
        if not goes_on.any():
            break
        targets = np.where(goes_on, hops[at], targets)
    save((sources,), folder / FROM)
    save((targets,), folder / TO)
    order = np.argsort(dead)
    at, leads_there = placed(dead[order], targets)
    hashes = np.concatenate((dead, sources[leads_there]))
    numbers = np.concatenate((np.arange(len(dead)), order[at[leads_there]])).astype(np.uint32)
    order = np.argsort(hashes)
    save((hashes[order],), folder / DEAD)
    save((numbers[order],), folder / DEAD_AT)


class Redirects:
    """Where redirects lead in the end, by hash."""

    def __init__(self, folder: str | Path) -> None:
        self._from = np.load(Path(folder) / FROM, mmap_mode="r")
        self._to = np.load(Path(folder) / TO, mmap_mode="r")

    def ends(self, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Where each URL leads: itself, if it does not redirect."""
        at, redirects = placed(self._from, hashes)
        return np.where(redirects, self._to[at], hashes) if redirects.any() else hashes
