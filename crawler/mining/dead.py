"""Which URLs are linked to and could not be fetched? The lines of dead_links.jsonl.

What parts say of the same URL is merged as it streams by; only how many pages link to each is held.
"""

from __future__ import annotations

import heapq
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from crawler.mining.files import DeadLink, Source
from crawler.mining.layout import file
from crawler.mining.linking import SOURCES, DeadIn
from crawler.mining.writing import write_rows
from crawler.models import Outcome
from crawler.reasons import is_gone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.mining.ends import Ends, Failed

_UNSORTED = "dead.unsorted"


def write_dead(path: Path, folder: Path, ends: Ends, parts: Sequence[int]) -> dict[str, int]:
    """Write them; what was counted.

    Args:
        path: Where to.
        folder: Where parts are.
        ends: How URLs ended.
        parts: Of the files that links were read from; none where links were not kept, and then the page that each was
            first found on is named.
    """
    in_links = np.zeros(len(ends), np.int64)
    rows = _rows(ends, _merged(folder, parts))
    unsorted = folder / _UNSORTED
    write_rows(unsorted, _counting(rows, in_links))
    linked = np.flatnonzero(in_links)
    with unsorted.open("rb") as source:
        starts = np.cumsum([0, *map(len, source)])
        order = np.argsort(-in_links[linked], kind="stable")
        with path.open("wb") as out:
            for place in order.tolist():
                source.seek(starts[place])
                out.write(source.readline())
    unsorted.unlink()
    return {"failed": len(ends), "dead": len(linked), "unlinked": len(ends) - len(linked)}


def _merged(folder: Path, parts: Sequence[int]) -> Iterator[DeadIn]:
    """What all parts say of each dead URL that is linked to, in the order of their numbers."""
    streams = [_stream(file(folder, part, "dead")) for part in parts]
    for number, group in groupby(heapq.merge(*streams, key=attrgetter("dead")), attrgetter("dead")):
        found = DeadIn(number, 0, [])
        for one in group:  # equal ones come in the order of the parts
            found.pages += one.pages
            found.sources += one.sources[: SOURCES - len(found.sources)]
        yield found


def _stream(path: Path) -> Iterator[DeadIn]:
    with path.open("rb") as lines:
        for line in lines:
            yield msgspec.json.decode(line, type=DeadIn)


def _rows(ends: Ends, linked: Iterator[DeadIn]) -> Iterator[tuple[int, DeadLink]]:
    following = next(linked, None)
    for number, failed in enumerate(ends):
        found, sources = 0, list[Source]()
        if following is not None and following.dead == number:
            found = following.pages
            sources = [Source(url, text) for url, text in following.sources]
            following = next(linked, None)
        elif failed.via is not None:
            found, sources = 1, [Source(failed.via, None)]
        if found:
            yield number, _row(failed, found, sources)


def _row(failed: Failed, found: int, sources: list[Source]) -> DeadLink:
    return DeadLink(
        url=failed.url,
        outcome=Outcome.FAILED,
        reason=failed.reason,
        status=failed.status,
        gone=is_gone(failed.reason),
        in_links=found,
        sources=tuple(sources),
    )


def _counting(rows: Iterator[tuple[int, DeadLink]], in_links: np.ndarray) -> Iterator[DeadLink]:
    for number, row in rows:
        in_links[number] = row.in_links
        yield row
